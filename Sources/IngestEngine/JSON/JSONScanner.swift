/// Walks over one JSON text by the rules of the database's own lexer, without making anything of it.
///
/// The rules are those of RFC 8259, plus those that `json_populate_record` adds for a whole message, used or not:
/// `\u0000` is refused, and so are surrogates without their partner.
///
/// A step takes the position at which it begins and returns the one behind what it took, so that the position stays in
/// a register. It returns -1 if the text breaks a rule; `problem` and `problemPosition` then say which and where.
struct JSONScanner {
    /// How deep objects and arrays may be nested. PostgreSQL's limit depends on its `max_stack_depth`; by default it
    /// is between 10,000 and 20,000.
    static let maximumDepth = 8192
    /// From this depth on a message counts as unusual.
    static let usualDepth = 512

    let text: ByteView
    let nesting: NestingBits
    private(set) var problem = JSONProblem.none
    private(set) var problemPosition = 0
    /// All bytes of strings or-ed, perhaps with some around them: bit 7 of any byte is set if one isn't ASCII.
    var seenBits: UInt64 = 0
    /// Whether a value was seen that `json` accepts but `jsonb` might not: a number with a large exponent or very many
    /// digits, or very deep nesting.
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

    /// Takes any value and notes it in a slot.
    ///
    /// - Parameter start: Where its first byte is, behind the white space.
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

    /// Takes `true`, `false` or `null`.
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

    /// Takes a number, of which the first byte is known to be a digit or a minus.
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
        // Otherwise the text is needed.
        let isUsual = count < 1000 && exponent < 1000 && exponent > -1000
        if !isUsual { isUnusual = true }
        slot.digits = digits
        slot.isInteger = false
        slot.exponent = Int16(truncatingIfNeeded: exponent)
        slot.isShort = isUsual && count <= 19
        return index
    }

    /// Takes digits, if there are any, and appends them to a number, which wraps around if it becomes too large.
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

    /// Takes the `e` and the digits behind it. The result is exact if it is small, and at least 100,000 if it isn't.
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

/// A rule of JSON that a text breaks.
enum JSONProblem: UInt8 {
    case none
    case value, number, control, escape, nul, surrogate, key, colon, objectEnd, arrayEnd, end, depth, trailing, encoding
    case notAnObject

    var reason: String {
        switch self {
        case .none: "it is valid"
        case .value: "a value is expected"
        case .number: "a number is not valid"
        case .control: "a control character is in a string"
        case .escape: "an escape in a string is not valid"
        case .nul: "a string contains \\u0000, which the database cannot store"
        case .surrogate: "a string contains half a surrogate pair"
        case .key: "a field's name is expected"
        case .colon: "a colon is expected after a field's name"
        case .objectEnd: "a comma or a closing brace is expected"
        case .arrayEnd: "a comma or a closing bracket is expected"
        case .end: "it ends too early"
        case .depth: "it is nested deeper than \(JSONScanner.maximumDepth) levels"
        case .trailing: "something follows the value"
        case .encoding: "it is not UTF-8"
        case .notAnObject: "it is not an object"
        }
    }
}
