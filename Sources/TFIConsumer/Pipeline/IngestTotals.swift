import Concurrency
import KafkaWire

/// What has been committed so far, for the line on the terminal and the summary at the end.
final class IngestTotals: Sendable {
    struct Snapshot: Sendable {
        var records = 0
        var rowsByTable: [String: Int] = [:]
        var deadLetters = 0
        /// Of keys and values.
        var messageBytes = 0
        var batches = 0
        var lastBatchTime = Duration.zero
        /// For each partition the offset that the database has.
        var committed: [Int32: Int64] = [:]

        var rows: Int { rowsByTable.values.reduce(0, +) }
    }

    private let state = Lock(Snapshot())

    var snapshot: Snapshot { state.withLock { $0 } }

    func begin(_ committed: [Int32: Int64]) {
        state.withLock { $0.committed = committed }
    }

    func add(_ batch: CopyBatch, took duration: Duration) {
        state.withLock { totals in
            totals.records += batch.recordCount
            totals.messageBytes += batch.messageBytes
            totals.deadLetters += batch.deadLetterCount
            totals.batches += 1
            totals.lastBatchTime = duration
            for (schema, count) in zip(MessageSchema.all, batch.rowCounts) {
                totals.rowsByTable[schema.table, default: 0] += count
            }
            for (partition, progress) in batch.progress { totals.committed[partition] = progress.next }
        }
    }
}
