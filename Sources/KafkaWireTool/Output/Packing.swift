import CommandLineSupport

/// A packing of `-s`, such as `>iq$`, which shows the bytes of a key or value as numbers and text.
///
/// Integers are big-endian unless `<` comes before them. Bytes after the last letter are not shown, and are an error
/// only with `$`.
struct Packing: Equatable {
    private enum Item: Equatable {
        case integer(byteCount: Int, isSigned: Bool, isLittleEndian: Bool, letter: UInt8)
        case character
        case rest
        case end
        case blank
    }

    /// The reason why bytes don't fit a packing.
    struct Mismatch: Error, Equatable {
        let sentence: String
    }

    private let items: [Item]
    /// `key` or `value`, for errors.
    private let field: String

    /// - Throws: A failure of status `usage` for an unknown letter.
    init(_ text: Substring, of field: String) throws(Failure) {
        self.field = field
        guard text != "avro" else {
            throw Failure("-s avro is not supported: kafkawire has no schema registry client", status: .usage)
        }
        var items: [Item] = []
        var isLittleEndian = false
        func integer(_ byteCount: Int, _ letter: UInt8) -> Item {
            .integer(
                byteCount: byteCount, isSigned: letter >= UInt8(ascii: "a"), isLittleEndian: isLittleEndian,
                letter: letter)
        }
        for letter in text.utf8 {
            switch letter {
            case UInt8(ascii: "<"): isLittleEndian = true
            case UInt8(ascii: ">"): isLittleEndian = false
            case UInt8(ascii: " "): items.append(.blank)
            case UInt8(ascii: "b"), UInt8(ascii: "B"): items.append(integer(1, letter))
            case UInt8(ascii: "h"), UInt8(ascii: "H"): items.append(integer(2, letter))
            case UInt8(ascii: "i"), UInt8(ascii: "I"): items.append(integer(4, letter))
            case UInt8(ascii: "q"), UInt8(ascii: "Q"): items.append(integer(8, letter))
            case UInt8(ascii: "c"): items.append(.character)
            case UInt8(ascii: "s"): items.append(.rest)
            case UInt8(ascii: "$"): items.append(.end)
            default: throw Self.wrong
            }
        }
        guard !items.isEmpty else { throw Self.wrong }
        self.items = items
    }

    private static var wrong: Failure {
        Failure(
            "-s expects a packing of the letters < > b B h H i I q Q c s $ and blanks, for the key (key=…), the value "
                + "(value=…) or both", status: .usage)
    }

    /// Appends the unpacked bytes. As in kcat, the parts before a mismatch are appended, too.
    func append(_ bytes: RawSpan, to text: inout [UInt8]) throws(Mismatch) {
        var position = 0
        for item in items {
            let left = bytes.byteCount - position
            switch item {
            case .blank: text.append(UInt8(ascii: " "))
            case .integer(let byteCount, let isSigned, let isLittleEndian, let letter):
                guard byteCount <= left else { throw tooShort(byteCount, letter, left) }
                var value: UInt64 = 0
                for index in 0..<byteCount {
                    let place = isLittleEndian ? position + byteCount - 1 - index : position + index
                    value = value << 8 | UInt64(bytes[place])
                }
                position += byteCount
                if isSigned {
                    // Shifts the sign bit to the top and back, to extend it.
                    let unused = UInt64(64 - 8 * byteCount)
                    text.append(decimal: Int64(bitPattern: value << unused) >> Int64(unused))
                } else {
                    text.append(unsignedDecimal: value)
                }
            case .character:
                guard left > 0 else { throw tooShort(1, UInt8(ascii: "c"), left) }
                text.append(bytes[position])
                position += 1
            case .rest:
                text.append(contentsOf: bytes.extracting(position..<bytes.byteCount))
                position = bytes.byteCount
            case .end:
                guard left == 0 else {
                    throw Mismatch(sentence: "the \(field) should end, but \(left) bytes are left")
                }
            }
        }
    }

    private func tooShort(_ byteCount: Int, _ letter: UInt8, _ left: Int) -> Mismatch {
        Mismatch(
            sentence: "the \(field) is too short: '\(Character(Unicode.Scalar(letter)))' needs \(byteCount) "
                + "byte\(byteCount == 1 ? "" : "s"), and \(left) are left")
    }
}
