import KafkaWire
import PGWire

/// Everything that one transaction writes: the rows of each table, the dead letters and the new offsets.
public final class CopyBatch: @unchecked Sendable {
    // @unchecked: a batch has one owner at a time. `BatchExchange` passes it from the mapper to the sink and back.

    /// The offsets of one partition before and after a batch.
    public struct Progress: Sendable, Equatable {
        /// The offset that must be stored in the database before the batch.
        var expected: Int64
        /// The offset after the batch.
        var next: Int64
        /// The leader epoch of the last record batch; -1 if unknown.
        var leaderEpoch: Int32
        /// The assignment of the partition under which its records were added. See ``PartitionLedger``.
        var assignment = 0
    }

    let plan: IngestPlan
    private(set) var content: BatchContent
    private(set) var progress: [TopicPartition: Progress] = [:]
    /// When the first record batch was added; nil if the batch is empty.
    private(set) var began: ContinuousClock.Instant?

    /// - Parameter capacity: The bytes to reserve for rows.
    /// - Throws: `RowPlanError` if the plan was not bound.
    init(_ plan: IngestPlan, capacity: Int = 0) throws(RowPlanError) {
        self.plan = plan
        content = try BatchContent(plan, capacity: capacity)
    }

    var recordCount: Int { content.recordCount }
    /// The bytes of the keys and values of all added records.
    var messageBytes: Int { content.messageBytes }
    /// The number of rows per target of the plan.
    var rowCounts: [Int] { plan.targets.indices.map { content.targets[$0].count } }
    var deadLetterCount: Int { content.deadLetters.rowCount }
    /// The number of rows per target that the server reported as copied; empty before the copy. It is less than
    /// ``rowCounts`` if a trigger suppressed rows.
    private(set) var copiedRows: [Int] = []
    /// The number of rows that triggers suppressed during the copy.
    private(set) var suppressedRows = 0
    var arrivals: [Arrival] { content.arrivals }
    /// The rejected records, by reason.
    var rejections: RejectionSummary { content.rejections }
    /// Runs of records in the order in which they were added. A run ends at a record batch with rejected records.
    var runs: [DeadLetterCounter.Run] { content.runs }
    /// The size of all rows and dead letters in bytes.
    var byteCount: Int { content.byteCount }
    var isEmpty: Bool { progress.isEmpty }

    /// Empties the batch for reuse and keeps its memory.
    func removeAll() {
        content.removeAll()
        progress = [:]
        began = nil
        if !copiedRows.isEmpty { copiedRows.removeAll(keepingCapacity: true) }
        suppressedRows = 0
    }

    // MARK: Adding records

    /// Adds a record batch and advances its partition.
    ///
    /// - Parameters:
    ///   - position: The partition's offset before the batch.
    ///   - assignment: The partition's assignment in the ledger. It must not change within a batch.
    /// - Throws: `KafkaError` if the batch can't be read. A record that can't become a row is a dead letter, not an
    ///   error.
    func append(
        _ batch: RecordBatch, position: Int64, assignment: Int = 0, now: ContinuousClock.Instant
    ) throws(KafkaError) {
        try content.append(batch, in: .min..<Int64.max)
        began = began ?? now
        advance(
            batch.place, from: position, to: batch.nextOffset, leaderEpoch: batch.leaderEpoch,
            assignment: assignment)
    }

    /// Removes everything of some partitions, including their offsets.
    func remove(_ partitions: Set<TopicPartition>) {
        guard !partitions.isDisjoint(with: progress.keys) else { return }
        content.remove(partitions)
        for partition in partitions { progress[partition] = nil }
    }

    /// Adds the records whose offsets are in their partition's range and records the origin of each row. Doesn't
    /// advance the partitions.
    func append(_ batches: [RecordBatch], in ranges: [TopicPartition: Range<Int64>]) throws(KafkaError) {
        content.prepareIsolation()
        for (index, batch) in batches.enumerated() {
            guard let range = ranges[batch.place] else { continue }
            try content.append(batch, in: range, originIndex: index)
        }
    }

    /// Adds dead letters for records whose rows the database refused.
    ///
    /// - Parameter reasons: The database's reason by record offset.
    func appendDeadLetters(_ batch: RecordBatch, _ reasons: [Int64: String]) throws(KafkaError) {
        try content.appendDeadLetters(batch, reasons)
    }

    /// Advances a partition.
    ///
    /// - Parameter position: The partition's offset before the batch; used only for the partition's first record
    ///   batch.
    func advance(
        _ partition: TopicPartition, from position: Int64, to next: Int64, leaderEpoch: Int32, assignment: Int = 0
    ) {
        let first = Progress(expected: position, next: next, leaderEpoch: -1, assignment: assignment)
        progress[partition, default: first].next = next
        progress[partition]?.leaderEpoch = leaderEpoch
    }

    // MARK: Sending

    /// One COPY of the batch.
    enum Copied: Sendable {
        case target(Int)
        case deadLetters
    }

    /// The COPYs that write the batch; nil if some rows need other statements.
    var copies: [Copied]? {
        var copies: [Copied] = []
        for index in plan.targets.indices where content.targets[index].count > 0 {
            guard content.targets[index].staging == nil, content.targets[index].server.isEmpty else { return nil }
            copies.append(.target(index))
        }
        if !content.deadLetters.isEmpty { copies.append(.deadLetters) }
        return copies
    }

    /// The table and columns of a COPY.
    func destination(of copied: Copied, deadLetters table: TableName) -> CopyTarget {
        switch copied {
        case .target(let index): CopyTarget(table: plan.targets[index].table, columns: plan.targets[index].columns)
        case .deadLetters: CopyTarget(table: table, columns: DeadLetter.columns)
        }
    }

    /// Writes the rows of a COPY.
    func write(_ copied: Copied, _ writer: inout CopyWriter) throws(PostgresError) {
        switch copied {
        case .target(let index): try writer.write(content.targets[index].rows)
        case .deadLetters: try writer.write(content.deadLetters)
        }
    }

    /// Stores the row counts that the server reported for these COPYs.
    func count(_ copies: [Copied], _ rows: [Int]) {
        copiedRows = Array(repeating: 0, count: plan.targets.count)
        suppressedRows = 0
        for (copied, rows) in zip(copies, rows) {
            guard case .target(let index) = copied else { continue }
            copiedRows[index] = rows
            suppressedRows += max(0, content.targets[index].count - rows)
        }
    }

    /// Counts all rows as copied if the connection was lost before the server reported its counts.
    func countAsCopied() {
        if copiedRows.isEmpty { copiedRows = rowCounts }
    }

    /// Copies all rows and dead letters into their tables.
    ///
    /// - Throws: `PostgresError`; `Sink.Refused` if a row may be the cause although the error isn't a data error.
    func copy(deadLetters table: TableName, _ session: inout PostgresSession) throws {
        copiedRows.removeAll(keepingCapacity: true)
        suppressedRows = 0
        for (index, target) in plan.targets.enumerated() {
            var copied = 0
            if content.targets[index].count == 0 {
                copiedRows.append(0)
                continue
            }
            if let staging = content.targets[index].staging {
                let outcome = try content.targets[index].write(staging, &session)
                copiedRows.append(outcome.rows)
                suppressedRows += outcome.suppressed
                continue
            }
            if !content.targets[index].rows.isEmpty {
                copied = try session.copy(
                    into: target.table, columns: target.columns, from: content.targets[index].rows)
            }
            if !content.targets[index].server.isEmpty {
                try session.execute(ServerRows.settings)
                copied += try content.targets[index].server.insert(in: &session)
                try session.execute(ServerRows.resetSettings)
            }
            copiedRows.append(copied)
            suppressedRows += max(0, content.targets[index].count - copied)
        }
        if !content.deadLetters.isEmpty {
            try session.copy(into: table, columns: DeadLetter.columns, from: content.deadLetters)
        }
    }

    /// Copies the rows of one target in parts, without the rows that the database refuses.
    func copyRows(
        of target: Int, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        let place = plan.targets[target]
        try isolation.copy(content.targets[target].rows, into: place.table, columns: place.columns, &session)
    }

    /// Does the same for the rows that the server parses itself. Run ``ServerRows/settings`` first.
    func insertServerRows(
        of target: Int, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        try isolation.insert(content.targets[target].server, &session)
    }

    /// Does the same for the dead letters.
    func copyDeadLetters(
        into table: TableName, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        try isolation.copy(content.deadLetters, into: table, columns: DeadLetter.columns, &session)
    }

    /// Writes the rows of one target through a temporary table, in parts. A record is dropped as a whole if the
    /// database refuses one of its rows.
    ///
    /// - Returns: The outcome; nil if the target's rows are not staged.
    func isolateStagedRows(
        of target: Int, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws -> StagedIsolation.Outcome? {
        guard let staging = content.targets[target].staging else { return nil }
        return try StagedIsolation(staging).run(content.targets[target], &isolation, &session)
    }

    /// The number of records added from the record batch at this index of the list.
    func recordCount(ofBatch index: Int) -> Int { content.recordsOfBatch[index] ?? 0 }

    /// The number of a target's rows that the server parses itself.
    func serverRowCount(of target: Int) -> Int { content.targets[target].server.count }

    /// The origin of each row of a target, in row order; empty if origins aren't recorded.
    func origins(of target: Int) -> [RecordOrigin] { content.targets[target].origins }
    /// The same for the rows that the server parses itself.
    func serverOrigins(of target: Int) -> [RecordOrigin] { content.targets[target].serverOrigins }
    /// The same for dead letters.
    var deadLetterOrigins: [RecordOrigin] { content.deadLetterOrigins }
}

extension RecordBatch {
    /// The batch's topic and partition.
    var place: TopicPartition { TopicPartition(topic: topic, partition: partition) }
}
