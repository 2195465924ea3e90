import CommandLineSupport
import Concurrency
import KafkaWire
import Testing

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
        #expect(reasons.isNew("b:1 refused", of: "connect to b:1"), "the subject itself may repeat it")
        #expect(reasons.isNew("the topic t does not exist", of: "list the topics"))
        lines.advance(.seconds(61))
        #expect(reasons.isNew("no broker can be reached: b:1 refused", of: "list the topics"))
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
