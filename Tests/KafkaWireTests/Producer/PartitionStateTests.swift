import Testing

@testable import KafkaWire

@Suite("How a partition's batches are numbered")
struct PartitionStateTests {
    private let identity = ProducerIdentity(id: 1, epoch: 0)

    private func batch(_ count: Int) -> ProducerBatch {
        let partition = TopicPartition("t")
        return ProducerBatch(
            partition: partition, recordCount: count, outcome: BatchOutcome(partition: partition), created: .now,
            reserved: 0)
    }

    @Test("numbers go on by the records, and a batch keeps its own")
    func numbers() {
        var state = PartitionState(goesSingly: true)
        var (first, second) = (batch(3), batch(2))
        state.send(&first, as: identity)
        state.send(&second, as: identity)
        #expect(first.sequence?.value == 0 && second.sequence?.value == 3)
        #expect(state.inFlight.count == 2)
        state.cameBack(first)
        // Another identity is current meanwhile: the partition keeps its own.
        state.send(&first, as: ProducerIdentity(id: 2, epoch: 0))
        #expect(first.sequence?.value == 0 && state.identity == identity)
        let found = state.cameBack(batch(1))
        #expect(!found)
    }

    @Test("without idempotence there are no numbers and no gaps")
    func unnumbered() {
        var state = PartitionState(goesSingly: false)
        var first = batch(3)
        state.send(&first, as: nil)
        #expect(first.sequence == nil && state.inFlight.count == 1)
        state.cameBack(first)
        state.gaveUp(first)
        #expect(!state.hasGap && state.inFlight.isEmpty)
    }

    @Test("after a batch was given up nothing else goes out until all has come back, and then it starts over")
    func gap() {
        var state = PartitionState(goesSingly: true)
        var (first, second) = (batch(3), batch(2))
        state.send(&first, as: identity)
        state.wasWritten()
        state.send(&second, as: identity)
        #expect(!state.mustWait)
        state.cameBack(first)
        state.gaveUp(first)
        #expect(state.hasGap && state.mustWait && !state.canStartOver)
        state.cameBack(second)
        #expect(!state.mustWait && state.canStartOver)
        state.startOver()
        #expect(state.identity == nil && !state.hasGap && state.goesSingly)
        second.sequence = nil
        state.send(&second, as: ProducerIdentity(id: 2, epoch: 0))
        #expect(second.sequence == .first)
    }

    @Test("a later epoch of the same producer begins at 0 without going singly; another producer does")
    func adopting() {
        var state = PartitionState(goesSingly: true)
        state.adopt(identity)
        var first = batch(3)
        state.send(&first, as: nil)
        state.cameBack(first)
        state.wasWritten()
        state.adopt(identity)
        #expect(state.nextSequence.value == 3)
        state.adopt(ProducerIdentity(id: 1, epoch: 1))
        #expect(state.nextSequence == .first && !state.goesSingly)
        state.adopt(ProducerIdentity(id: 2, epoch: 0))
        #expect(state.goesSingly)
    }
}
