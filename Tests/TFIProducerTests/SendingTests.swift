import Concurrency
import Testing

@testable import TFIProducer

/// A clock that advances only when a task sleeps, and records the sleeps.
private final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (first: Instant, second: Instant) -> Bool { first.offset < second.offset }
    }

    private let time = Lock(Instant())

    var now: Instant { time.withLock { $0 } }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
    }

    func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}

/// Records when each message came. It can refuse messages, and delay some.
private final class NotingSink: MessageSink {
    struct Note: Equatable {
        var unit: Int32
        var time: Duration
    }

    private struct Broken: Error {}
    private let clock: ManualClock
    private let notes = Lock<[Note]>([])
    private let refusals: Lock<Int>
    private let delayAfter: [Int: Duration]
    private let cancelAfter: Int?

    init(clock: ManualClock, refusals: Int = 0, delayAfter: [Int: Duration] = [:], cancelAfter: Int? = nil) {
        self.clock = clock
        self.refusals = Lock(refusals)
        self.delayAfter = delayAfter
        self.cancelAfter = cancelAfter
    }

    var taken: [Note] { notes.withLock { $0 } }

    func offer(_ message: PlantMessage, value: Span<UInt8>) throws -> Bool {
        let isFull = refusals.withLock { refusals in
            refusals -= 1
            return refusals >= 0
        }
        if isFull { return false }
        let count = notes.withLock { notes in
            notes.append(Note(unit: message.unit, time: clock.now.offset))
            return notes.count
        }
        if let delay = delayAfter[count] { clock.advance(delay) }
        // The task is used only within the closure.
        if count == cancelAfter { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
        return true
    }

    func waitForRoom() async throws { try Task.checkCancellation() }
}

@Suite struct SendingTests {
    private func sender(_ count: Int, interval: Duration?, sink: NotingSink, clock: ManualClock)
        -> PlantSender<PlantGenerator, NotingSink, ManualClock>
    {
        PlantSender(
            source: PlantGenerator(count: count, seed: 1), encoder: MessageEncoder(), sink: sink, interval: interval,
            clock: clock, progress: SendingProgress())
    }

    @Test func sendsOneMessagePerInterval() async throws {
        let clock = ManualClock()
        let sink = NotingSink(clock: clock)
        var sender = sender(5, interval: .milliseconds(50), sink: sink, clock: clock)
        try await sender.run()
        #expect(sink.taken.map(\.time) == [0, 50, 100, 150, 200].map { .milliseconds($0) })
        #expect(sender.progress.records == 5)
    }

    @Test func catchesUpAfterADelay() async throws {
        let clock = ManualClock()
        let sink = NotingSink(clock: clock, delayAfter: [2: .milliseconds(130)])
        var sender = sender(6, interval: .milliseconds(50), sink: sink, clock: clock)
        try await sender.run()
        #expect(sink.taken.map(\.time) == [0, 50, 180, 180, 200, 250].map { .milliseconds($0) })
    }

    @Test func catchesUpAtMostOneSecond() async throws {
        let clock = ManualClock()
        let sink = NotingSink(clock: clock, delayAfter: [1: .seconds(3600)])
        var sender = sender(40, interval: .milliseconds(100), sink: sink, clock: clock)
        try await sender.run()
        let times = sink.taken.map(\.time)
        // The messages that were due in the last second, and the one that is due now.
        #expect(times.count { $0 == .seconds(3600) } == 11)
        #expect(times.suffix(28).elementsEqual((1...28).map { .seconds(3600) + .milliseconds(100 * $0) }))
    }

    @Test func doesNotSleepWithoutAnInterval() async throws {
        let clock = ManualClock()
        let sink = NotingSink(clock: clock, refusals: 3)
        var sender = sender(1000, interval: nil, sink: sink, clock: clock)
        try await sender.run()
        #expect(sink.taken.count == 1000)
        #expect(sink.taken.allSatisfy { $0.time == .zero })
    }

    @Test(arguments: [Duration.milliseconds(1), nil])
    func sendsNothingAfterCancellation(interval: Duration?) async throws {
        let clock = ManualClock()
        let sink = NotingSink(clock: clock, cancelAfter: 10)
        let sender = sender(100_000, interval: interval, sink: sink, clock: clock)
        let task = Task {
            var sender = sender
            try await sender.run()
        }
        try await task.value
        #expect(interval == nil ? sink.taken.count <= 256 : sink.taken.count == 10)
        #expect(sender.progress.records == sink.taken.count)
    }

    @Test func progressCountsByKind() async throws {
        let clock = ManualClock()
        var sender = sender(2000, interval: nil, sink: NotingSink(clock: clock), clock: clock)
        try await sender.run()
        #expect(sender.progress.passages + sender.progress.concerns == 2000)
        #expect(sender.progress.concerns > 0)
        #expect((200_000...350_000).contains(sender.progress.bytes))
    }
}
