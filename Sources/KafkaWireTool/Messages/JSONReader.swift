import CommandLineSupport

/// A pull parser for JSON (RFC 8259) in the bytes of a line. Each method skips leading whitespace.
struct JSONReader: ~Escapable {
    /// The maximum nesting of ignored values, since skipping them is recursive. Real dumps don't come near it.
    private static let deepest = 64

    private let line: RawSpan
    private var position = 0

    @_lifetime(copy line)
    init(_ line: RawSpan) { self.line = line }

    /// A problem with the next token.
    func problem(_ sentence: String) -> RecordLine.Problem {
        position < line.byteCount
            ? RecordLine.Problem(sentence: "\(sentence) at byte \(position + 1)")
            : RecordLine.Problem(sentence: "\(sentence), but the line ends")
    }

    @_lifetime(self: copy self)
    private mutating func skipBlanks() {
        while position < line.byteCount {
            switch line[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    /// Whether only whitespace is left.
    var isAtEnd: Bool {
        @_lifetime(self: copy self)
        mutating get {
            skipBlanks()
            return position == line.byteCount
        }
    }

    /// Takes a sign if it is next.
    ///
    /// - Returns: Whether it was.
    @_lifetime(self: copy self)
    mutating func take(_ sign: UInt8) -> Bool {
        skipBlanks()
        guard position < line.byteCount, line[position] == sign else { return false }
        position += 1
        return true
    }

    /// Takes `null` if it is next.
    ///
    /// - Returns: Whether it was.
    @_lifetime(self: copy self)
    mutating func takeNull() -> Bool {
        skipBlanks()
        return takeWord("null")
    }

    @_lifetime(self: copy self)
    private mutating func takeWord(_ word: String) -> Bool {
        guard line.byteCount - position >= word.utf8.count else { return false }
        for (index, byte) in word.utf8.enumerated() where line[position + index] != byte { return false }
        position += word.utf8.count
        return true
    }

    // MARK: Numbers

    /// Reads a whole number or null.
    ///
    /// - Parameter name: The member's name, for errors.
    /// - Returns: nil for null.
    @_lifetime(self: copy self)
    mutating func integer(_ name: String) throws(RecordLine.Problem) -> Int64? {
        if takeNull() { return nil }
        let start = position
        let isNegative = position < line.byteCount && line[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let first = position
        // Accumulates negative values, because Int64.min has no positive counterpart.
        var (value, overflows) = (Int64(0), false)
        while position < line.byteCount, let digit = digit(at: position) {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.subtractingReportingOverflow(Int64(digit))
            overflows = overflows || isTooLarge || isStillTooLarge
            value = sum
            position += 1
        }
        let isFraction = position < line.byteCount && isPartOfFraction(line[position])
        guard position > first, !isFraction, position - first == 1 || line[first] != UInt8(ascii: "0") else {
            position = start
            throw problem("\"\(name)\" has to be a whole number")
        }
        guard !overflows, isNegative || value != .min else {
            throw RecordLine.Problem(sentence: "its \"\(name)\" is beyond the numbers of 64 bits")
        }
        return isNegative ? value : -value
    }

    private func digit(at position: Int) -> UInt8? {
        let byte = line[position]
        return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? byte - UInt8(ascii: "0") : nil
    }

    private func isPartOfFraction(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: false
        }
    }

    // MARK: Strings

    /// Reads a string after its opening quote, and appends it unescaped.
    @_lifetime(self: copy self)
    mutating func string(into text: inout [UInt8]) throws(RecordLine.Problem) {
        while true {
            let end = line.plainTextEnd(from: position, isASCII: false)
            if end > position { text.append(contentsOf: line.extracting(position..<end)) }
            position = end
            guard position < line.byteCount else { throw problem("a string has no closing quote") }
            let byte = line[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw problem("a string has a control character, which has to be escaped,")
            default:
                text.append(byte)
                position += 1
            }
        }
    }

    @_lifetime(self: copy self)
    private mutating func escape(into text: inout [UInt8]) throws(RecordLine.Problem) {
        guard position + 1 < line.byteCount else { throw problem("a string ends with a backslash") }
        switch line[position + 1] {
        case let letter
        where letter == UInt8(ascii: "\"") || letter == UInt8(ascii: "\\") || letter == UInt8(ascii: "/"):
            text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): return try scalar(into: &text)
        default: throw problem("a string has an unknown escape")
        }
        position += 2
    }

    /// Reads `\uXXXX`, or a surrogate pair of two.
    @_lifetime(self: copy self)
    private mutating func scalar(into text: inout [UInt8]) throws(RecordLine.Problem) {
        guard let first = unit(at: position) else { throw problem("four hexadecimal digits have to follow \\u") }
        var value = first
        var byteCount = 6
        if (0xd800..<0xdc00).contains(first), let second = unit(at: position + 6), (0xdc00..<0xe000).contains(second) {
            value = 0x1_0000 + (first - 0xd800) << 10 + (second - 0xdc00)
            byteCount = 12
        }
        // An unpaired surrogate has no UTF-8 encoding.
        guard let scalar = Unicode.Scalar(value) else { throw problem("a string has half of a surrogate pair") }
        text.append(contentsOf: String(scalar).utf8)
        position += byteCount
    }

    /// The code unit of a `\uXXXX` at a position; nil if there is none.
    private func unit(at start: Int) -> UInt32? {
        guard start + 6 <= line.byteCount, line[start] == UInt8(ascii: "\\"), line[start + 1] == UInt8(ascii: "u")
        else {
            return nil
        }
        var value: UInt32 = 0
        for index in start + 2..<start + 6 {
            guard let digit = Character(Unicode.Scalar(line[index])).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Ignored values

    /// Reads any value and ignores it.
    ///
    /// - Parameter scratch: A buffer for its strings, unchanged afterwards.
    @_lifetime(self: copy self)
    mutating func skipValue(_ scratch: inout [UInt8], depth: Int = 0) throws(RecordLine.Problem) {
        guard depth < Self.deepest else { throw problem("a value is nested too deeply") }
        if take(UInt8(ascii: "\"")) { return try skipString(&scratch) }
        if take(UInt8(ascii: "[")) {
            if take(UInt8(ascii: "]")) { return }
            repeat { try skipValue(&scratch, depth: depth + 1) } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw problem("a comma or ] is expected") }
            return
        }
        if take(UInt8(ascii: "{")) {
            if take(UInt8(ascii: "}")) { return }
            repeat {
                guard take(UInt8(ascii: "\"")) else { throw problem("the name of a member is expected") }
                try skipString(&scratch)
                guard take(UInt8(ascii: ":")) else { throw problem("a colon is expected") }
                try skipValue(&scratch, depth: depth + 1)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw problem("a comma or } is expected") }
            return
        }
        if takeWord("null") || takeWord("true") || takeWord("false") { return }
        try skipNumber()
    }

    @_lifetime(self: copy self)
    private mutating func skipString(_ scratch: inout [UInt8]) throws(RecordLine.Problem) {
        let count = scratch.count
        try string(into: &scratch)
        scratch.removeLast(scratch.count - count)
    }

    @_lifetime(self: copy self)
    private mutating func skipNumber() throws(RecordLine.Problem) {
        let start = position
        if position < line.byteCount, line[position] == UInt8(ascii: "-") { position += 1 }
        let first = position
        while position < line.byteCount {
            let byte = line[position]
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || isPartOfFraction(byte)
            guard digit(at: position) != nil || position > first && isSign else { break }
            position += 1
        }
        guard position > first else {
            position = start
            throw problem("a value is expected")
        }
    }
}
