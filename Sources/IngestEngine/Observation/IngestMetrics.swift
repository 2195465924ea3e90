import Concurrency
import Foundation
import KafkaWire

/// Counters of a run that never decrease. Unlike ``IngestTotals``, they don't subtract commits that the database loses
/// in a crash.
public final class IngestMetrics: Sendable {
    public struct Snapshot: Sendable {
        public fileprivate(set) var records = 0
        public fileprivate(set) var rowsByTable: [String: Int] = [:]
        public fileprivate(set) var deadLettersByReason: [String: Int] = [:]
        public fileprivate(set) var suppressedRows = 0
        /// The bytes of keys and values.
        public fileprivate(set) var messageBytes = 0
        /// The number of records per transaction.
        public fileprivate(set) var batchRecords = Histogram(
            bounds: [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000])
        /// The duration of each transaction in seconds, from the batch's hand-over to its commit.
        public fileprivate(set) var commitSeconds = Histogram(bounds: times)
        /// The time from a record's timestamp to its commit, in seconds. All records of a record batch count with its
        /// newest timestamp.
        public fileprivate(set) var latencySeconds = Histogram(bounds: times + [30, 60, 300, 3_600])
        public fileprivate(set) var databaseConnections = 0
        /// The largest committed timestamp in milliseconds since 1970; nil before the first commit.
        public fileprivate(set) var newestTimestamp: Int64?

        private static let times = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    }

    private struct State {
        var snapshot = Snapshot()
        var rejections = RejectionSummary()
    }

    private let state = Lock(State())
    private let wallTime: @Sendable () -> Int64

    /// - Parameter wallTime: Returns the time in milliseconds since 1970.
    public init(wallTime: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1_000) }) {
        self.wallTime = wallTime
    }

    public var snapshot: Snapshot {
        state.withLock { state in
            var snapshot = state.snapshot
            snapshot.deadLettersByReason = state.rejections.entries.mapValues(\.count)
            return snapshot
        }
    }

    /// Adds the tables with a count of 0, so that each has a count before its first row.
    func begin(tables: [String]) {
        state.withLock { state in for table in tables { state.snapshot.rowsByTable[table, default: 0] += 0 } }
    }

    /// Counts a transaction after its commit.
    func committed(_ batch: IngestTotals.Batch, _ rejections: RejectionSummary, took duration: Duration) {
        state.withLock { state in
            state.snapshot.records += batch.records
            state.snapshot.messageBytes += batch.messageBytes
            state.snapshot.suppressedRows += batch.suppressed
            for (table, count) in zip(batch.tables, batch.rows) {
                state.snapshot.rowsByTable[table, default: 0] += count
            }
            state.snapshot.batchRecords.observe(Double(batch.records))
            state.snapshot.commitSeconds.observe(duration / .seconds(1))
            state.rejections.add(rejections)
        }
    }

    /// Counts a batch's arrivals once all its records are committed, perhaps by several transactions.
    func committed(_ arrivals: [Arrival]) {
        let now = wallTime()
        state.withLock { state in
            for arrival in arrivals where arrival.timestamp >= 0 {
                // The producer's clock may be ahead.
                let age = Double(max(0, now.subtractingSaturated(arrival.timestamp))) / 1_000
                state.snapshot.latencySeconds.observe(age, times: arrival.records)
                state.snapshot.newestTimestamp = max(state.snapshot.newestTimestamp ?? 0, arrival.timestamp)
            }
        }
    }

    func connectedToDatabase() { state.withLock { $0.snapshot.databaseConnections += 1 } }
}
