import Concurrency
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

    @Test func theFirstOfEachKindIsReportedAtOnce() {
        let lines = Lock<[String]>([])
        let monitor = DeadLetterMonitor { line in lines.withLock { $0.append(line) } }
        monitor.committed(Self.letters(["no key 1", "no key 2"]), counter: monitor.counter())
        monitor.committed(Self.letters(["no key 3", "not JSON"]), counter: monitor.counter())
        #expect(
            lines.withLock { $0 } == [
                "dead letter: partition 0, offset 0 of topic t: no key 1",
                "dead letter: partition 0, offset 1 of topic t: not JSON",
            ])
    }

    @Test func theirNumberIsReportedEveryMinute() async {
        let lines = Lock<[String]>([])
        let (sleeps, sleep) = AsyncStream<Duration>.makeStream()
        let (wakes, wake) = AsyncStream<Void>.makeStream()
        let timing = Timing(sleep: { pause in
            sleep.yield(pause)
            for await _ in wakes { return }
            throw CancellationError()
        })
        let monitor = DeadLetterMonitor(timing: timing) { line in lines.withLock { $0.append(line) } }
        monitor.committed(
            Self.letters(["no key", "no key", "not JSON"]), counter: monitor.counter(), suppressed: 5)
        let reports = Task { await monitor.reportEveryMinute() }
        var sleepsMade = sleeps.makeAsyncIterator()
        #expect(await sleepsMade.next() == .seconds(60))
        lines.withLock { $0 = [] }
        wake.yield()
        #expect(await sleepsMade.next() == .seconds(60))
        #expect(
            lines.withLock { $0 } == [
                "rows that the database left out in the last minute: 5; a trigger or rule of the table suppresses them",
                "dead letters in the last minute: 3 (2 × no key; 1 × not JSON)",
            ])
        // Nothing is reported of a minute without dead letters.
        wake.yield()
        #expect(await sleepsMade.next() == .seconds(60))
        #expect(lines.withLock { $0.count } == 2)
        wake.finish()
        await reports.value
    }
}
