import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

/// Reports while the database is unreachable.
@Suite("Database", .timeLimit(.minutes(1)))
struct DatabaseTests {
    /// Nothing listens there.
    private static let nowhere = "postgresql://postgres@127.0.0.1:1/nowhere"

    @Test func waitsAreReportedAtGrowingIntervals() async throws {
        let clock = Lock(ContinuousClock.now)
        let start = clock.withLock { $0 }
        let stop = StopSignal()
        let lines = Lock<[(text: String, at: Duration)]>([])
        let timing = Timing(
            now: { clock.withLock { $0 } },
            sleep: { pause in
                let elapsed = clock.withLock { now in
                    now += pause
                    return now - start
                }
                if elapsed > .seconds(200) { stop.request() }
            }, random: { 0.5 })
        let log = Log(write: { text in
            let elapsed = clock.withLock { $0 } - start
            lines.withLock { $0.append((text, elapsed)) }
        })
        let waits = CurrentWaits()
        let database = Database(
            uri: Self.nowhere, applicationName: "test", timing: timing, stop: stop,
            observer: IngestObserver(log: log, waits: waits))
        await #expect(throws: Stopped.self) { try await database.retrying { _ in } }
        await database.close()
        let reported = lines.withLock { $0 }
        #expect((8...10).contains(reported.count), "\(reported)")
        #expect(
            reported.allSatisfy {
                $0.text.contains(" warning waiting for the database: ") && $0.text.contains("refused")
            })
        #expect(waits.all["database"]?.contains("refused") == true)
        #expect(reported.first?.at == .zero)
        let intervals = zip(reported, reported.dropFirst()).map { $1.at - $0.at }
        #expect(intervals.dropFirst(2).allSatisfy { $0 > .seconds(3) && $0 < .seconds(63) }, "\(intervals)")
    }
}
