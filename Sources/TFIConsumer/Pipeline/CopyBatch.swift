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
    /// The bytes of all rows and dead letters.
    var byteCount: Int { content.byteCount }
    var isEmpty: Bool { progress.isEmpty }

    /// Makes it ready to be filled again; its memory stays.
    func removeAll() {
        content.removeAll()
        progress = [:]
        began = nil
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

    /// Takes in those records of a record batch whose offsets are in a range, without moving the partition on.
    ///
    /// - Parameter reason: Nil for rows; where it is given, every record becomes a dead letter for this reason.
    func append(_ batch: RecordBatch, in range: Range<Int64>, refusedFor reason: String? = nil) throws(KafkaError) {
        if let reason {
            try content.appendDeadLetters(batch, in: range, reason: reason)
        } else {
            try content.append(batch, in: range)
        }
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
        for (index, message) in MessageSchema.all.enumerated() where !content.rows[index].isEmpty {
            try session.copy(
                into: TableName(schema: schema, table: message.table), columns: message.fields.map(\.name),
                from: content.rows[index])
        }
        if !content.deadLetters.isEmpty {
            try session.copy(
                into: TableName(schema: schema, table: DeadLetter.table), columns: DeadLetter.columns,
                from: content.deadLetters)
        }
    }
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
    }

    mutating func append(_ batch: borrowing RecordBatch, in range: Range<Int64>) throws(KafkaError) {
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

    mutating func appendDeadLetters(
        _ batch: borrowing RecordBatch, in range: Range<Int64>, reason: String
    ) throws(KafkaError) {
        var records = batch.records
        while let record = try records.next() {
            guard range.contains(record.offset) else { continue }
            recordCount += 1
            messageBytes += (record.key?.byteCount ?? 0) + (record.value?.byteCount ?? 0)
            addDeadLetter(record, of: batch, reason: reason)
        }
    }

    @inline(never)
    private mutating func addDeadLetter(
        _ record: borrowing Record, of batch: borrowing RecordBatch, reason: String
    ) {
        let letter = DeadLetter(record, topic: batch.topic, partition: batch.partition, reason: reason)
        letter.append(to: &deadLetters, key: record.key, value: record.value)
    }
}
