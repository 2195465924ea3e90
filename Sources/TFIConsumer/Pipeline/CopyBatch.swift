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

    /// One table's rows. A class, since an array can't hold a buffer that can't be copied.
    final class Rows {
        let schema: MessageSchema
        var buffer: CopyBuffer

        init(_ schema: MessageSchema, capacity: Int) {
            self.schema = schema
            buffer = CopyBuffer(minimumCapacity: capacity)
        }
    }

    let tables: [Rows]
    var deadLetters = CopyBuffer()
    private var mapper: RowMapper
    private(set) var progress: [Int32: Progress] = [:]
    private(set) var recordCount = 0
    /// The bytes of keys and values that were taken in.
    private(set) var messageBytes = 0
    /// When its first record batch was taken in; nil where it is empty.
    private(set) var began: ContinuousClock.Instant?

    /// - Parameter capacity: The bytes of rows to make room for at once.
    init(schemas: [MessageSchema] = MessageSchema.all, capacity: Int = 0) {
        mapper = RowMapper(schemas: schemas)
        tables = schemas.enumerated().map { index, schema in Rows(schema, capacity: index == 0 ? capacity : 0) }
    }

    /// The bytes of all rows and dead letters.
    var byteCount: Int { tables.reduce(deadLetters.byteCount) { $0 + $1.buffer.byteCount } }

    var isEmpty: Bool { progress.isEmpty }

    /// Makes it ready to be filled again; its memory stays.
    func removeAll() {
        for table in tables { table.buffer.removeAll() }
        deadLetters.removeAll()
        progress = [:]
        recordCount = 0
        messageBytes = 0
        began = nil
    }

    // MARK: Taking in

    /// Takes a record batch in, from its first record that isn't passed over.
    ///
    /// - Parameters:
    ///   - position: The partition's offset before the batch.
    ///   - end: Records from this offset on are left out; nil for all.
    /// - Throws: `KafkaError` for a batch that can't be read. Nothing else is an error: what can't be a row is a dead
    ///   letter.
    func append(
        _ batch: RecordBatch, position: Int64, before end: Int64? = nil, now: ContinuousClock.Instant
    ) throws(KafkaError) {
        var records = batch.records
        while let record = try records.next() {
            if let end, record.offset >= end { break }
            append(record, of: batch)
        }
        let next = min(batch.nextOffset, end ?? .max)
        began = began ?? now
        progress[batch.partition, default: Progress(expected: position, next: next, leaderEpoch: -1)].next = next
        progress[batch.partition]?.leaderEpoch = batch.partitionLeaderEpoch
    }

    @inline(__always)
    private func append(_ record: borrowing Record, of batch: borrowing RecordBatch) {
        recordCount &+= 1
        messageBytes &+= (record.key?.byteCount ?? 0) &+ (record.value?.byteCount ?? 0)
        do throws(Rejection) {
            let table = try mapper.table(forKey: record.key)
            try mapper.append(record.value, table: table, to: &tables[table].buffer)
        } catch {
            let letter = DeadLetter(record, topic: batch.topic, partition: batch.partition, reason: error.reason)
            letter.append(to: &deadLetters, key: record.key, value: record.value)
        }
    }

    /// Takes in one record as a dead letter, whatever is in it; for one that the database refused.
    func appendDeadLetter(_ record: borrowing Record, of batch: borrowing RecordBatch, reason: String) {
        recordCount += 1
        messageBytes += (record.key?.byteCount ?? 0) + (record.value?.byteCount ?? 0)
        let letter = DeadLetter(record, topic: batch.topic, partition: batch.partition, reason: reason)
        letter.append(to: &deadLetters, key: record.key, value: record.value)
    }

    /// Moves a partition on without a row.
    func advance(_ partition: Int32, from position: Int64, to next: Int64, leaderEpoch: Int32) {
        progress[partition, default: Progress(expected: position, next: next, leaderEpoch: -1)].next = next
        progress[partition]?.leaderEpoch = leaderEpoch
    }
}
