import Concurrency
import Testing

@testable import KafkaWire

@Suite("Where the application is, as a group sees it", .timeLimit(.minutes(1)))
struct FetchBufferPresenceTests {
    private let partition = TopicPartition("t")
    private let moment = ContinuousClock.now - .seconds(100)

    /// A buffer with one partition, and an application that waits in `next()`.
    private func waiting() throws -> (buffer: FetchBuffer, slot: FetchSlot, reader: BatchReader) {
        let buffer = FetchBuffer(redelivers: true)
        let slot = try #require(buffer.place([partition])[partition])
        buffer.began(slot, at: FetchPosition(offset: 0))
        var reader = buffer.makeReader()
        _ = try buffer.comeBack(&reader)
        #expect(buffer.absence(since: moment) == nil)
        return (buffer, slot, reader)
    }

    @Test("it is away from the moment at which it has a batch, and a group waits for it")
    func handedOut() async throws {
        var (buffer, slot, reader) = try waiting()
        let end = FetchPosition(offset: 3)
        #expect(buffer.handOut(slot, next: end, at: moment) == .handedOut)
        #expect(buffer.absence(since: .now) == moment)
        let pin = Task { [buffer] in
            let isPinned = await buffer.pin()
            return (isPinned, buffer.collect(\.processed))
        }
        try await eventually("no batch is handed out") { buffer.state.withLock { $0.isHeld } }
        _ = try buffer.comeBack(&reader)
        let (isPinned, processed) = await pin.value
        #expect(isPinned)
        #expect(processed == [partition: end])
    }

    @Test("it is away from the moment at which its time is up, or it is woken")
    func withoutBatch() async throws {
        for isWoken in [false, true] {
            let buffer = try waiting().buffer
            if isWoken { buffer.wakeUp() }
            guard case .nothing = try await buffer.take(timeout: isWoken ? nil : .zero, now: { moment }) else {
                Issue.record("something came")
                return
            }
            #expect(buffer.absence(since: .now) == moment)
        }
    }

    @Test("it doesn't leave while a group keeps it, though its time is up and it is woken")
    func pinned() async throws {
        let buffer = try waiting().buffer
        #expect(await buffer.pin())
        buffer.wakeUp()
        // What keeps it is looked at after the clock was read.
        let looks = Lock(0)
        let leaving = Task {
            _ = try await buffer.take(timeout: .zero) {
                looks.withLock { $0 += 1 }
                return moment
            }
        }
        for look in 1...3 {
            try await eventually("it looks whether it may leave") { looks.withLock { $0 } >= look }
            #expect(buffer.absence(since: .now) == nil)
            buffer.arrival.notify()
        }
        buffer.unpin()
        try await leaving.value
        #expect(buffer.absence(since: .now) == moment)
    }

    @Test("it is away from the moment at which the consumer fails or is closed")
    func ended() async throws {
        let failing = try waiting().buffer
        failing.fail(KafkaError(.saslAuthenticationFailed, "no"))
        await #expect(throws: KafkaError.self) { _ = try await failing.take(timeout: nil, now: { moment }) }
        #expect(failing.absence(since: .now) == moment)
        let closed = try waiting().buffer
        closed.finish()
        _ = try await closed.take(timeout: nil, now: { moment })
        #expect(closed.absence(since: .now) == moment)
    }

    @Test("a group waits for the handler of a partition's failure, during which no other task may ask for a batch")
    func handlingFailure() async throws {
        var (buffer, slot, reader) = try waiting()
        #expect(buffer.fail(slot, KafkaError(.corruptMessage, "no"), at: moment) == .handedOut)
        #expect(buffer.absence(since: .now) == moment)
        let error = #expect(throws: KafkaError.self) {
            var other = buffer.makeReader()
            _ = try buffer.comeBack(&other)
        }
        #expect(error?.code == .invalidRequest)
        let pin = Task { [buffer] in await buffer.pin() }
        try await eventually("no batch is handed out") { buffer.state.withLock { $0.isHeld } }
        #expect(!buffer.state.withLock { $0.isPinned })
        _ = try buffer.comeBack(&reader, handledFailure: true)
        #expect(buffer.absence(since: .now) == nil)
        #expect(await pin.value)
    }

    @Test("an error that ends one task's wait doesn't end another's")
    func twoReaders() throws {
        let (buffer, _, reader) = try waiting()
        buffer.goAway(buffer.makeReader(), at: moment)
        #expect(buffer.absence(since: .now) == nil)
        buffer.goAway(reader, at: moment)
        #expect(buffer.absence(since: .now) == moment)
    }
}
