import CommandLineSupport
import Concurrency
import KafkaWire

/// Counts the dead letters of a run, logs them, and compares them with the limit.
///
/// The first dead letter of each kind is logged at once. The others are counted for a periodic log line.
final class DeadLetterMonitor: Sendable {
    /// The most kinds that are logged at once, since messages can cause any number of kinds.
    private static let maximumKinds = 200
    /// The most kinds that a log line names.
    private static let shownKinds = 3

    private struct State {
        /// One per worker, since each worker has its own consecutive records.
        var counters: [Int: DeadLetterCounter] = [:]
        /// The kinds whose first dead letter was logged.
        var known: Set<String> = []
        /// Dead letters committed since the last report.
        var unreported = RejectionSummary()
        var suppressed = 0
        var hasReportedSuppression = false
    }

    private let state: Lock<State>
    private let limit: DeadLetterLimit
    private let log: Log

    init(
        limit: DeadLetterLimit = DeadLetterLimit(), log: Log
    ) {
        state = Lock(State())
        self.limit = limit
        self.log = log
    }

    /// A worker's counter, with the other workers' rejections.
    func counter(of worker: Int = 0) -> DeadLetterCounter {
        state.withLock { state in
            var counter = state.counters[worker] ?? DeadLetterCounter(limit: limit)
            counter.rejectedElsewhere = state.counters.reduce(0) { $0 + ($1.key == worker ? 0 : $1.value.total) }
            return counter
        }
    }

    /// Records a committed batch.
    ///
    /// - Parameters:
    ///   - counter: ``counter(of:)`` before the batch, plus the batch's records.
    ///   - worker: The worker that committed it.
    ///   - suppressed: The number of rows that triggers suppressed.
    func committed(
        _ rejections: RejectionSummary, counter: DeadLetterCounter, of worker: Int = 0, suppressed: Int = 0
    ) {
        var lines: [String] = []
        state.withLock { state in
            state.counters[worker] = counter
            for (kind, entry) in rejections.entries.sorted(by: { $0.key < $1.key }) {
                if state.known.count < Self.maximumKinds, state.known.insert(kind).inserted {
                    lines.append("dead letter: \(entry.example)")
                }
            }
            // Includes those logged at once, so that a minute's count equals the number of new dead letters in the
            // table.
            state.unreported.add(rejections)
            guard suppressed > 0 else { return }
            state.suppressed += suppressed
            if !state.hasReportedSuppression {
                state.hasReportedSuppression = true
                lines.append(Self.suppression(suppressed, ""))
            }
        }
        for line in lines { log.warning(line) }
    }

    /// Takes the unreported dead letters: their number and most frequent reasons. Logs the rows suppressed meanwhile.
    func take() -> (count: Int, reasons: String) {
        let (rejections, suppressed) = state.withLock { state in
            defer {
                state.unreported.removeAll()
                state.suppressed = 0
            }
            return (state.unreported.entries, state.suppressed)
        }
        if suppressed > 0 { log.warning(Self.suppression(suppressed, " since the last report")) }
        let total = rejections.values.reduce(0) { $0 + $1.count }
        let kinds = rejections.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let shown = kinds.prefix(Self.shownKinds).map { "\($0.value.count) × \($0.key)" }
        let more = kinds.count > Self.shownKinds ? "; and \(kinds.count - Self.shownKinds) other reasons" : ""
        return (total, shown.joined(separator: "; ") + more)
    }

    /// Logs the unreported dead letters at the end of a run.
    func report() {
        let (count, reasons) = take()
        if count > 0 { log.warning("dead letters since the last report: \(count) (\(reasons))") }
    }

    private static func suppression(_ count: Int, _ period: String) -> String {
        "rows that the database suppressed\(period): \(count); a trigger or rule of the table drops them"
    }
}
