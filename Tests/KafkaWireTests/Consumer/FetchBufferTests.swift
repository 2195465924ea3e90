import Concurrency
import Testing

@testable import KafkaWire

@Suite("The buffer between fetching and reading", .timeLimit(.minutes(1)))
struct FetchBufferTests {
    private let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]

    private func place(
        _ buffer: FetchBuffer, _ partition: TopicPartition = TopicPartition("t"),
        _ start: ConsumerStart = ConsumerStart(.earliest)
    ) throws -> FetchSlot {
        try #require(buffer.place([partition: start])[partition])
    }

    /// Places both partitions.
    private func placeBoth(
        _ buffer: FetchBuffer, _ zero: OffsetSpec = .earliest, _ one: OffsetSpec = .earliest
    ) throws -> (zero: FetchSlot, one: FetchSlot) {
        let slots = buffer.place([partitions[0]: ConsumerStart(zero), partitions[1]: ConsumerStart(one)])
        return (try #require(slots[partitions[0]]), try #require(slots[partitions[1]]))
    }

    /// Asks for a batch as a new iterator would.
    private func beginNext(_ buffer: FetchBuffer) throws(KafkaError) {
        var reader = buffer.makeReader()
        _ = try buffer.beginNext(&reader)
    }

    /// Hands out a batch that ends at a position.
    private func handOut(_ buffer: FetchBuffer, _ slot: FetchSlot, to end: FetchPosition) -> FetchBuffer.Verdict {
        buffer.handOut(part(slot, to: end.offset), before: part(slot, to: end.offset), end: end)
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

    @Test("parts are taken in the order in which they arrived")
    func order() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        buffer.append([part(slot, to: 1), part(slot, to: 2)])
        buffer.append([part(slot, to: 3)])
        for expected in Int64(1)...3 {
            #expect(offset(try await buffer.take(timeout: nil)) == expected)
        }
    }

    @Test("a gate opens when the first part of the response is taken, and not before")
    func gate() async throws {
        let buffer = FetchBuffer()
        let gate = Signal()
        buffer.append([part(try place(buffer), gate: gate)])
        #expect(!isOpen(gate))
        _ = try await buffer.take(timeout: nil)
        #expect(isOpen(gate))
    }

    @Test("a seek drops the queued parts, opens their gates, and ignores later parts of the earlier slot")
    func placedAnew() async throws {
        let buffer = FetchBuffer()
        let first = try place(buffer)
        let gates = (0..<2).map { _ in Signal() }
        buffer.append([part(first, to: 1, gate: gates[0])])
        let second = try place(buffer)
        #expect(isOpen(gates[0]))
        buffer.append([part(first, to: 2, gate: gates[1])])
        #expect(isOpen(gates[1]))
        #expect(buffer.cursor(first) == nil)
        buffer.append([part(second, to: 3)])
        #expect(offset(try await buffer.take(timeout: nil)) == 3)
        #expect(handOut(buffer, first, to: FetchPosition(offset: 99)) == .stale)
        buffer.update(first) { $0.saw(highWatermark: 99, end: 99) }
        buffer.resume(first, at: FetchPosition(offset: 99))
        #expect(buffer.collect(\.delivered).isEmpty)
        #expect(buffer.collect(\.highWatermark).isEmpty)
    }

    @Test("removing a partition leaves the others as they are, and its index is reused")
    func removed() async throws {
        let buffer = FetchBuffer()
        let (zero, one) = try placeBoth(buffer)
        buffer.resume(zero, at: FetchPosition(offset: 5, lastFetchedEpoch: 2))
        buffer.append([part(zero, to: 10), part(one, to: 20), part(zero, to: 11)])
        buffer.remove([partitions[0], TopicPartition("other")])
        #expect(offset(try await buffer.take(timeout: nil)) == 20)
        #expect(try await isEmpty(buffer))
        #expect(handOut(buffer, zero, to: FetchPosition(offset: 10)) == .stale)
        let third = try place(buffer, TopicPartition("u"))
        #expect(third.index == zero.index)
        #expect(handOut(buffer, zero, to: FetchPosition(offset: 10)) == .stale)
        #expect(handOut(buffer, third, to: FetchPosition(offset: 1)) == .handedOut)
    }

    @Test("a batch is processed when the application asks for the next one")
    func processed() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        let beginning = FetchPosition(offset: 0)
        let end = FetchPosition(offset: 7, lastFetchedEpoch: 3)
        buffer.resume(slot, at: beginning)
        #expect(handOut(buffer, slot, to: end) == .handedOut)
        #expect(buffer.collect(\.delivered) == [partitions[0]: end])
        #expect(buffer.collect(\.processed) == [partitions[0]: beginning])
        try beginNext(buffer)
        #expect(buffer.collect(\.processed) == [partitions[0]: end])
        #expect(buffer.state.withLock { $0.current } == nil)
    }

    @Test("the current batch is lost if a group takes its partition away before it is processed")
    func lost() async throws {
        let buffer = FetchBuffer()
        let end = FetchPosition(offset: 7)
        for (forGroup, isDone, isLost) in [(false, false, false), (true, true, false), (true, false, true)] {
            let slot = try place(buffer, partitions[0], ConsumerStart(.offset(0)))
            #expect(handOut(buffer, slot, to: end) == .handedOut)
            if isDone { #expect(buffer.finishCurrent() == [partitions[0]: TopicOffset(offset: OffsetAndMetadata(7))]) }
            buffer.remove([partitions[0]], forGroup: forGroup)
            #expect((buffer.finishCurrent() == nil) == isLost)
            // The group may have assigned it to this consumer again.
            _ = try place(buffer)
            #expect((buffer.finishCurrent() == nil) == isLost)
            try beginNext(buffer)
            #expect(buffer.finishCurrent() != nil)
        }
    }

    @Test("parts of a paused partition wait with an open gate, and are taken in order after it is resumed")
    func paused() async throws {
        let buffer = FetchBuffer()
        let (zero, one) = try placeBoth(buffer)
        let gates = (0..<2).map { _ in Signal() }
        buffer.append([part(zero, to: 1, gate: gates[0]), part(one, to: 2)])
        buffer.setPaused(true, [partitions[0]])
        #expect(isOpen(gates[0]))
        buffer.append([part(zero, to: 3, gate: gates[1])])
        #expect(isOpen(gates[1]))
        #expect(offset(try await buffer.take(timeout: nil)) == 2)
        #expect(try await isEmpty(buffer))
        // A paused batch returns to the front of the queue.
        #expect(handOut(buffer, zero, to: FetchPosition(offset: 0)) == .paused)
        buffer.setPaused(false, [partitions[0]])
        for expected in [0, 1, 3] { #expect(offset(try await buffer.take(timeout: nil)) == Int64(expected)) }
        // A seek leaves the partition paused, another assignment resumes it.
        buffer.setPaused(true, [partitions[0]])
        _ = try place(buffer, partitions[0])
        #expect(buffer.collect(\.isPaused) == [partitions[0]: true, partitions[1]: false])
        buffer.remove([partitions[0]])
        _ = try place(buffer, partitions[0])
        #expect(buffer.collect(\.isPaused) == [partitions[0]: false, partitions[1]: false])
    }

    @Test("a wait ends when its time is up by the injected clock, and not before")
    func timeout() async throws {
        let clock = ManualClock()
        let buffer = FetchBuffer(timing: clock.timing)
        let taking = Task { try await buffer.take(timeout: .seconds(20)) }
        await clock.sleeper(for: .seconds(20))
        clock.advance(by: .seconds(19))
        #expect(clock.sleepers == [.seconds(1)])
        clock.advance(by: .seconds(1))
        guard case .nothing = try await taking.value else {
            Issue.record("something arrived")
            return
        }
        #expect(clock.sleepers.isEmpty)
    }

    @Test("a wait without any time ends at once")
    func noTime() async throws {
        #expect(try await isEmpty(FetchBuffer(timing: ManualClock().timing)))
    }

    @Test("the first failure is thrown after what was fetched before it, at each call")
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

    @Test("closing ends the wait, drops the queued parts and opens their gates")
    func finish() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        let gate = Signal()
        let waiting = Task { try await buffer.take(timeout: nil) }
        buffer.finish()
        guard case .finished = try await waiting.value else {
            Issue.record("the buffer isn't finished")
            return
        }
        buffer.append([part(slot, gate: gate)])
        buffer.finish()
        #expect(isOpen(gate))
        guard case .finished = try await buffer.take(timeout: .zero) else {
            Issue.record("the buffer isn't finished")
            return
        }
    }

    @Test("a reader that is cancelled stops waiting, and another one takes what arrives later")
    func cancellation() async throws {
        let buffer = FetchBuffer()
        let slot = try place(buffer)
        let waiting = Task { try await buffer.take(timeout: nil) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        buffer.append([part(slot, to: 5)])
        #expect(offset(try await buffer.take(timeout: nil)) == 5)
    }

    @Test("the consumer is caught up when everything of each partition that isn't paused was handed out")
    func progress() async throws {
        let buffer = FetchBuffer()
        let (zero, one) = try placeBoth(buffer)
        #expect(!buffer.isCaughtUp)
        buffer.resume(zero, at: FetchPosition(offset: 10))
        buffer.resume(one, at: FetchPosition(offset: 0))
        #expect(buffer.collect(\.delivered?.offset) == [partitions[0]: 10, partitions[1]: 0])
        buffer.update(zero) { $0.saw(highWatermark: 15, end: 12) }
        buffer.update(one) { $0.saw(highWatermark: 0, end: 0) }
        #expect(!buffer.isCaughtUp)
        #expect(handOut(buffer, zero, to: FetchPosition(offset: 12)) == .handedOut)
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

    @Test("the parts of several writers all arrive, those of each writer in order")
    func concurrent() async throws {
        let buffer = FetchBuffer()
        let partitions = (Int32(0)..<4).map { (TopicPartition("t", $0), ConsumerStart(.earliest)) }
        let slots = buffer.place(Dictionary(uniqueKeysWithValues: partitions))
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
