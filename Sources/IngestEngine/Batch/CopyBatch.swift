import KafkaWire
import PGWire

/// What goes into the database in one transaction: rows for each table, dead letters, and how far they bring each
/// partition.
public final class CopyBatch: @unchecked Sendable {
    // @unchecked: a batch has one owner at a time. `BatchExchange` hands it from the mapper to the sink and back.

    /// How far a batch brings one partition.
    public struct Progress: Sendable, Equatable {
        /// The offset that the database has to have before the batch.
        var expected: Int64
        /// The offset after the batch.
        var next: Int64
        /// The leader epoch of the last record batch; -1 where it isn't known.
        var leaderEpoch: Int32
        /// The assignment of the partition in which its records were taken in. See ``PartitionLedger``.
        var assignment = 0
    }

    let plan: IngestPlan
    private(set) var content: BatchContent
    private(set) var progress: [TopicPartition: Progress] = [:]
    /// When its first record batch was taken in; nil where it is empty.
    private(set) var began: ContinuousClock.Instant?

    /// - Parameter capacity: The bytes of rows to make room for at once.
    /// - Throws: `RowPlanError` for a plan that was not bound.
    init(_ plan: IngestPlan, capacity: Int = 0) throws(RowPlanError) {
        self.plan = plan
        content = try BatchContent(plan, capacity: capacity)
    }

    var recordCount: Int { content.recordCount }
    /// The bytes of keys and values that were taken in.
    var messageBytes: Int { content.messageBytes }
    /// The rows of each of the plan's targets.
    var rowCounts: [Int] { plan.targets.indices.map { content.targets[$0].count } }
    var deadLetterCount: Int { content.deadLetters.rowCount }
    /// How many rows of each target the server counted when the batch was copied. Fewer than there are if a trigger
    /// suppressed some; empty before.
    private(set) var copiedRows: [Int] = []
    /// How many rows the database left out then, as a trigger can.
    private(set) var suppressedRows = 0
    var arrivals: [Arrival] { content.arrivals }
    /// Why records were rejected.
    var rejections: RejectionSummary { content.rejections }
    /// The records in the order in which they were taken in. A run ends at a record batch with rejected records.
    var runs: [DeadLetterCounter.Run] { content.runs }
    /// The bytes of all rows and dead letters.
    var byteCount: Int { content.byteCount }
    var isEmpty: Bool { progress.isEmpty }

    /// Makes it ready to be filled again; its memory stays.
    func removeAll() {
        content.removeAll()
        progress = [:]
        began = nil
        if !copiedRows.isEmpty { copiedRows.removeAll(keepingCapacity: true) }
        suppressedRows = 0
    }

    // MARK: Taking in

    /// Takes a record batch in, from its first record that isn't passed over.
    ///
    /// - Parameters:
    ///   - position: The partition's offset before the batch.
    ///   - assignment: The partition's assignment in the ledger. It must not change within a batch.
    /// - Throws: `KafkaError` for a batch that can't be read. Nothing else is an error: what can't be a row is a dead
    ///   letter.
    func append(
        _ batch: RecordBatch, position: Int64, assignment: Int = 0, now: ContinuousClock.Instant
    ) throws(KafkaError) {
        try content.append(batch, in: .min..<Int64.max)
        began = began ?? now
        advance(
            batch.place, from: position, to: batch.nextOffset, leaderEpoch: batch.leaderEpoch,
            assignment: assignment)
    }

    /// Takes out everything of some partitions, so that the batch no longer moves them.
    func remove(_ partitions: Set<TopicPartition>) {
        guard !partitions.isDisjoint(with: progress.keys) else { return }
        content.remove(partitions)
        for partition in partitions { progress[partition] = nil }
    }

    /// Takes in those records of record batches whose offsets are in their partition's range, and remembers which record
    /// each row comes from. Doesn't move the partitions on.
    func append(_ batches: [RecordBatch], in ranges: [TopicPartition: Range<Int64>]) throws(KafkaError) {
        content.prepareIsolation()
        for (index, batch) in batches.enumerated() {
            guard let range = ranges[batch.place] else { continue }
            try content.append(batch, in: range, notedAs: index)
        }
    }

    /// Makes dead letters of those records of a record batch that a row was made of and refused.
    ///
    /// - Parameter reasons: The records' offsets, and why the database refused them.
    func appendDeadLetters(_ batch: RecordBatch, _ reasons: [Int64: String]) throws(KafkaError) {
        try content.appendDeadLetters(batch, reasons)
    }

    /// Moves a partition on.
    ///
    /// - Parameter position: The partition's offset before the batch, where this is the first of it.
    func advance(
        _ partition: TopicPartition, from position: Int64, to next: Int64, leaderEpoch: Int32, assignment: Int = 0
    ) {
        let first = Progress(expected: position, next: next, leaderEpoch: -1, assignment: assignment)
        progress[partition, default: first].next = next
        progress[partition]?.leaderEpoch = leaderEpoch
    }

    // MARK: Sending

    /// What one COPY of the batch sends.
    enum Copied: Sendable {
        case target(Int)
        case deadLetters
    }

    /// The COPYs that the batch consists of; nil if it has rows that need other statements.
    var copies: [Copied]? {
        var copies: [Copied] = []
        for index in plan.targets.indices where content.targets[index].count > 0 {
            guard content.targets[index].staging == nil, content.targets[index].server.isEmpty else { return nil }
            copies.append(.target(index))
        }
        if !content.deadLetters.isEmpty { copies.append(.deadLetters) }
        return copies
    }

    /// Where a COPY's rows go.
    func destination(of copied: Copied, deadLetters table: TableName) -> CopyTarget {
        switch copied {
        case .target(let index): CopyTarget(table: plan.targets[index].table, columns: plan.targets[index].columns)
        case .deadLetters: CopyTarget(table: table, columns: DeadLetter.columns)
        }
    }

    /// Sends a COPY's rows.
    func write(_ copied: Copied, _ writer: inout CopyWriter) throws(PostgresError) {
        switch copied {
        case .target(let index): try writer.write(content.targets[index].rows)
        case .deadLetters: try writer.write(content.deadLetters)
        }
    }

    /// Takes what the server counted for these COPYs.
    func count(_ copies: [Copied], _ rows: [Int]) {
        copiedRows = Array(repeating: 0, count: plan.targets.count)
        suppressedRows = 0
        for (copied, rows) in zip(copies, rows) {
            guard case .target(let index) = copied else { continue }
            copiedRows[index] = rows
            suppressedRows += max(0, content.targets[index].count - rows)
        }
    }

    /// Takes all rows for copied, after a connection was lost before the server could tell how many it has counted.
    func countAsCopied() {
        if copiedRows.isEmpty { copiedRows = rowCounts }
    }

    /// Copies all rows and dead letters into their tables.
    ///
    /// - Throws: `PostgresError`; `Sink.Refused` if a row may be to blame although the error's kind is another one.
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

    /// Copies the rows of one target in parts, without those that the database refuses.
    func copyRows(
        of target: Int, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        let place = plan.targets[target]
        try isolation.copy(content.targets[target].rows, into: place.table, columns: place.columns, &session)
    }

    /// The same for the rows that the database reads itself. Run ``ServerRows/settings`` before.
    func insertServerRows(
        of target: Int, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        try isolation.insert(content.targets[target].server, &session)
    }

    /// The same for the dead letters.
    func copyDeadLetters(
        into table: TableName, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        try isolation.copy(content.deadLetters, into: table, columns: DeadLetter.columns, &session)
    }

    /// Brings the rows of one target into their table by way of a temporary one, in parts, without the records of which
    /// the database refuses a row.
    ///
    /// - Returns: Nil for a target whose rows are not staged.
    func isolateStagedRows(
        of target: Int, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws -> StagedIsolation.Outcome? {
        guard let staging = content.targets[target].staging else { return nil }
        return try StagedIsolation(staging).run(content.targets[target], &isolation, &session)
    }

    /// How many records were taken in of the record batch at a place in the list.
    func recordCount(ofBatch index: Int) -> Int { content.recordsOfBatch[index] ?? 0 }

    /// How many rows of a target the database reads itself.
    func serverRowCount(of target: Int) -> Int { content.targets[target].server.count }

    /// For each row of a target, in its order, the record that it was made of; empty if that was not remembered.
    func origins(of target: Int) -> [RecordOrigin] { content.targets[target].origins }
    /// The same for the rows that the database reads itself.
    func serverOrigins(of target: Int) -> [RecordOrigin] { content.targets[target].serverOrigins }
    /// The same for dead letters.
    var deadLetterOrigins: [RecordOrigin] { content.deadLetterOrigins }
}

extension RecordBatch {
    /// The partition that the batch is from.
    var place: TopicPartition { TopicPartition(topic: topic, partition: partition) }
}
