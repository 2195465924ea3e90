import CommandLineSupport
import IngestEngine

/// The line that a run logs every minute.
struct ProgressLog: Sendable {
    private static let interval = Duration.seconds(60)

    let monitor: RunMonitor
    let ingest: Ingest
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// Logs until the task is cancelled.
    func run() async {
        var before = monitor.observer.metrics.snapshot
        while (try? await sleep(Self.interval)) != nil {
            let snapshot = monitor.observer.metrics.snapshot
            let rows = Self.rows(snapshot) - Self.rows(before)
            before = snapshot
            let rejected = ingest.takeRejections()
            let rate = Double(rows) / (Self.interval / .seconds(1))
            let log = monitor.observer.log
            // Dead letters are worth a line even where progress isn't.
            let write = rejected.count > 0 ? log.warning : log.info
            write(
                "in the last minute",
                [
                    "rows": .integer(rows), "rows_per_second": .rounded(rate, decimals: 1),
                    "lag": monitor.lag.map { .integer(Int($0)) } ?? "unknown",
                    "oldest_seconds": monitor.oldestAge.map { .rounded($0, decimals: 1) } ?? 0,
                    "dead_letters": .integer(rejected.count), "reasons": .string(rejected.reasons),
                ])
        }
    }

    private static func rows(_ snapshot: IngestMetrics.Snapshot) -> Int {
        snapshot.rowsByTable.values.reduce(0, +)
    }
}
