import Foundation
import KafkaWire
import PGWire

/// A dead letter as stored in the database.
public struct StoredLetter: Sendable {
    public let id: Int64
    public let topic: String
    public let partition: Int32
    public let offset: Int64
    /// The record's timestamp in milliseconds since 1970; nil if it had none.
    public let timestamp: Int64?
    public let key: [UInt8]?
    public let value: [UInt8]?
    /// The headers as JSON; nil if there were none.
    public let headers: String?
    public let reason: String
    /// When it was received, in the server's text format.
    public let receivedAt: String
    public let retries: Int
    /// How, by whom and when it was resolved; nil while it is open.
    public let resolution: String?

    /// The SELECT list for ``init(_:)``.
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

    /// The original record as a record batch.
    ///
    /// - Throws: `KafkaError` if it is larger than a record batch can be; `Failure` if the headers have another form.
    func recordBatch() throws -> RecordBatch {
        try RecordBatch(
            topic: topic, partition: partition, offset: offset,
            timestamp: timestamp.map { KafkaTimestamp(millisecondsSince1970: $0) } ?? .unknown, key: key, value: value,
            headers: try DeadLetter.headers(from: headers))
    }
}
