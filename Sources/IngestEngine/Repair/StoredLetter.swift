import Foundation
import KafkaWire
import PGWire

/// A dead letter as its table has it.
package struct StoredLetter: Sendable {
    package let id: Int64
    package let topic: String
    package let partition: Int32
    package let offset: Int64
    /// In milliseconds since 1970; nil where the record had none.
    package let timestamp: Int64?
    package let key: [UInt8]?
    package let value: [UInt8]?
    /// As JSON; nil without any.
    package let headers: String?
    package let reason: String
    /// As the server writes it.
    package let receivedAt: String
    package let retries: Int
    /// What became of it, by whom and when; nil while it is open.
    package let resolution: String?

    /// What a query has to select, in this order.
    static let columns = """
        id, topic, "partition", "offset", (extract(epoch FROM "timestamp") * 1000)::bigint, encode(key, 'base64'), \
        encode(value, 'base64'), headers::text, reason, date_trunc('second', received_at)::text, retries, \
        CASE WHEN resolved_at IS NOT NULL THEN concat_ws(' ', resolution, 'by', resolved_by, \
        date_trunc('second', resolved_at)) END
        """

    init(_ row: PostgresRow) throws(PostgresError) {
        func bytes(_ column: Int) throws(PostgresError) -> [UInt8]? {
            let text: String? = try row.decodeIfPresent(column)
            // The server breaks base64 into lines.
            return text.flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) }.map { Array($0) }
        }
        id = try row.decode(0)
        topic = try row.decode(1)
        partition = try row.decode(2)
        offset = try row.decode(3)
        timestamp = try row.decodeIfPresent(4)
        key = try bytes(5)
        value = try bytes(6)
        headers = try row.decodeIfPresent(7)
        reason = try row.decode(8)
        receivedAt = try row.decode(9)
        retries = Int(try row.decode(10, as: Int32.self))
        resolution = try row.decodeIfPresent(11)
    }

    /// The record that the letter was made of, as a batch of its own.
    ///
    /// - Throws: `KafkaError` for one that is larger than a batch of Kafka's can be; `Failure` for headers that aren't those
    ///   of a letter.
    func recordBatch() throws -> RecordBatch {
        let pool = BufferPool(limit: 0)
        var builder = RecordBatchBuilder(pool: pool)
        try builder.append(
            key: key, value: value, headers: try DeadLetter.headers(from: headers), timestamp: timestamp ?? -1)
        var encoded = try builder.finish()
        var reader = RecordBatchReader(
            topic: topic, partition: partition, records: encoded.stamp(offset: offset), from: offset, checksCRC: false,
            maximumInflatedBytes: .max, pool: pool)
        guard let batch = try reader.next() else {
            throw KafkaError(.corruptMessage, "the letter can't be made a record again", isRetriable: false)
        }
        return batch
    }
}
