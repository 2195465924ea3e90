import Concurrency
import KafkaWire

/// The totals of a run's commits, for the progress line and the final summary.
public final class IngestTotals: Sendable {
    public struct Snapshot: Sendable {
        public var records = 0
        /// The names of the tables in the order of the plan.
        public var tables: [String] = []
        public var rowsByTable: [String: Int] = [:]
        public var deadLetters = 0
        /// The number of rows that triggers suppressed.
        public var suppressed = 0
        /// The bytes of keys and values.
        public var messageBytes = 0
        public var batches = 0
        public var lastBatchTime = Duration.zero

        public init() {}

        /// The number of rows written to all tables.
        public var rows: Int { rowsByTable.values.reduce(0, +) }
    }

    /// The figures of a committed batch.
    struct Batch: Sendable {
        var records: Int
        var messageBytes: Int
        /// The table label of each of the plan's targets.
        var tables: [String]
        /// The number of rows written per target.
        var rows: [Int]
        var deadLetters: Int
        var suppressed: Int
        var progress: [TopicPartition: CopyBatch.Progress]
    }

    private struct State {
        var totals = Snapshot()
        /// The last commits, which a server crash can undo.
        var recent: [(batch: Batch, at: ContinuousClock.Instant)] = []
    }

    /// A server crash undoes the commits of up to three times `wal_writer_delay`, which is at most 10 s.
    private static let period = Duration.seconds(60)
    private static let maximumRecent = 4096

    private let state = Lock(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    public init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    public var snapshot: Snapshot { state.withLock { $0.totals } }

    /// Adds tables whose rows will be counted.
    func begin(tables: [String]) {
        state.withLock { state in
            for table in tables where !state.totals.tables.contains(table) { state.totals.tables.append(table) }
        }
    }

    /// Subtracts the commits that the database has lost, according to the offsets just read from it.
    func reread(_ offsets: [TopicPartition: Int64]) {
        state.withLock { state in
            state.recent.removeAll { entry in
                guard entry.batch.isLost(offsets) else { return false }
                state.totals.add(entry.batch, sign: -1)
                return true
            }
        }
    }

    func add(_ batch: Batch, took duration: Duration) {
        let now = now()
        state.withLock { state in
            state.totals.add(batch, sign: 1)
            state.totals.lastBatchTime = duration
            state.recent.append((batch, now))
            // Done rarely, since it moves all remaining entries.
            guard let first = state.recent.first,
                now - first.at > Self.period * 2 || state.recent.count > 2 * Self.maximumRecent
            else { return }
            let kept = state.recent.suffix(Self.maximumRecent).drop { now - $0.at > Self.period }
            state.recent = Array(kept)
        }
    }
}

extension IngestTotals.Batch {
    init(_ batch: CopyBatch) {
        self.init(
            records: batch.recordCount, messageBytes: batch.messageBytes, tables: batch.plan.labels,
            rows: batch.copiedRows, deadLetters: batch.deadLetterCount,
            suppressed: batch.suppressedRows, progress: batch.progress)
    }

    /// Whether the database has lost the batch, according to its current offsets. A transaction is either stored as a
    /// whole or not at all.
    fileprivate func isLost(_ offsets: [TopicPartition: Int64]) -> Bool {
        progress.contains { partition, move in
            move.expected < move.next && offsets[partition].map { $0 < move.next } ?? false
        }
    }
}

extension IngestTotals.Snapshot {
    fileprivate mutating func add(_ batch: IngestTotals.Batch, sign: Int) {
        records += sign * batch.records
        messageBytes += sign * batch.messageBytes
        deadLetters += sign * batch.deadLetters
        suppressed += sign * batch.suppressed
        batches += sign
        for (table, count) in zip(batch.tables, batch.rows) { rowsByTable[table, default: 0] += sign * count }
    }
}
