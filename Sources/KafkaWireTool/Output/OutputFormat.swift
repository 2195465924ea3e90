import CommandLineSupport
import KafkaWire

/// The parsed format of `-f`.
struct OutputFormat: Equatable {
    enum Part: Equatable {
        case literal([UInt8])
        case topic, partition, offset, key, value, keyLength, valueLength, binaryValueLength, headers, timestamp
    }

    let parts: [Part]
    /// The text for a null key or value.
    let null: [UInt8]
    /// How to show keys and values; nil for plain bytes.
    var keyPacking: Packing?
    var valuePacking: Packing?

    /// - Throws: A failure of status `usage` for an unknown token or escape.
    init(_ text: String, null: String = "") throws(Failure) {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                literal.append(try Escapes.escaped(&rest, "-f"))
            } else if byte != UInt8(ascii: "%") {
                literal.append(byte)
            } else {
                guard let letter = rest.popFirst() else { throw Self.unknown("at its end") }
                if letter == UInt8(ascii: "%") {
                    literal.append(letter)
                    continue
                }
                guard let part = Self.part(letter) else {
                    throw Self.unknown("before '\(Character(Unicode.Scalar(letter)))'")
                }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = []
                parts.append(part)
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
        self.null = Array(null.utf8)
    }

    /// The format without `-f`: the value and a delimiter, after the key and its separator if `-K` gives one.
    init(keySeparator: [UInt8]?, delimiter: [UInt8], null: String = "") {
        let value: [Part] = [.value, .literal(delimiter)]
        parts = keySeparator.map { [.key, .literal($0)] + value } ?? value
        self.null = Array(null.utf8)
    }

    private static func unknown(_ place: String) -> Failure {
        Failure(
            "-f has a percent sign \(place); use %t %p %o %k %s %K %S %R %h %T or %%", status: .usage)
    }

    private static func part(_ letter: UInt8) -> Part? {
        switch letter {
        case UInt8(ascii: "t"): .topic
        case UInt8(ascii: "p"): .partition
        case UInt8(ascii: "o"): .offset
        case UInt8(ascii: "k"): .key
        case UInt8(ascii: "s"): .value
        case UInt8(ascii: "K"): .keyLength
        case UInt8(ascii: "S"): .valueLength
        case UInt8(ascii: "R"): .binaryValueLength
        case UInt8(ascii: "h"): .headers
        case UInt8(ascii: "T"): .timestamp
        default: nil
        }
    }

    /// Appends a record.
    ///
    /// - Parameter topic: The bytes of the topic name, made once per batch.
    /// - Throws: `Packing.Mismatch` if the key or value does not fit its packing. The parts before it are appended.
    func append(
        _ record: borrowing Record, topic: [UInt8], partition: Int32, to text: inout [UInt8]
    ) throws(Packing.Mismatch) {
        for part in parts {
            switch part {
            case .literal(let bytes): text.append(contentsOf: bytes)
            case .topic: text.append(contentsOf: topic)
            case .partition: text.append(decimal: Int64(partition))
            case .offset: text.append(decimal: record.offset)
            case .timestamp: text.append(decimal: record.timestamp.millisecondsSince1970)
            case .key: try append(record.key, keyPacking, to: &text)
            case .value: try append(record.value, valuePacking, to: &text)
            case .keyLength: text.append(decimal: Int64(record.key?.byteCount ?? -1))
            case .valueLength: text.append(decimal: Int64(record.value?.byteCount ?? -1))
            case .binaryValueLength: text.append(bigEndian: Int32(record.value?.byteCount ?? -1))
            case .headers: appendHeaders(record, to: &text)
            }
        }
    }

    private func append(_ bytes: RawSpan?, _ packing: Packing?, to text: inout [UInt8]) throws(Packing.Mismatch) {
        guard let bytes else { return text.append(contentsOf: null) }
        // As in kcat, empty keys and values are not unpacked.
        if let packing, bytes.byteCount > 0 {
            try packing.append(bytes, to: &text)
        } else {
            text.append(contentsOf: bytes)
        }
    }

    private func appendHeaders(_ record: borrowing Record, to text: inout [UInt8]) {
        var headers = record.headers.makeIterator()
        var isFirst = true
        while let header = headers.next() {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            text.append(contentsOf: header.name)
            text.append(UInt8(ascii: "="))
            if let value = header.value {
                text.append(contentsOf: value)
            } else {
                text.append(contentsOf: "NULL".utf8)
            }
        }
    }
}

extension [UInt8] {
    mutating func append(contentsOf bytes: RawSpan) {
        // The buffer is only used during the call.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Appends a number's digits without an intermediate string.
    mutating func append(decimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(unsignedDecimal: number.magnitude)
    }

    /// Appends the four bytes of a number in big-endian order.
    mutating func append(bigEndian number: Int32) {
        for shift in [24, 16, 8, 0] as [Int32] { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func append(unsignedDecimal number: UInt64) {
        var rest = number
        let first = count
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[first...].reverse()
    }
}
