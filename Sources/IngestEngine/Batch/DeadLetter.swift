import CommandLineSupport
import Foundation
import KafkaWire
import PGWire

/// A message that can't become a row, with its origin in Kafka and the reason.
public struct DeadLetter {
    public static let table = "dead_letter"
    public static let columns = [
        "topic", "partition", "offset", "timestamp", "key", "value", "headers", "reason", "group_name",
    ]

    private let topic: String
    private let partition: Int32
    private let offset: Int64
    private let timestamp: Int64
    /// The headers as JSON; nil if the record has none.
    private let headers: String?
    private let reason: String
    /// The consumer group that read it; nil if unknown.
    private let group: String?

    init(_ record: borrowing Record, topic: String, partition: Int32, reason: String, group: String? = nil) {
        self.topic = topic
        self.partition = partition
        offset = record.offset
        timestamp = record.timestamp.millisecondsSince1970
        headers = Self.json(record.headers)
        self.reason = Self.storable(reason)
        self.group = group
    }

    func append(to rows: inout CopyBuffer, key: RawSpan?, value: RawSpan?) {
        rows.beginRow(columns: Self.columns.count)
        rows.append(text: topic)
        rows.append(int4: partition)
        rows.append(int8: offset)
        if timestamp >= 0, let time = PostgresTime.microseconds(millisecondsSinceUnixEpoch: timestamp) {
            rows.append(timestamptz: time)
        } else {
            rows.appendNull()
        }
        if let key { rows.append(bytea: key) } else { rows.appendNull() }
        if let value { rows.append(bytea: value) } else { rows.appendNull() }
        if let headers { rows.append(jsonb: headers) } else { rows.appendNull() }
        rows.append(text: reason)
        if let group { rows.append(text: group) } else { rows.appendNull() }
    }

    /// The headers as `[{"name": …, "value": …}]`, in order, since a name can occur more than once. A value that
    /// Postgres can't store as text is in `base64` instead.
    private static func json(_ headers: RecordHeaders) -> String? {
        var entries: [[String: Any]] = []
        var iterator = headers.makeIterator()
        while let header = iterator.next() {
            var entry: [String: Any] = ["name": storable(String(repairingUTF8: header.name))]
            switch header.value {
            case nil: entry["value"] = NSNull()
            case let value? where PostgresText.isStorable(value): entry["value"] = String(repairingUTF8: value)
            case let value?: entry["base64"] = Data([UInt8](value)).base64EncodedString()
            }
            entries.append(entry)
        }
        guard !entries.isEmpty, let data = try? JSONSerialization.data(withJSONObject: entries, options: .sortedKeys)
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// Parses the headers from the JSON made by ``json(_:)``.
    ///
    /// - Throws: `Failure` if the text has another form.
    static func headers(from json: String?) throws(Failure) -> [RecordHeader] {
        guard let json else { return [] }
        guard let entries = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]] else {
            throw Failure("the headers are not in the form that this program stores", status: .badData)
        }
        return entries.map { entry in
            let name = entry["name"] as? String ?? ""
            if let text = entry["value"] as? String { return RecordHeader(name, text) }
            return RecordHeader(
                name, (entry["base64"] as? String).flatMap { Data(base64Encoded: $0) }.map { Array($0) })
        }
    }

    /// Replaces each NUL, which Postgres can't store, by U+FFFD.
    ///
    /// Works scalar by scalar: a search for the character NUL misses one that is followed by a combining mark.
    static func storable(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{fffd}" : $0 }))
    }
}
