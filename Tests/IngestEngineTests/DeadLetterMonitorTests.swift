import CommandLineSupport
import Concurrency
import Foundation
import KafkaWire
import Testing

@testable import IngestEngine

@Suite("Reports of dead letters", .timeLimit(.minutes(1)))
struct DeadLetterMonitorTests {
    private static func letters(_ reasons: [String]) -> RejectionSummary {
        var summary = RejectionSummary()
        for (offset, reason) in reasons.enumerated() {
            summary.add(reason, topic: "t", partition: 0, offset: Int64(offset))
        }
        return summary
    }

    private final class Lines: Sendable {
        private let state = Lock<[String]>([])
        func append(_ line: String) { state.withLock { $0.append(line) } }
        func removeAll() { state.withLock { $0 = [] } }
        var all: [String] { state.withLock { $0 } }
    }

    private let lines = Lines()

    private func monitor() -> DeadLetterMonitor {
        DeadLetterMonitor(
            log: Log(
                now: { Date(timeIntervalSince1970: 0) },
                write: { [lines] in lines.append($0) }))
    }

    /// The logged messages without time and level.
    private var messages: [String] {
        lines.all.map { $0.replacing("1970-01-01T00:00:00.000Z warning ", with: "") }
    }

    @Test func theFirstOfEachKindIsReportedAtOnce() {
        let monitor = monitor()
        monitor.committed(Self.letters(["no key 1", "no key 2"]), counter: monitor.counter())
        monitor.committed(Self.letters(["no key 3", "not JSON"]), counter: monitor.counter())
        #expect(
            messages == [
                "dead letter: partition 0, offset 0 of topic t: no key 1",
                "dead letter: partition 0, offset 1 of topic t: not JSON",
            ])
    }

    @Test func eachReportTakesTheCountOnce() {
        let monitor = monitor()
        monitor.committed(
            Self.letters(["no key", "no key", "not JSON"]), counter: monitor.counter(), suppressed: 5)
        lines.removeAll()
        let taken = monitor.take()
        #expect(taken.count == 3)
        #expect(taken.reasons == "2 × no key; 1 × not JSON")
        #expect(
            messages == [
                "rows that the database suppressed since the last report: 5; a trigger or rule of the table drops them"
            ])
        #expect(monitor.take() == (0, ""))
        monitor.committed(Self.letters(["a", "b", "c", "d", "d"]), counter: monitor.counter())
        lines.removeAll()
        monitor.report()
        #expect(messages == ["dead letters since the last report: 5 (2 × d; 1 × a; 1 × b; and 1 other reasons)"])
        monitor.report()
        #expect(messages.count == 1)
    }
}
