import CommandLineSupport
import KafkaWire

/// How a record is shown: the text of `-f`, taken apart once.
struct OutputFormat: Equatable {
    enum Part: Equatable {
        case literal([UInt8])
        case topic, partition, offset, key, value, keyLength, valueLength, headers, timestamp
    }

    let parts: [Part]
    /// What stands for a missing key or value.
    let null: [UInt8]

    /// - Throws: A failure of status `usage` for what isn't known after a percent sign or a backslash.
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

    /// The value and a delimiter, with the key in front where it is to be told apart.
    init(keySeparator: [UInt8]?, delimiter: [UInt8], null: String = "") {
        let value: [Part] = [.value, .literal(delimiter)]
        parts = keySeparator.map { [.key, .literal($0)] + value } ?? value
        self.null = Array(null.utf8)
    }

    private static func unknown(_ place: String) -> Failure {
        Failure(
            "-f has a percent sign \(place); it knows %t %p %o %k %s %K %S %h %T and %%", status: .usage)
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
        case UInt8(ascii: "h"): .headers
        case UInt8(ascii: "T"): .timestamp
        default: nil
        }
    }

    /// Appends a record.
    ///
    /// - Parameter topic: The topic's name as bytes, made once a batch.
    func append(_ record: borrowing Record, topic: [UInt8], partition: Int32, to text: inout [UInt8]) {
        for part in parts {
            switch part {
            case .literal(let bytes): text.append(contentsOf: bytes)
            case .topic: text.append(contentsOf: topic)
            case .partition: text.append(decimal: Int64(partition))
            case .offset: text.append(decimal: record.offset)
            case .timestamp: text.append(decimal: record.timestamp.millisecondsSince1970)
            case .key:
                if let key = record.key { text.append(contentsOf: key) } else { text.append(contentsOf: null) }
            case .value:
                if let value = record.value { text.append(contentsOf: value) } else { text.append(contentsOf: null) }
            case .keyLength: text.append(decimal: Int64(record.key?.byteCount ?? -1))
            case .valueLength: text.append(decimal: Int64(record.value?.byteCount ?? -1))
            case .headers: appendHeaders(record, to: &text)
            }
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
        // The buffer is lent for the call alone.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// A number's digits, without a string on the way.
    mutating func append(decimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let first = count
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[first...].reverse()
    }
}
