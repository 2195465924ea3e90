import Concurrency
import Testing

@testable import KafkaWire

@Suite("Where the application is, as a group sees it", .timeLimit(.minutes(1)))
struct FetchBufferPresenceTests {
    private let partition = TopicPartition("t")
    private let moment = ContinuousClock.now - .seconds(100)

    /// A buffer with one partition, and an application that waits in `next()`.
    private func waiting(
        now: (@Sendable () -> ContinuousClock.Instant)? = nil
    ) throws -> (buffer: FetchBuffer, slot: FetchSlot, reader: BatchReader) {
        let moment = moment
        let buffer = FetchBuffer(redelivers: true, timing: Timing(now: now ?? { moment }))
        let slot = try #require(buffer.place([partition: ConsumerStart(.offset(0))])[partition])
        var reader = buffer.makeReader()
        _ = try buffer.beginNext(&reader)
        #expect(absence(buffer) == nil)
        return (buffer, slot, reader)
    }

    private func absence(_ buffer: FetchBuffer) -> ContinuousClock.Instant? {
        buffer.absence(since: .now, at: .now)
    }

    private func part(_ slot: FetchSlot) -> FetchedPartition {
        FetchedPartition(slot: slot, next: FetchPosition(offset: 3), gate: Signal())
    }

    @Test("the application is away as soon as it has a batch, and a group waits for it")
    func handedOut() async throws {
        var (buffer, slot, reader) = try waiting()
        let end = FetchPosition(offset: 3)
        #expect(buffer.handOut(part(slot), before: part(slot), end: end) == .handedOut)
        #expect(absence(buffer) == moment)
        let quiescence = Task { [buffer] in
            let isQuiescent = await buffer.quiesce()
            return (isQuiescent, buffer.collect(\.processed))
        }
        try await eventually("no batch is handed out") { buffer.state.withLock { $0.isHeld } }
        _ = try buffer.beginNext(&reader)
        let (isQuiescent, processed) = await quiescence.value
        #expect(isQuiescent)
        #expect(processed == [partition: end])
    }

    @Test("the application is away as soon as its time is up, or it is woken")
    func withoutBatch() async throws {
        for isWoken in [false, true] {
            let buffer = try waiting().buffer
            if isWoken { buffer.wakeUp() }
            guard case .nothing = try await buffer.take(timeout: isWoken ? nil : .zero) else {
                Issue.record("a part was taken")
                return
            }
            #expect(absence(buffer) == moment)
        }
    }

    @Test("the application stays while a group keeps it, although its time is up and it is woken")
    func quiescent() async throws {
        // Each reading of the clock is followed by a check whether the group keeps the application.
        let looks = Lock(0)
        let moment = moment
        let buffer = try waiting(now: {
            looks.withLock { $0 += 1 }
            return moment
        }).buffer
        #expect(await buffer.quiesce())
        buffer.wakeUp()
        let leaving = Task { _ = try await buffer.take(timeout: .zero) }
        for look in 2...4 {
            try await eventually("it checks whether it may leave") { looks.withLock { $0 } >= look }
            #expect(absence(buffer) == nil)
            buffer.arrival.notify()
        }
        buffer.permitTimeouts()
        try await leaving.value
        #expect(absence(buffer) == moment)
    }

    @Test("the application is away as soon as the consumer fails or is closed")
    func ended() async throws {
        let failing = try waiting().buffer
        failing.fail(KafkaError(.saslAuthenticationFailed, "no"))
        await #expect(throws: KafkaError.self) { _ = try await failing.take(timeout: nil) }
        #expect(absence(failing) == moment)
        let closed = try waiting().buffer
        closed.finish()
        _ = try await closed.take(timeout: nil)
        #expect(absence(closed) == moment)
    }

    @Test("a group waits for the handler of a partition's failure, during which no other task may ask for a batch")
    func handlingFailure() async throws {
        var (buffer, slot, reader) = try waiting()
        #expect(buffer.handOutFailure(of: part(slot), KafkaError(.corruptMessage, "no")) != nil)
        #expect(absence(buffer) == moment)
        let error = #expect(throws: KafkaError.self) {
            var other = buffer.makeReader()
            _ = try buffer.beginNext(&other)
        }
        #expect(error?.code == .invalidRequest)
        let quiescence = Task { [buffer] in await buffer.quiesce() }
        try await eventually("no batch is handed out") { buffer.state.withLock { $0.isHeld } }
        #expect(!buffer.state.withLock { $0.isQuiescent })
        _ = try buffer.beginNext(&reader, handledFailure: true)
        #expect(absence(buffer) == nil)
        #expect(await quiescence.value)
    }

    @Test("an error that ends one task's wait does not end another's")
    func twoReaders() throws {
        let (buffer, _, reader) = try waiting()
        buffer.endNext(buffer.makeReader())
        #expect(absence(buffer) == nil)
        buffer.endNext(reader)
        #expect(absence(buffer) == moment)
    }
}
