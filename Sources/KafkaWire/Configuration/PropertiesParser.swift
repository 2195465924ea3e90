/// Parses the format of `java.util.Properties` (Java's API documentation, `Properties.load`).
///
/// It works on UTF-16 code units, since `\uXXXX` denotes a code unit, and a character may need two of them.
struct PropertiesParser {
    private typealias Unit = UInt16

    private enum Letter {
        static let backslash = UInt16(UInt8(ascii: "\\"))
        static let newline = UInt16(UInt8(ascii: "\n"))
        static let carriageReturn = UInt16(UInt8(ascii: "\r"))
        static let comments = [UInt16(UInt8(ascii: "#")), UInt16(UInt8(ascii: "!"))]
        static let separators = [UInt16(UInt8(ascii: "=")), UInt16(UInt8(ascii: ":"))]
        static let blanks = [UInt16(UInt8(ascii: " ")), UInt16(UInt8(ascii: "\t")), 0x0C]
    }

    private let path: String
    /// The file's lines, without their line endings.
    private let lines: [ArraySlice<Unit>]
    private var next = 0

    init(_ content: some Sequence<UInt8>, path: String) {
        self.path = path
        var bytes = Array(content)[...]
        // Skip the byte order mark that editors on Windows write; it is not part of the first name.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        let units =
            String(validating: bytes, as: UTF8.self).map { Array($0.utf16) }
            ?? bytes.map { Unit($0) }  // ISO-8859-1's characters have the same numbers as in Unicode
        lines = Self.split(units)
    }

    private static func split(_ units: [Unit]) -> [ArraySlice<Unit>] {
        var lines: [ArraySlice<Unit>] = []
        var start = 0
        var index = 0
        while index < units.count {
            let unit = units[index]
            if unit == Letter.newline || unit == Letter.carriageReturn {
                lines.append(units[start..<index])
                let isPair =
                    unit == Letter.carriageReturn && index + 1 < units.count && units[index + 1] == Letter.newline
                start = index + (isPair ? 2 : 1)
                index = start
            } else {
                index += 1
            }
        }
        if start < units.count { lines.append(units[start...]) }
        return lines
    }

    mutating func entries() throws(KafkaError) -> [PropertiesFile.Entry] {
        var entries: [PropertiesFile.Entry] = []
        while let (line, number) = nextLogicalLine() {
            let (name, value) = split(line)
            entries.append(
                PropertiesFile.Entry(
                    name: try unescape(name, line: number), value: try unescape(value, line: number), line: number))
        }
        return entries
    }

    /// The next line that isn't blank or a comment, together with its continuation lines.
    private mutating func nextLogicalLine() -> (line: [Unit], number: Int)? {
        while next < lines.count {
            var line = lines[next].drop { Letter.blanks.contains($0) }
            next += 1
            guard let first = line.first, !Letter.comments.contains(first) else { continue }
            let number = next
            var whole: [Unit] = []
            while endsInBackslash(line) {
                whole += line.dropLast()
                line = []
                guard next < lines.count else { break }
                line = lines[next].drop { Letter.blanks.contains($0) }
                next += 1
            }
            whole += line
            // A line that consists of a backslash, without a continuation, is empty.
            if !whole.isEmpty { return (whole, number) }
        }
        return nil
    }

    /// Whether the line ends with a backslash that isn't escaped by another one.
    private func endsInBackslash(_ line: ArraySlice<Unit>) -> Bool {
        line.reversed().prefix { $0 == Letter.backslash }.count % 2 == 1
    }

    private func split(_ line: [Unit]) -> (name: ArraySlice<Unit>, value: ArraySlice<Unit>) {
        var end = 0
        while end < line.count, !Letter.separators.contains(line[end]), !Letter.blanks.contains(line[end]) {
            // Any character after a backslash is part of the name.
            end += line[end] == Letter.backslash ? 2 : 1
        }
        end = min(end, line.count)
        var rest = line[end...].drop { Letter.blanks.contains($0) }
        if let separator = rest.first, Letter.separators.contains(separator) {
            rest = rest.dropFirst().drop { Letter.blanks.contains($0) }
        }
        return (line[..<end], rest)
    }

    private func unescape(_ text: ArraySlice<Unit>, line: Int) throws(KafkaError) -> String {
        var units: [Unit] = []
        var rest = text
        while let unit = rest.popFirst() {
            guard unit == Letter.backslash, let escaped = rest.popFirst() else {
                if unit != Letter.backslash { units.append(unit) }
                continue
            }
            switch UInt8(exactly: escaped) {
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "u"):
                let digits = String(decoding: rest.prefix(4), as: UTF16.self)
                // `UInt16` would also accept a sign.
                guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let value = Unit(digits, radix: 16)
                else {
                    throw KafkaError(
                        .invalidConfig, "\(path), line \(line): \\u must be followed by four hexadecimal digits")
                }
                units.append(value)
                rest = rest.dropFirst(4)
            default: units.append(escaped)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
