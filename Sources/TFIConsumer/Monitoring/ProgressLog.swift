import CommandLineSupport
import IngestEngine

/// Logs a run's progress once per minute.
struct ProgressLog: Sendable {
    private static let interval = Duration.seconds(60)

    let monitor: RunMonitor
    /// The number of dead letters since the last call, and a text with the most frequent reasons.
    let takeRejections: @Sendable () -> (count: Int, reasons: String)
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// Logs until the task is cancelled.
    func run() async {
        var before = monitor.observer.metrics.snapshot
        while (try? await sleep(Self.interval)) != nil {
            let snapshot = monitor.observer.metrics.snapshot
            let rows = Self.rows(snapshot) - Self.rows(before)
            before = snapshot
            let rejected = takeRejections()
            let rate = Double(rows) / (Self.interval / .seconds(1))
            var log = monitor.observer.log
            if rejected.count > 0 { log = log.adding("reasons", .string(rejected.reasons)) }
            // Log dead letters even if there was no progress.
            let write = rejected.count > 0 ? log.warning : log.info
            write(
                "in the last minute",
                [
                    "rows": .integer(rows), "rows_per_second": .rounded(rate, decimals: 1),
                    "lag": monitor.lag.map { .integer(Int($0)) } ?? "unknown",
                    "oldest_seconds": monitor.oldestAge.map { .rounded($0, decimals: 1) } ?? 0,
                    "dead_letters": .integer(rejected.count),
                ])
        }
    }

    private static func rows(_ snapshot: IngestMetrics.Snapshot) -> Int {
        snapshot.rowsByTable.values.reduce(0, +)
    }
}
