import Foundation
import KafkaWire
import PGWire

/// A dead letter as its table has it.
public struct StoredLetter: Sendable {
    public let id: Int64
    public let topic: String
    public let partition: Int32
    public let offset: Int64
    /// In milliseconds since 1970; nil where the record had none.
    public let timestamp: Int64?
    public let key: [UInt8]?
    public let value: [UInt8]?
    /// As JSON; nil without any.
    public let headers: String?
    public let reason: String
    /// As the server writes it.
    public let receivedAt: String
    public let retries: Int
    /// What became of it, by whom and when; nil while it is open.
    public let resolution: String?

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
        try RecordBatch(
            topic: topic, partition: partition, offset: offset,
            timestamp: timestamp.map { KafkaTimestamp(millisecondsSince1970: $0) } ?? .unknown, key: key, value: value,
            headers: try DeadLetter.headers(from: headers))
    }
}
