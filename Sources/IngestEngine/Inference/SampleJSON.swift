/// A JSON value of a sample message. Numbers keep their text, and objects the order of their fields.
///
/// Only for samples, since it allocates for each value.
///
/// Source: RFC 8259.
enum SampleJSON: Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([SampleJSON])
    /// Of fields with the same name only the last one is kept, as in Postgres.
    case object([Field])

    struct Field: Equatable {
        let name: String
        var value: SampleJSON
    }

    /// The deepest nesting. Deeper messages count as unreadable.
    static let maximumDepth = 128

    /// nil if the bytes aren't exactly one JSON value.
    init?(_ bytes: [UInt8]) {
        var parser = Parser(bytes: bytes)
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        guard parser.position == bytes.count else { return nil }
        self = value
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            position += 1
            return true
        }

        private mutating func take(_ word: String, as value: SampleJSON) -> SampleJSON? {
            guard bytes[position...].starts(with: word.utf8) else { return nil }
            position += word.utf8.count
            return value
        }

        mutating func value(depth: Int) -> SampleJSON? {
            guard depth < SampleJSON.maximumDepth else { return nil }
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string().map(SampleJSON.string)
            case UInt8(ascii: "t"): return take("true", as: .bool(true))
            case UInt8(ascii: "f"): return take("false", as: .bool(false))
            case UInt8(ascii: "n"): return take("null", as: .null)
            default: return number()
            }
        }

        private mutating func object(depth: Int) -> SampleJSON? {
            position += 1
            var fields: [Field] = []
            var indices: [String: Int] = [:]
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object([]) }
            repeat {
                skipSpace()
                guard next == UInt8(ascii: "\""), let name = string() else { return nil }
                skipSpace()
                guard take(UInt8(ascii: ":")), let value = value(depth: depth + 1) else { return nil }
                if let index = indices[name] {
                    fields[index].value = value
                } else {
                    indices[name] = fields.count
                    fields.append(Field(name: name, value: value))
                }
                skipSpace()
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "}")) ? .object(fields) : nil
        }

        private mutating func array(depth: Int) -> SampleJSON? {
            position += 1
            var items: [SampleJSON] = []
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array([]) }
            repeat {
                guard let item = value(depth: depth + 1) else { return nil }
                items.append(item)
                skipSpace()
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "]")) ? .array(items) : nil
        }

        private mutating func number() -> SampleJSON? {
            let start = position
            _ = take(UInt8(ascii: "-"))
            if !take(UInt8(ascii: "0")) {
                guard digits() else { return nil }
            }
            if take(UInt8(ascii: ".")) {
                guard digits() else { return nil }
            }
            if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                guard digits() else { return nil }
            }
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        }

        /// Skips digits; false if there are none.
        private mutating func digits() -> Bool {
            let start = position
            while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
            return position > start
        }

        private mutating func string() -> String? {
            position += 1
            var text: [UInt8] = []
            while let byte = next {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let scalar = escape() else { return nil }
                    text += Array(String(Character(scalar)).utf8)
                case ..<0x20: return nil
                default: text.append(byte)
                }
            }
            return nil
        }

        private mutating func escape() -> Unicode.Scalar? {
            guard let letter = next else { return nil }
            position += 1
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{c}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"):
                guard let first = codeUnit() else { return nil }
                guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) }
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let second = codeUnit(),
                    (0xdc00..<0xe000).contains(second)
                else { return nil }
                return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
            default: return nil
            }
        }

        /// Reads four hexadecimal digits.
        private mutating func codeUnit() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            var value: UInt32 = 0
            for byte in bytes[position..<position + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
                value = value << 4 | UInt32(digit)
            }
            position += 4
            return value
        }
    }
}
