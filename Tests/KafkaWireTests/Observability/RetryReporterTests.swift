import Concurrency
import Testing

@testable import KafkaWire

@Suite("When retries are reported")
struct RetryReporterTests {
    private let start = ContinuousClock.now
    private let error = KafkaError(.coordinatorNotAvailable, "no coordinator")

    /// Reports a failure every 100 ms for this time.
    ///
    /// - Returns: The times of the reports in tenths of a second, and the events.
    private func reports(
        during seconds: Int, _ body: (inout RetryReporter, Int, ClientObserver?) -> Void
    ) -> (times: [Int], events: [RetryEvent]) {
        let events = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in events.withLock { $0.append(event) } }
        let observer = ClientObserver(clientID: "c", hooks: hooks)
        var reporter = RetryReporter("do it")
        var times: [Int] = []
        for tenth in 0..<seconds * 10 {
            let before = events.withLock { $0.count }
            body(&reporter, tenth, observer)
            if events.withLock({ $0.count }) > before { times.append(tenth) }
        }
        return (times, events.withLock { $0 })
    }

    private func time(_ tenth: Int) -> ContinuousClock.Instant { start + .milliseconds(100 * tenth) }

    @Test("The first failure is reported at once, later ones at intervals that double from 1 s to 1 min")
    func growing() {
        let (times, events) = reports(during: 300) { reporter, tenth, observer in
            reporter.failed(error, at: time(tenth), retryingAfter: .milliseconds(100), observer: observer)
        }
        #expect(times == [0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430])
        for (event, tenth) in zip(events, times) {
            #expect(event.failures == tenth + 1)
            #expect(event.elapsed == time(tenth) - start)
            #expect(event.operation == "do it")
            #expect(event.clientID == "c")
            #expect(event.error == error)
        }
    }

    @Test("A new error is reported at once, a known one at the next interval")
    func anotherError() {
        let other = KafkaError(.networkException, "hung up")
        let (times, events) = reports(during: 5) { reporter, tenth, observer in
            let error = tenth % 10 < 3 ? error : other
            reporter.failed(error, at: time(tenth), retryingAfter: nil, observer: observer)
        }
        #expect(times == [0, 3, 23])
        let codes = events.compactMap { $0.error?.code }
        #expect(codes == [ErrorCode.coordinatorNotAvailable, .networkException, .networkException])
    }

    @Test("A long attempt is reported like a failure, from its beginning")
    func waiting() {
        let (times, events) = reports(during: 10) { reporter, tenth, observer in
            reporter.waits(error, at: time(tenth), since: start - .seconds(2), observer: observer)
        }
        #expect(times == [0, 10, 30, 70])
        for (event, tenth) in zip(events, times) { #expect(event.elapsed == time(tenth + 20) - start) }
    }

    @Test("A success is reported once, and resets the intervals")
    func success() {
        let (times, events) = reports(during: 10) { reporter, tenth, observer in
            if tenth == 40 || tenth == 41 {
                reporter.succeeded(at: time(tenth), observer: observer)
            } else {
                reporter.failed(error, at: time(tenth), retryingAfter: nil, observer: observer)
            }
        }
        #expect(times == [0, 10, 30, 40, 42, 52, 72])
        let ends = events.filter { $0.error == nil }
        #expect(ends.count == 1)
        #expect(ends.first?.elapsed == Duration.seconds(4))
    }
}
