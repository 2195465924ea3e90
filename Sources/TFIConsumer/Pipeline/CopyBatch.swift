import KafkaWire
import PGWire

/// What goes into the database in one transaction: rows for each table, dead letters, and how far they bring each
/// partition.
final class CopyBatch: @unchecked Sendable {
    // @unchecked: a batch has one owner at a time. `BatchExchange` hands it from the mapper to the sink and back.

    /// How far a batch brings one partition.
    struct Progress: Sendable, Equatable {
        /// The offset that the database has to have before the batch.
        var expected: Int64
        /// The offset after the batch.
        var next: Int64
        /// The leader epoch of the last record batch; -1 where it isn't known.
        var leaderEpoch: Int32
    }

    private var content: BatchContent
    private(set) var progress: [Int32: Progress] = [:]
    /// When its first record batch was taken in; nil where it is empty.
    private(set) var began: ContinuousClock.Instant?

    /// - Parameter capacity: The bytes of rows to make room for at once.
    init(capacity: Int = 0) {
        content = BatchContent(capacity: capacity)
    }

    var recordCount: Int { content.recordCount }
    /// The bytes of keys and values that were taken in.
    var messageBytes: Int { content.messageBytes }
    /// The rows of each table, in the order of `MessageSchema.all`.
    var rowCounts: [Int] { MessageSchema.all.indices.map { content.rows[$0].rowCount } }
    var deadLetterCount: Int { content.deadLetters.rowCount }
    /// How many rows of each table the server counted when the batch was copied. Fewer than there are if a trigger
    /// suppressed some; empty before.
    private(set) var copiedRows: [Int] = []
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
    }

    // MARK: Taking in

    /// Takes a record batch in, from its first record that isn't passed over.
    ///
    /// - Parameter position: The partition's offset before the batch.
    /// - Throws: `KafkaError` for a batch that can't be read. Nothing else is an error: what can't be a row is a dead
    ///   letter.
    func append(_ batch: RecordBatch, position: Int64, now: ContinuousClock.Instant) throws(KafkaError) {
        try content.append(batch, in: .min..<Int64.max)
        began = began ?? now
        advance(batch.partition, from: position, to: batch.nextOffset, leaderEpoch: batch.partitionLeaderEpoch)
    }

    /// Takes in those records of record batches whose offsets are in their partition's range, and remembers which record
    /// each row comes from. Doesn't move the partitions on.
    func append(_ batches: [RecordBatch], in ranges: [Int32: Range<Int64>]) throws(KafkaError) {
        for (index, batch) in batches.enumerated() {
            guard let range = ranges[batch.partition] else { continue }
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
    func advance(_ partition: Int32, from position: Int64, to next: Int64, leaderEpoch: Int32) {
        progress[partition, default: Progress(expected: position, next: next, leaderEpoch: -1)].next = next
        progress[partition]?.leaderEpoch = leaderEpoch
    }

    // MARK: Sending

    /// Copies all rows and dead letters into the tables of a schema.
    func copy(into schema: String, _ session: inout PostgresSession) throws(PostgresError) {
        copiedRows.removeAll(keepingCapacity: true)
        for (index, message) in MessageSchema.all.enumerated() {
            let copied =
                content.rows[index].isEmpty
                ? 0
                : try session.copy(
                    into: TableName(schema: schema, table: message.table), columns: message.fields.map(\.name),
                    from: content.rows[index])
            copiedRows.append(copied)
        }
        if !content.deadLetters.isEmpty {
            try session.copy(
                into: TableName(schema: schema, table: DeadLetter.table), columns: DeadLetter.columns,
                from: content.deadLetters)
        }
    }

    /// Copies the rows of one table in parts, without those that the database refuses.
    ///
    /// - Parameter table: Its place in `MessageSchema.all`.
    func copyRows(
        of table: Int, into schema: String, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        let message = MessageSchema.all[table]
        try isolation.copy(
            content.rows[table], into: TableName(schema: schema, table: message.table),
            columns: message.fields.map(\.name), &session)
    }

    /// The same for the dead letters.
    func copyDeadLetters(
        into schema: String, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws {
        try isolation.copy(
            content.deadLetters, into: TableName(schema: schema, table: DeadLetter.table), columns: DeadLetter.columns,
            &session)
    }

    /// For each row of a table, in its order, the record that it was made of; empty if that was not remembered.
    func origins(of table: Int) -> [RecordOrigin] { content.origins[table] }
    /// The same for dead letters.
    var deadLetterOrigins: [RecordOrigin] { content.deadLetterOrigins }
}

/// Which record a row was made of.
struct RecordOrigin: Sendable, Equatable {
    /// The place of its record batch in a list.
    var batch: Int
    var offset: Int64
}

/// A batch's rows and what makes them.
///
/// One value, so that a record batch is taken in under a single check for exclusive access: checks for each record
/// and each buffer of a class were a tenth of the program's time.
private struct BatchContent: ~Copyable {
    private var mapper = RowMapper()
    /// A buffer for each table, in the order of `MessageSchema.all`.
    private(set) var rows: InlineArray<2, CopyBuffer>
    private(set) var deadLetters = CopyBuffer()
    private(set) var recordCount = 0
    private(set) var messageBytes = 0
    private(set) var rejections = RejectionSummary()
    private(set) var runs: [DeadLetterCounter.Run] = []
    // Filled only if a batch is made again to find the rows that the database refuses.
    private(set) var origins: [[RecordOrigin]] = MessageSchema.all.map { _ in [] }
    private(set) var deadLetterOrigins: [RecordOrigin] = []

    init(capacity: Int) {
        // The first table has nearly all of the rows.
        rows = InlineArray { CopyBuffer(minimumCapacity: $0 == 0 ? capacity : 0) }
    }

    var byteCount: Int { rows[0].byteCount + rows[1].byteCount + deadLetters.byteCount }

    mutating func removeAll() {
        for index in rows.indices { rows[index].removeAll() }
        deadLetters.removeAll()
        recordCount = 0
        messageBytes = 0
        rejections.removeAll()
        if !runs.isEmpty { runs.removeAll(keepingCapacity: true) }
        for index in origins.indices where !origins[index].isEmpty { origins[index].removeAll() }
        if !deadLetterOrigins.isEmpty { deadLetterOrigins.removeAll() }
    }

    /// Takes a record batch in. If it can't be read to its end, nothing of it is taken in.
    mutating func append(_ batch: borrowing RecordBatch, in range: Range<Int64>) throws(KafkaError) {
        let marks = (rows[0].mark(), rows[1].mark(), deadLetters.mark())
        let before = (records: recordCount, deadLetters: deadLetters.rowCount, messageBytes: messageBytes)
        do throws(KafkaError) {
            try appendRecords(batch, in: range)
        } catch {
            rows[0].rollback(to: marks.0)
            rows[1].rollback(to: marks.1)
            deadLetters.rollback(to: marks.2)
            recordCount = before.records
            messageBytes = before.messageBytes
            throw error
        }
        endRun(since: (before.records, before.deadLetters))
    }

    private mutating func appendRecords(
        _ batch: borrowing RecordBatch, in range: Range<Int64>
    ) throws(KafkaError) {
        var records = batch.records
        while let record = try records.next() {
            guard range.contains(record.offset) else { continue }
            recordCount &+= 1
            messageBytes &+= (record.key?.byteCount ?? 0) &+ (record.value?.byteCount ?? 0)
            do throws(Rejection) {
                let table = try mapper.table(forKey: record.key)
                try mapper.append(record.value, table: table, to: &rows[table])
            } catch {
                addDeadLetter(record, of: batch, reason: error.reason)
            }
        }
    }

    /// The same, and remembers for each row and dead letter which record it comes from.
    ///
    /// - Parameter index: The record batch's place in a list.
    mutating func append(
        _ batch: borrowing RecordBatch, in range: Range<Int64>, notedAs index: Int
    ) throws(KafkaError) {
        let before = (recordCount, deadLetters.rowCount)
        var records = batch.records
        while let record = try records.next() {
            guard range.contains(record.offset) else { continue }
            recordCount += 1
            messageBytes += (record.key?.byteCount ?? 0) + (record.value?.byteCount ?? 0)
            let origin = RecordOrigin(batch: index, offset: record.offset)
            do throws(Rejection) {
                let table = try mapper.table(forKey: record.key)
                try mapper.append(record.value, table: table, to: &rows[table])
                origins[table].append(origin)
            } catch {
                addDeadLetter(record, of: batch, reason: error.reason)
                deadLetterOrigins.append(origin)
            }
        }
        endRun(since: before)
    }

    mutating func appendDeadLetters(
        _ batch: borrowing RecordBatch, _ reasons: [Int64: String]
    ) throws(KafkaError) {
        var records = batch.records
        while let record = try records.next() {
            guard let reason = reasons[record.offset] else { continue }
            addDeadLetter(record, of: batch, reason: reason)
        }
    }

    /// Adds the records of one record batch to the runs. Good ones join those before.
    private mutating func endRun(since before: (records: Int, deadLetters: Int)) {
        let run = DeadLetterCounter.Run(
            records: recordCount - before.records, rejected: deadLetters.rowCount - before.deadLetters)
        if run.rejected == 0, let last = runs.last, last.rejected == 0 {
            runs[runs.count - 1].records += run.records
        } else {
            runs.append(run)
        }
    }

    @inline(never)
    private mutating func addDeadLetter(
        _ record: borrowing Record, of batch: borrowing RecordBatch, reason: String
    ) {
        let letter = DeadLetter(record, topic: batch.topic, partition: batch.partition, reason: reason)
        letter.append(to: &deadLetters, key: record.key, value: record.value)
        rejections.add(reason, partition: batch.partition, offset: record.offset)
    }
}
