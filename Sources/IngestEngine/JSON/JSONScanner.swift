/// Validates one JSON text by the rules of Postgres's lexer, and finds the ends of its values.
///
/// The rules are those of RFC 8259, and those that `json_populate_record` adds for a whole message, whether a part is
/// used or not: `\u0000` and unpaired surrogates are refused.
///
/// Each method takes the position where its part starts and returns the position after it, so that the position stays
/// in a register. It returns -1 if the text is invalid, and sets `problem` and `problemPosition`.
struct JSONScanner {
    /// The deepest nesting of objects and arrays. PostgreSQL's limit depends on its `max_stack_depth`; by default it
    /// is between 10,000 and 20,000.
    static let maximumDepth = 8192
    /// The deepest nesting that doesn't count as unusual.
    static let usualDepth = 512

    let text: ByteView
    let nesting: NestingBits
    private(set) var problem = JSONProblem.none
    private(set) var problemPosition = 0
    /// The bitwise OR of all words of strings, which may include adjacent bytes. Bit 7 of some byte is set if a string
    /// isn't ASCII.
    var seenBits: UInt64 = 0
    /// Whether the text has a value that `json` accepts but `jsonb` might not: a number with a large exponent or very
    /// many digits, or very deep nesting.
    var isUnusual = false

    @inline(__always)
    init(_ text: ByteView, nesting: NestingBits) {
        self.text = text
        self.nesting = nesting
    }

    var hasNonASCII: Bool { seenBits & 0x8080_8080_8080_8080 != 0 }

    @inline(never)
    mutating func fail(_ problem: JSONProblem, at position: Int) -> Int {
        self.problem = problem
        problemPosition = position
        return -1
    }

    /// The position of the next byte that isn't white space, or the end.
    @inline(__always)
    func skipSpace(_ position: Int) -> Int {
        var position = position
        while position < text.count {
            let next = text[position]
            guard next <= 0x20, next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 else { break }
            position &+= 1
        }
        return position
    }

    // MARK: Values

    /// Scans a value of any type into a slot.
    ///
    /// - Parameter start: The position of its first byte, after white space.
    /// - Returns: The position after it; -1 if it is invalid.
    @inline(__always)
    mutating func value(at start: Int, into slot: inout JSONSlot, depth: Int) -> Int {
        let first = text.byte(orZero: start)
        let end: Int
        switch first {
        case UInt8(ascii: "\""):
            end = string(from: start &+ 1, &slot.hasEscapes)
            slot.offset = UInt32(truncatingIfNeeded: start &+ 1)
            slot.length = UInt32(truncatingIfNeeded: end &- start &- 2)
            slot.kind = .string
            return end
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            end = number(at: start, into: &slot)
            slot.kind = .number
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            end = container(at: start, depth: depth)
            slot.kind = first == UInt8(ascii: "{") ? .object : .array
        default: end = word(at: start, &slot.kind)
        }
        // The slot may have held a string before.
        slot.hasEscapes = false
        slot.offset = UInt32(truncatingIfNeeded: start)
        slot.length = UInt32(truncatingIfNeeded: end &- start)
        return end
    }

    /// Scans `true`, `false` or `null`.
    @inline(__always)
    mutating func word(at start: Int, _ kind: inout JSONKind) -> Int {
        let word = text.word(padded: start)
        if word & 0xffff_ffff == 0x6c6c_756e {
            kind = .null
            return start &+ 4
        }
        if word & 0xffff_ffff == 0x6575_7274 {
            kind = .true
            return start &+ 4
        }
        if word & 0xff_ffff_ffff == 0x65_736c_6166 {
            kind = .false
            return start &+ 5
        }
        return fail(start < text.count ? .value : .end, at: start)
    }

    // MARK: Numbers

    /// Scans a number whose first byte is a digit or a minus sign.
    @inline(__always)
    mutating func number(at start: Int, into slot: inout JSONSlot) -> Int {
        let isNegative = text[start] == UInt8(ascii: "-")
        let first = isNegative ? start &+ 1 : start
        var digits: UInt64 = 0
        var index = takeDigits(from: first, &digits)
        var count = index &- first
        guard count > 0 else { return fail(.number, at: start) }
        guard count == 1 || text[first] != UInt8(ascii: "0") else { return fail(.number, at: start) }
        let next = text.byte(orZero: index)
        slot.isNegative = isNegative
        if next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e") {
            slot.digits = digits
            slot.isInteger = true
            slot.exponent = 0
            slot.isShort = count <= 19
            if count >= 1000 { isUnusual = true }
            return index
        }
        var exponent = 0
        if next == UInt8(ascii: ".") {
            index &+= 1
            let firstOfFraction = index
            index = takeDigits(from: index, &digits)
            exponent = firstOfFraction &- index
            guard exponent < 0 else { return fail(.number, at: start) }
            count &-= exponent
        }
        if text.byte(orZero: index) | 0x20 == UInt8(ascii: "e") {
            guard let power = takeExponent(&index) else { return fail(.number, at: start) }
            exponent &+= power
        }
        // An unusual number is parsed from its text later.
        let isUsual = count < 1000 && exponent < 1000 && exponent > -1000
        if !isUsual { isUnusual = true }
        slot.digits = digits
        slot.isInteger = false
        slot.exponent = Int16(truncatingIfNeeded: exponent)
        slot.isShort = isUsual && count <= 19
        return index
    }

    /// Reads digits, if there are any, and appends them to a number, which wraps around on overflow.
    @inline(__always)
    private func takeDigits(from start: Int, _ number: inout UInt64) -> Int {
        let powers: InlineArray<8, UInt64> = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
        var index = start
        while true {
            let word = text.word(padded: index)
            let count = ByteView.leadingDigits(word)
            if count == 0 { return index }
            guard count == 8 else {
                number = number &* powers[count] &+ ByteView.number(word, count)
                return index &+ count
            }
            number = number &* 100_000_000 &+ ByteView.number(word, 8)
            index &+= 8
        }
    }

    /// Reads `e` and its digits. The result is exact if it is small; a larger one is at least 100,000 in magnitude.
    @inline(never)
    private func takeExponent(_ index: inout Int) -> Int? {
        index += 1
        let sign = text.byte(orZero: index)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { index += 1 }
        let first = index
        var power = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            power = min(power * 10 + Int(digit), 1_000_000)
            index += 1
        }
        guard index > first else { return nil }
        return sign == UInt8(ascii: "-") ? -power : power
    }
}

/// The JSON rule that a text breaks.
enum JSONProblem: UInt8 {
    case none
    case value, number, control, escape, nul, surrogate, key, colon, objectEnd, arrayEnd, end, depth, trailing, encoding
    case notAnObject

    var reason: String {
        switch self {
        case .none: "it is valid"
        case .value: "expected a value"
        case .number: "a number is invalid"
        case .control: "a string contains a control character"
        case .escape: "a string contains an invalid escape"
        case .nul: "a string contains \\u0000, which the database can't store"
        case .surrogate: "a string contains half a surrogate pair"
        case .key: "expected a field's name"
        case .colon: "expected a colon after a field's name"
        case .objectEnd: "expected a comma or a closing brace"
        case .arrayEnd: "expected a comma or a closing bracket"
        case .end: "it ends too early"
        case .depth: "it is nested deeper than \(JSONScanner.maximumDepth) levels"
        case .trailing: "something follows the value"
        case .encoding: "it is not UTF-8"
        case .notAnObject: "it is not an object"
        }
    }
}
