import CommandLineSupport
import Concurrency
import KafkaWire

/// Watches the dead letters of a run: logs them, and compares them with the limit.
///
/// The first dead letter of each kind is logged at once; the others are counted, for a line from time to time.
final class DeadLetterMonitor: Sendable {
    /// How many kinds are logged at once. A message can bring any number of them.
    private static let mostKinds = 200
    /// How many kinds a line names.
    private static let shownKinds = 3

    private struct State {
        /// One for each worker of the run, since each has its own consecutive records.
        var counters: [Int: DeadLetterCounter] = [:]
        /// The kinds whose first dead letter was logged.
        var known: Set<String> = []
        /// What was committed since the last report, without what was logged at once.
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

    /// The records that a worker has committed so far, and how many were rejected in the whole run.
    func counter(of worker: Int = 0) -> DeadLetterCounter {
        state.withLock { state in
            var counter = state.counters[worker] ?? DeadLetterCounter(limit: limit)
            counter.rejectedElsewhere = state.counters.reduce(0) { $0 + ($1.key == worker ? 0 : $1.value.total) }
            return counter
        }
    }

    /// Call after a batch was committed.
    ///
    /// - Parameters:
    ///   - counter: ``counter(of:)`` as it was before the batch, with the batch's records.
    ///   - worker: Which worker has committed it.
    ///   - suppressed: How many rows the database left out, as a trigger can.
    func committed(
        _ rejections: RejectionSummary, counter: DeadLetterCounter, of worker: Int = 0, suppressed: Int = 0
    ) {
        var lines: [String] = []
        state.withLock { state in
            state.counters[worker] = counter
            for (kind, entry) in rejections.entries.sorted(by: { $0.key < $1.key }) {
                if state.known.count < Self.mostKinds, state.known.insert(kind).inserted {
                    lines.append("dead letter: \(entry.example)")
                }
            }
            // All of them, so that a minute's count is the number of rows in the table.
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

    /// What was not taken yet of dead letters: how many there are, and the most frequent kinds. Rows that the database has
    /// left out meanwhile are logged.
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

    /// Logs what was not taken yet, at the end of a run.
    func report() {
        let (count, reasons) = take()
        if count > 0 { log.warning("dead letters since the last report: \(count) (\(reasons))") }
    }

    private static func suppression(_ count: Int, _ period: String) -> String {
        "rows that the database left out\(period): \(count); a trigger or rule of the table suppresses them"
    }
}
