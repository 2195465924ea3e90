import Concurrency
import Testing

@testable import KafkaWire

@Suite("Between fetching and reading", .timeLimit(.minutes(1)))
struct FetchBufferTests {
    private let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]

    private func place(_ buffer: FetchBuffer, _ partition: TopicPartition = TopicPartition("t")) throws -> FetchSlot {
        try #require(buffer.place([partition])[partition])
    }

    /// Asks for a batch as a new iterator would.
    private func comeBack(_ buffer: FetchBuffer) throws(KafkaError) {
        var reader = buffer.makeReader()
        _ = try buffer.comeBack(&reader)
    }

    /// A part that ends before `next`.
    private func part(_ slot: FetchSlot, to next: Int64 = 1, gate: Signal = Signal()) -> FetchedPartition {
        let reader = RecordBatchReader(
            topic: "t", partition: 0, records: ByteSlice([1]), from: 0, maximumInflatedBytes: 1,
            pool: BufferPool(limit: 0))
        return FetchedPartition(slot: slot, reader: reader, next: FetchPosition(offset: next), gate: gate)
    }

    private func offset(_ taken: FetchBuffer.Taken) -> Int64? {
        if case .part(let part) = taken { part.next.offset } else { nil }
    }

    /// Whether the gate was opened, and no waiter has passed it yet.
    private func isOpen(_ gate: Signal) -> Bool { gate.isNotified }

    private func isEmpty(_ buffer: FetchBuffer) async throws -> Bool {
        if case .nothing = try await buffer.take(timeout: .zero) { true } else { false }
    }

    @Test("parts come in the order in which they arrived")
    func order() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        buffer.append([part(slot, to: 1), part(slot, to: 2)])
        buffer.append([part(slot, to: 3)])
        for expected in Int64(1)...3 {
            #expect(offset(try await buffer.take(timeout: nil)) == expected)
        }
    }

    @Test("a gate opens when the answer's first part is taken, and not before")
    func gate() async throws {
        let buffer = FetchBuffer()
        let gate = Signal()
        buffer.append([part(try place(buffer), gate: gate)])
        #expect(!isOpen(gate))
        _ = try await buffer.take(timeout: nil)
        #expect(isOpen(gate))
    }

    @Test("another place drops what is there, opens its gates, and passes over what still comes for the old one")
    func placedAnew() async throws {
        let buffer = FetchBuffer()
        let first = try place(buffer)
        let gates = (0..<2).map { _ in Signal() }
        buffer.append([part(first, to: 1, gate: gates[0])])
        let second = try place(buffer)
        #expect(isOpen(gates[0]))
        buffer.append([part(first, to: 2, gate: gates[1])])
        #expect(isOpen(gates[1]))
        #expect(!buffer.isStanding(first))
        buffer.append([part(second, to: 3)])
        #expect(offset(try await buffer.take(timeout: nil)) == 3)
        #expect(buffer.handOut(first, next: FetchPosition(offset: 99), at: .now) == .stale)
        buffer.saw(first, highWatermark: 99, end: 99)
        buffer.began(first, at: FetchPosition(offset: 99))
        #expect(buffer.collect(\.delivered).isEmpty)
        #expect(buffer.collect(\.highWatermark).isEmpty)
    }

    @Test("a partition that is taken away leaves the others as they are, and its place to the next")
    func removed() async throws {
        let buffer = FetchBuffer()
        let slots = buffer.place(partitions)
        let (zero, one) = (try #require(slots[partitions[0]]), try #require(slots[partitions[1]]))
        buffer.began(zero, at: FetchPosition(offset: 5, lastFetchedEpoch: 2))
        buffer.append([part(zero, to: 10), part(one, to: 20), part(zero, to: 11)])
        buffer.remove([partitions[0], TopicPartition("other")])
        #expect(offset(try await buffer.take(timeout: nil)) == 20)
        #expect(try await isEmpty(buffer))
        #expect(buffer.handOut(zero, next: FetchPosition(offset: 10), at: .now) == .stale)
        let third = try place(buffer, TopicPartition("u"))
        #expect(third.index == zero.index)
        #expect(buffer.handOut(zero, next: FetchPosition(offset: 10), at: .now) == .stale)
        #expect(buffer.handOut(third, next: FetchPosition(offset: 1), at: .now) == .handedOut)
    }

    @Test("a batch is processed when the next one is asked for")
    func processed() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        let beginning = FetchPosition(offset: 0)
        let end = FetchPosition(offset: 7, lastFetchedEpoch: 3)
        buffer.began(slot, at: beginning)
        #expect(buffer.handOut(slot, next: end, at: .now) == .handedOut)
        #expect(buffer.collect(\.delivered) == [partitions[0]: end])
        #expect(buffer.collect(\.processed) == [partitions[0]: beginning])
        try comeBack(buffer)
        #expect(buffer.collect(\.processed) == [partitions[0]: end])
        #expect(buffer.handout == nil)
    }

    @Test("what an application is done with isn't its own when a group has taken the partition away meanwhile")
    func lost() async throws {
        let buffer = FetchBuffer()
        let end = FetchPosition(offset: 7)
        for (forGroup, isDone, isLost) in [(false, false, false), (true, true, false), (true, false, true)] {
            let slot = try place(buffer)
            #expect(buffer.handOut(slot, next: end, at: .now) == .handedOut)
            if isDone { #expect(buffer.finishHandout() == [partitions[0]: TopicOffset(offset: OffsetAndMetadata(7))]) }
            buffer.remove([partitions[0]], forGroup: forGroup)
            #expect((buffer.finishHandout() == nil) == isLost)
            // It may have come back to this consumer.
            _ = try place(buffer)
            #expect((buffer.finishHandout() == nil) == isLost)
            try comeBack(buffer)
            #expect(buffer.finishHandout() != nil)
        }
    }

    @Test("what is fetched of a paused partition waits with an open gate, and comes in its order later")
    func paused() async throws {
        let buffer = FetchBuffer()
        let slots = buffer.place(partitions)
        let (zero, one) = (try #require(slots[partitions[0]]), try #require(slots[partitions[1]]))
        let gates = (0..<2).map { _ in Signal() }
        buffer.append([part(zero, to: 1, gate: gates[0]), part(one, to: 2)])
        buffer.setPaused(true, [partitions[0]])
        #expect(isOpen(gates[0]))
        buffer.append([part(zero, to: 3, gate: gates[1])])
        #expect(isOpen(gates[1]))
        #expect(offset(try await buffer.take(timeout: nil)) == 2)
        #expect(try await isEmpty(buffer))
        #expect(buffer.handOut(zero, next: FetchPosition(offset: 0), at: .now) == .paused)
        buffer.putBack(part(zero, to: 0))
        buffer.setPaused(false, [partitions[0]])
        for expected in [0, 1, 3] { #expect(offset(try await buffer.take(timeout: nil)) == Int64(expected)) }
        // A seek doesn't let it go on, another assignment does.
        buffer.setPaused(true, [partitions[0]])
        _ = try place(buffer, partitions[0])
        #expect(buffer.collect(\.isPaused) == [partitions[0]: true, partitions[1]: false])
        buffer.remove([partitions[0]])
        _ = try place(buffer, partitions[0])
        #expect(buffer.collect(\.isPaused) == [partitions[0]: false, partitions[1]: false])
    }

    @Test("without a part in time there is none; with time for none it is told at once")
    func timeout() async throws {
        let buffer = FetchBuffer()
        let started = ContinuousClock.now
        guard case .nothing = try await buffer.take(timeout: .milliseconds(20)) else {
            Issue.record("something came")
            return
        }
        #expect(.now - started >= .milliseconds(20))
        guard case .nothing = try await buffer.take(timeout: .zero) else {
            Issue.record("something came")
            return
        }
    }

    @Test("a failure comes after what was fetched before it, stays, and the first one counts")
    func failure() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        buffer.append([part(slot, to: 1)])
        buffer.fail(KafkaError(.offsetOutOfRange, "first"))
        buffer.fail(KafkaError(.unknownServerError, "second"))
        #expect(offset(try await buffer.take(timeout: nil)) == 1)
        for _ in 0..<2 {
            let error = await #expect(throws: KafkaError.self) { _ = try await buffer.take(timeout: nil) }
            #expect(error?.message == "first")
        }
    }

    @Test("closing ends the wait, drops what is there and opens its gates")
    func finish() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        let gate = Signal()
        let waiting = Task { try await buffer.take(timeout: nil) }
        buffer.finish()
        guard case .finished = try await waiting.value else {
            Issue.record("it isn't finished")
            return
        }
        buffer.append([part(slot, gate: gate)])
        buffer.finish()
        #expect(isOpen(gate))
        guard case .finished = try await buffer.take(timeout: .zero) else {
            Issue.record("it isn't finished")
            return
        }
    }

    @Test("a reader that is cancelled stops waiting, and what comes later is another's")
    func cancellation() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        let waiting = Task { try await buffer.take(timeout: nil) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        buffer.append([part(slot, to: 5)])
        #expect(offset(try await buffer.take(timeout: nil)) == 5)
    }

    @Test("caught up is who has had everything up to the end of each partition that isn't paused")
    func progress() async throws {
        let buffer = FetchBuffer()
        let slots = buffer.place(partitions)
        let (zero, one) = (try #require(slots[partitions[0]]), try #require(slots[partitions[1]]))
        #expect(!buffer.isCaughtUp)
        buffer.began(zero, at: FetchPosition(offset: 10))
        buffer.began(one, at: FetchPosition(offset: 0))
        #expect(buffer.collect(\.delivered?.offset) == [partitions[0]: 10, partitions[1]: 0])
        buffer.saw(zero, highWatermark: 15, end: 12)
        buffer.saw(one, highWatermark: 0, end: 0)
        #expect(!buffer.isCaughtUp)
        #expect(buffer.handOut(zero, next: FetchPosition(offset: 12), at: .now) == .handedOut)
        #expect(buffer.isCaughtUp)
        buffer.append([part(zero)])
        #expect(!buffer.isCaughtUp)
        buffer.setPaused(true, [partitions[0]])
        #expect(buffer.isCaughtUp)
        buffer.setPaused(true, [partitions[1]])
        #expect(!buffer.isCaughtUp)
        #expect(buffer.collect(\.delivered?.offset)[partitions[0]] == 12)
        #expect(buffer.collect(\.highWatermark) == [partitions[0]: 15, partitions[1]: 0])
    }

    @Test("parts of several writers all arrive, each writer's in order")
    func concurrent() async throws {
        let buffer = FetchBuffer()
        let slots = buffer.place((0..<4).map { TopicPartition("t", $0) })
        for slot in slots.values {
            Task {
                for offset in Int64(0)..<500 {
                    let gate = Signal()
                    buffer.append([part(slot, to: offset, gate: gate)])
                    await gate.wait()
                }
            }
        }
        var next: [FetchSlot: Int64] = [:]
        for _ in 0..<2000 {
            guard case .part(let part) = try await buffer.take(timeout: .seconds(20)) else {
                Issue.record("a part is missing")
                return
            }
            #expect(part.next.offset == next[part.slot, default: 0])
            next[part.slot] = part.next.offset + 1
        }
    }
}
