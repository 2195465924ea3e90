import Testing

@testable import KafkaWire

@Suite("The table of cursors")
struct CursorTableTests {
    private let zero = TopicPartition("t", 0)
    private let one = TopicPartition("t", 1)

    @Test("a seek and another assignment make earlier slots stale")
    func stale() {
        var cursors = CursorTable()
        let first = cursors.place(zero, at: ConsumerStart(.earliest), maximumBytes: 1)
        #expect(cursors.contains(first) && cursors[first]?.partition == zero)
        let second = cursors.place(zero, at: ConsumerStart(.earliest), maximumBytes: 1)
        #expect(second.index == first.index && !cursors.contains(first) && cursors[first] == nil)
        let change: Void? = cursors.update(first) { $0.isPaused = true }
        #expect(change == nil)
        #expect(cursors[zero]?.isPaused == false)
        let removed = cursors.remove(zero)
        #expect(removed?.slot == second)
        let again = cursors.remove(zero)
        #expect(again == nil && !cursors.contains(second) && cursors.count == 0)
    }

    @Test("vacant indices are used again, by other generations")
    func reuse() {
        var cursors = CursorTable()
        let first = cursors.place(zero, at: ConsumerStart(.earliest), maximumBytes: 1)
        _ = cursors.place(one, at: ConsumerStart(.earliest), maximumBytes: 1)
        _ = cursors.remove(zero)
        let third = cursors.place(TopicPartition("u"), at: ConsumerStart(.earliest), maximumBytes: 1)
        #expect(third.index == first.index && third.generation != first.generation)
        #expect(!cursors.contains(first) && cursors.count == 2)
        #expect(cursors.collect { $0.slot.index } == [one: 1, TopicPartition("u"): 0])
    }

    @Test("a change of all cursors leaves out vacant indices")
    func updateAll() {
        var cursors = CursorTable()
        for partition in [zero, one] {
            _ = cursors.place(partition, at: ConsumerStart(.earliest), maximumBytes: 1)
        }
        _ = cursors.remove(zero)
        var seen: [TopicPartition] = []
        cursors.updateAll { seen.append($0.partition) }
        #expect(seen == [one])
    }
}
