import CommandLineSupport
import KafkaWire

/// A record as a JSON object on a line of its own, with the members that kcat gives it: `topic`, `partition`, `offset`,
/// `tstype`, `ts`, `headers` (names and values in turn), `key` and `payload`.
enum JSONEnvelope {
    static func append(_ record: borrowing Record, of batch: BatchNames, to text: inout [UInt8]) {
        text.append(contentsOf: batch.prefix)
        text.append(decimal: record.offset)
        text.append(contentsOf: batch.timestampType)
        text.append(decimal: record.timestamp.millisecondsSince1970)
        if !record.headers.isEmpty { appendHeaders(record, to: &text) }
        text.append(contentsOf: #","key":"#.utf8)
        if let key = record.key { text.append(quoting: key) } else { text.append(contentsOf: "null".utf8) }
        text.append(contentsOf: #","payload":"#.utf8)
        if let value = record.value { text.append(quoting: value) } else { text.append(contentsOf: "null".utf8) }
        text.append(contentsOf: "}\n".utf8)
    }

    private static func appendHeaders(_ record: borrowing Record, to text: inout [UInt8]) {
        text.append(contentsOf: #","headers":["#.utf8)
        var headers = record.headers.makeIterator()
        var isFirst = true
        while let header = headers.next() {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            text.append(quoting: header.name)
            text.append(UInt8(ascii: ","))
            if let value = header.value { text.append(quoting: value) } else { text.append(contentsOf: "null".utf8) }
        }
        text.append(UInt8(ascii: "]"))
    }

    /// What all records of a batch begin alike with.
    struct BatchNames {
        let prefix: [UInt8]
        let timestampType: [UInt8]

        init(_ batch: RecordBatch) {
            var prefix = Array(#"{"topic":"#.utf8)
            let topic = Array(batch.topic.utf8)
            // The name's bytes are lent for the call alone.
            unsafe prefix.append(quoting: topic.span.bytes)
            prefix.append(contentsOf: #","partition":"#.utf8)
            prefix.append(decimal: Int64(batch.partition))
            prefix.append(contentsOf: #","offset":"#.utf8)
            self.prefix = prefix
            let type = batch.timestampType == .logAppendTime ? "logappend" : "create"
            timestampType = Array(#","tstype":"\#(type)","ts":"#.utf8)
        }
    }
}

extension [UInt8] {
    /// A JSON string (RFC 8259) of these bytes. What isn't UTF-8 becomes U+FFFD, byte by byte: JSON has no other way.
    mutating func append(quoting bytes: RawSpan) {
        append(UInt8(ascii: "\""))
        var position = 0
        while position < bytes.byteCount {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case UInt8(ascii: "\n"): append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): append(contentsOf: #"\t"#.utf8)
            case 0..<0x20, 0x7f: append(escaping: Unicode.Scalar(byte))
            case 0x20..<0x7f: append(byte)
            default:
                let length = bytes.wellFormedLength(at: position)
                if length == 0 {
                    append(contentsOf: [0xef, 0xbf, 0xbd])
                } else if let scalar = bytes.hiddenScalar(at: position, length: length) {
                    append(escaping: scalar)
                    position += length - 1
                } else {
                    append(contentsOf: bytes.extracting(position..<position + length))
                    position += length - 1
                }
            }
            position += 1
        }
        append(UInt8(ascii: "\""))
    }

    /// `\u` and four digits.
    private mutating func append(escaping scalar: Unicode.Scalar) {
        append(contentsOf: #"\u"#.utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(scalar.value >> shift & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension RawSpan {
    subscript(position: Int) -> UInt8 {
        // A byte has no wrong values, and `position` is checked.
        unsafe unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }

    /// The scalar of two or three bytes that begins here, if a terminal must not get it as it is; nil for others.
    func hiddenScalar(at position: Int, length: Int) -> Unicode.Scalar? {
        // C1 controls, U+061C, and the controls of U+20xx begin with these.
        guard length < 4, [0xc2, 0xd8, 0xe2].contains(self[position]) else { return nil }
        var value = UInt32(self[position]) & (length == 2 ? 0x1f : 0xf)
        for index in 1..<length { value = value << 6 | UInt32(self[position + index] & 0x3f) }
        return Unicode.Scalar(value).flatMap { ForeignText.isHidden($0) ? $0 : nil }
    }

    /// How many bytes the character of more than one byte has that begins here; 0 where it isn't well-formed UTF-8
    /// (Unicode 15, table 3-7).
    func wellFormedLength(at position: Int) -> Int {
        let first = self[position]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0:
            length = 3
            second = 0xa0...0xbf
        case 0xed:
            length = 3
            second = 0x80...0x9f
        case 0xe1...0xef: length = 3
        case 0xf0:
            length = 4
            second = 0x90...0xbf
        case 0xf4:
            length = 4
            second = 0x80...0x8f
        case 0xf1...0xf3: length = 4
        default: return 0
        }
        guard byteCount - position >= length, second.contains(self[position + 1]) else { return 0 }
        for index in 2..<Swift.max(2, length) where self[position + index] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
