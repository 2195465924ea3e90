import CommandLineSupport
import Concurrency
import Testing

@testable import KafkaWire
@testable import KafkaWireTool

@Suite("Warnings")
struct ClientWarningsTests {
    private let broker = BrokerAddress(host: "b", port: 1)

    private final class Lines: Sendable {
        private let lines = Lock<[String]>([])
        private let time = Lock(ContinuousClock.now)

        var all: [String] { lines.withLock { $0 } }
        func write(_ line: String) { lines.withLock { $0.append(line) } }
        func now() -> ContinuousClock.Instant { time.withLock { $0 } }
        func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    @Test func throttlingIsPrintedAtGrowingIntervals() {
        let lines = Lines()
        let warnings = ClientWarnings(now: lines.now, write: lines.write)
        for _ in 0..<70 {
            warnings.throttled(broker, for: .milliseconds(250))
            lines.advance(.milliseconds(100))
        }
        // At 0 s, 1 s and 3 s; the next is at 7 s.
        #expect(lines.all.count == 3)
        #expect(
            lines.all.first == "% broker b:1 throttles this client, which has exceeded a quota: a pause of 250ms")
    }

    @Test func aReasonIsPrintedForOneSubjectOnly() {
        let lines = Lines()
        let reasons = RecentReasons(now: lines.now)
        #expect(reasons.isNew("b:1 refused", of: "connect to b:1"))
        #expect(!reasons.isNew("no broker can be reached: b:1 refused", of: "list the topics"))
        #expect(!reasons.isNew("b:1 refused", of: "connect to b:1"))
        lines.advance(.seconds(1))
        #expect(reasons.isNew("b:1 refused", of: "connect to b:1"), "the subject itself may repeat it")
        #expect(reasons.isNew("b:1 is silent", of: "connect to b:1"))
        #expect(!reasons.isNew("no broker can be reached: b:1 refused", of: "list the topics"), "still known")
        #expect(reasons.isNew("the topic t does not exist", of: "list the topics"))
        lines.advance(.seconds(61))
        #expect(reasons.isNew("no broker can be reached: b:1 refused", of: "list the topics"))
    }

    @Test func aSubjectRepeatsAReasonAtGrowingIntervals() {
        let lines = Lines()
        let reasons = RecentReasons(now: lines.now)
        let printed = (0..<120).filter { _ in
            defer { lines.advance(.seconds(1)) }
            return reasons.isNew("b:1 refused", of: "commit offsets")
        }
        #expect(printed == [0, 1, 2, 4, 8, 16, 32, 62, 92])
    }

    @Test func everyLossOfABrokerIsPrinted() {
        let lines = Lines()
        let warnings = ClientWarnings(now: lines.now, write: lines.write)
        for _ in 0..<2 {
            warnings.availabilityChanged(.lost(broker, reason: "b:1 refused"))
            warnings.retrying(
                RetryEvent(
                    clientID: "c", operation: "connect to b:1", broker: broker,
                    error: KafkaError(.networkException, "b:1 refused"),
                    failures: 1, elapsed: .zero, pause: nil))
        }
        #expect(lines.all == Array(repeating: "% waiting for broker b:1: b:1 refused", count: 2))
    }

    @Test("the final error names each broker's last report, including attempts still in progress")
    func lastReport() {
        let warnings = ClientWarnings(write: { _ in })
        func report(_ error: KafkaError?) {
            warnings.retrying(
                RetryEvent(
                    clientID: "c", operation: "connect to b:1", broker: broker, error: error, failures: 1,
                    elapsed: .zero, pause: nil))
        }
        report(KafkaError(.networkException, "b:1 refuses connections"))
        report(KafkaError(.networkException, "b:1 is silent"))
        #expect(warnings.failures == "b:1 is silent")
        report(nil)
        #expect(warnings.failures.isEmpty)
    }

    @Test("a success is printed only after a failure of the same operation was printed")
    func success() {
        let lines = Lines()
        let warnings = ClientWarnings(now: lines.now, write: lines.write)
        func retry(_ operation: String, failsWith reason: String?) {
            warnings.retrying(
                RetryEvent(
                    clientID: "c", operation: operation, broker: nil,
                    error: reason.map { KafkaError(.networkException, $0) },
                    failures: 1, elapsed: .zero, pause: nil))
        }
        retry("connect to b:1", failsWith: "b:1 refused")
        retry("list the topics", failsWith: "no broker can be reached: b:1 refused")
        retry("list the topics", failsWith: nil)
        #expect(lines.all.count == 1, "the failure of the listing was not printed")
        retry("connect to b:1", failsWith: nil)
        #expect(lines.all.last == "% succeeded after 1 failed attempt: connect to b:1")
        retry("connect to b:1", failsWith: nil)
        #expect(lines.all.count == 2)
    }

    @Test func nothingIsPrintedOnceItIsMuted() {
        let lines = Lines()
        let warnings = ClientWarnings(now: lines.now, write: lines.write)
        warnings.silent("b:1", limit: .seconds(10))
        #expect(lines.all == ["% no broker has answered yet: waiting for b:1, for up to 10s"])
        warnings.silent("b:1", limit: .seconds(10))
        warnings.mute()
        warnings.availabilityChanged(.back(broker))
        #expect(lines.all.count == 1)
    }
}
