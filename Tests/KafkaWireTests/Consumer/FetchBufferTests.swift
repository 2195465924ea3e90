import Synchronization
import Testing

@testable import KafkaWire

@Suite("Between fetching and reading", .timeLimit(.minutes(1)))
struct FetchBufferTests {
    private func part(
        _ buffer: FetchBuffer, _ assignment: Int, slot: Int = 0, from first: Int64 = 0, to next: Int64 = 1,
        gate: Signal = Signal()
    ) -> FetchedPartition {
        FetchedPartition(
            partition: TopicPartition("t", Int32(slot)), slot: slot, firstOffset: first, nextOffset: next,
            records: ByteSlice([1]), assignment: assignment, gate: gate)
    }

    private func offset(_ taken: FetchBuffer.Taken) -> Int64? {
        if case .part(let part) = taken { part.firstOffset } else { nil }
    }

    private func isOpen(_ gate: Signal) async -> Bool {
        let started = ContinuousClock.now
        await gate.wait(until: started + .milliseconds(30))
        return .now - started < .milliseconds(30)
    }

    @Test("parts come in the order in which they arrived")
    func order() async throws {
        let buffer = FetchBuffer()
        let assignment = buffer.assign([TopicPartition("t", 0)])
        buffer.append([part(buffer, assignment, from: 1), part(buffer, assignment, from: 2)])
        buffer.append([part(buffer, assignment, from: 3)])
        for expected in Int64(1)...3 {
            #expect(offset(try await buffer.take(timeout: nil)) == expected)
        }
    }

    @Test("a gate opens when the answer's first part is taken, and not before")
    func gate() async throws {
        let buffer = FetchBuffer()
        let assignment = buffer.assign([TopicPartition("t", 0)])
        let gate = Signal()
        buffer.append([part(buffer, assignment, gate: gate)])
        #expect(await !isOpen(gate))
        _ = try await buffer.take(timeout: nil)
        #expect(await isOpen(gate))
    }

    @Test("another assignment drops what is there, opens its gates, and passes over what still comes for the old one")
    func assign() async throws {
        let buffer = FetchBuffer()
        let first = buffer.assign([TopicPartition("t", 0)])
        let gates = (0..<2).map { _ in Signal() }
        buffer.append([part(buffer, first, from: 1, gate: gates[0])])
        let second = buffer.assign([TopicPartition("t", 0)])
        #expect(await isOpen(gates[0]))
        buffer.append([part(buffer, first, from: 2, gate: gates[1])])
        #expect(await isOpen(gates[1]))
        #expect(!buffer.isCurrent(first))
        buffer.append([part(buffer, second, from: 3)])
        #expect(offset(try await buffer.take(timeout: nil)) == 3)
        buffer.delivered(slot: 0, nextOffset: 99, assignment: first)
        buffer.saw(highWatermark: 99, slot: 0, assignment: first)
        buffer.began(slot: 7, at: 99, assignment: first)
        #expect(buffer.positions == [:])
        #expect(buffer.highWatermarks == [:])
    }

    @Test("without a part in time there is none; with time for none it is told at once")
    func timeout() async throws {
        let buffer = FetchBuffer()
        _ = buffer.assign([TopicPartition("t", 0)])
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
        let assignment = buffer.assign([TopicPartition("t", 0)])
        buffer.append([part(buffer, assignment, from: 1)])
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
        let assignment = buffer.assign([TopicPartition("t", 0)])
        let gate = Signal()
        let waiting = Task { try await buffer.take(timeout: nil) }
        buffer.finish()
        guard case .finished = try await waiting.value else {
            Issue.record("it isn't finished")
            return
        }
        buffer.append([part(buffer, assignment, gate: gate)])
        buffer.finish()
        #expect(await isOpen(gate))
        guard case .finished = try await buffer.take(timeout: .zero) else {
            Issue.record("it isn't finished")
            return
        }
    }

    @Test("a reader that is cancelled stops waiting, and what comes later is another's")
    func cancellation() async throws {
        let buffer = FetchBuffer()
        let assignment = buffer.assign([TopicPartition("t", 0)])
        let waiting = Task { try await buffer.take(timeout: nil) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        buffer.append([part(buffer, assignment, from: 5)])
        #expect(offset(try await buffer.take(timeout: nil)) == 5)
    }

    @Test("positions are those of what was handed out; caught up is who has had everything")
    func progress() async throws {
        let buffer = FetchBuffer()
        let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
        let assignment = buffer.assign(partitions)
        #expect(!buffer.isCaughtUp)
        buffer.began(slot: 0, at: 10, assignment: assignment)
        buffer.began(slot: 1, at: 0, assignment: assignment)
        #expect(buffer.positions == [partitions[0]: 10, partitions[1]: 0])
        buffer.saw(highWatermark: 12, slot: 0, assignment: assignment)
        buffer.saw(highWatermark: 0, slot: 1, assignment: assignment)
        #expect(!buffer.isCaughtUp)
        buffer.delivered(slot: 0, nextOffset: 12, assignment: assignment)
        #expect(buffer.isCaughtUp)
        buffer.append([part(buffer, assignment)])
        #expect(!buffer.isCaughtUp)
        #expect(buffer.positions[partitions[0]] == 12)
        #expect(buffer.highWatermarks == [partitions[0]: 12, partitions[1]: 0])
    }

    @Test("parts of several writers all arrive, each writer's in order")
    func concurrent() async throws {
        let buffer = FetchBuffer()
        let assignment = buffer.assign((0..<4).map { TopicPartition("t", $0) })
        for slot in 0..<4 {
            Task {
                for offset in Int64(0)..<500 {
                    let gate = Signal()
                    buffer.append([part(buffer, assignment, slot: slot, from: offset, gate: gate)])
                    await gate.wait()
                }
            }
        }
        var next: [Int: Int64] = [:]
        for _ in 0..<2000 {
            guard case .part(let part) = try await buffer.take(timeout: .seconds(20)) else {
                Issue.record("a part is missing")
                return
            }
            #expect(part.firstOffset == next[part.slot, default: 0])
            next[part.slot] = part.firstOffset + 1
        }
    }
}
