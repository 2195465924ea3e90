import CommandLineSupport
import KafkaWire

/// Writes a record as a JSON object with kcat's members: `topic`, `partition`, `offset`, `tstype`, `ts`, `broker`,
/// `headers` (names and values in turn), `key` and `payload`.
///
/// Bytes that are not UTF-8 can't be a JSON string, so they become an object with the single member `base64`.
/// `RecordLine` reads all of this.
enum JSONEnvelope {
    static func append(_ record: borrowing Record, of batch: BatchNames, to text: inout [UInt8]) {
        text.append(contentsOf: batch.prefix)
        text.append(decimal: record.offset)
        text.append(contentsOf: batch.timestampType)
        text.append(decimal: record.timestamp.millisecondsSince1970)
        text.append(contentsOf: batch.broker)
        if !record.headers.isEmpty { appendHeaders(record, to: &text) }
        text.append(contentsOf: Self.keyMember)
        append(record.key, to: &text)
        text.append(contentsOf: Self.payloadMember)
        append(record.value, to: &text)
        text.append(UInt8(ascii: "}"))
    }

    private static let keyMember = Array(#","key":"#.utf8)
    private static let payloadMember = Array(#","payload":"#.utf8)
    private static let headersMember = Array(#","headers":["#.utf8)
    private static let null = Array("null".utf8)

    private static func append(_ bytes: RawSpan?, to text: inout [UInt8]) {
        if let bytes { text.append(json: bytes) } else { text.append(contentsOf: null) }
    }

    private static func appendHeaders(_ record: borrowing Record, to text: inout [UInt8]) {
        text.append(contentsOf: headersMember)
        var headers = record.headers.makeIterator()
        var isFirst = true
        while let header = headers.next() {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            text.append(json: header.name)
            text.append(UInt8(ascii: ","))
            append(header.value, to: &text)
        }
        text.append(UInt8(ascii: "]"))
    }

    /// The encoded members that all records of a batch share.
    struct BatchNames {
        let prefix: [UInt8]
        let timestampType: [UInt8]
        let broker: [UInt8]

        init(_ batch: RecordBatch) {
            var prefix = Array(#"{"topic":"#.utf8)
            let topic = Array(batch.topic.utf8)
            // The name's bytes are only used during the call.
            unsafe prefix.append(json: topic.span.bytes)
            prefix.append(contentsOf: #","partition":"#.utf8)
            prefix.append(decimal: Int64(batch.partition))
            prefix.append(contentsOf: #","offset":"#.utf8)
            self.prefix = prefix
            let type = batch.timestampType == .logAppendTime ? "logappend" : "create"
            timestampType = Array(#","tstype":"\#(type)","ts":"#.utf8)
            broker = Array(#","broker":\#(batch.brokerID)"#.utf8)
        }
    }
}
