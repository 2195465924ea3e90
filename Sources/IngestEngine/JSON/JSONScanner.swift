/// Walks over one JSON text by the rules of the database's own lexer, without making anything of it.
///
/// The rules are those of RFC 8259, plus those that `json_populate_record` adds for a whole message, used or not:
/// `\u0000` is refused, and so are surrogates without their partner. Every step returns false if the text breaks a
/// rule; `problem` and `position` then say which and where.
struct JSONScanner {
    /// How deep objects and arrays may be nested. PostgreSQL's limit depends on its `max_stack_depth`; by default it
    /// is between 10,000 and 20,000.
    static let maximumDepth = 8192
    /// From this depth on a message counts as unusual.
    static let usualDepth = 512

    let text: ByteView
    let nesting: NestingBits
    var position = 0
    var problem = JSONProblem.none
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
    mutating func fail(_ problem: JSONProblem, at position: Int) -> Bool {
        if self.problem == .none {
            self.problem = problem
            self.position = position
        }
        return false
    }

    /// The next byte that isn't white space, without taking it; 0 at the end, which is never valid JSON.
    @inline(__always)
    mutating func peek() -> UInt8 {
        while position < text.count {
            let next = text[position]
            guard next <= 0x20, next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 else { return next }
            position &+= 1
        }
        return 0
    }

    // MARK: Values

    /// Takes any value and notes it in a slot.
    @inline(__always)
    mutating func value(into slot: inout JSONSlot, depth: Int) -> Bool {
        let first = peek()
        let start = position
        switch first {
        case UInt8(ascii: "\""):
            position &+= 1
            guard string(&slot.hasEscapes) else { return false }
            slot.offset = UInt32(truncatingIfNeeded: start &+ 1)
            slot.length = UInt32(truncatingIfNeeded: position &- start &- 2)
            slot.kind = .string
            return true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard container(depth: depth) else { return false }
            slot.kind = first == UInt8(ascii: "{") ? .object : .array
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard number(into: &slot) else { return false }
            slot.kind = .number
        default:
            guard let kind = word(first) else { return false }
            slot.kind = kind
        }
        // The slot may have held a string before.
        slot.hasEscapes = false
        slot.offset = UInt32(truncatingIfNeeded: start)
        slot.length = UInt32(truncatingIfNeeded: position &- start)
        return true
    }

    /// Takes `true`, `false` or `null`.
    @inline(__always)
    mutating func word(_ first: UInt8) -> JSONKind? {
        let word = text.word(padded: position)
        if word & 0xffff_ffff == 0x6c6c_756e {
            position &+= 4
            return .null
        }
        if word & 0xffff_ffff == 0x6575_7274 {
            position &+= 4
            return .true
        }
        if word & 0xff_ffff_ffff == 0x65_736c_6166 {
            position &+= 5
            return .false
        }
        _ = fail(position < text.count ? .value : .end, at: position)
        return nil
    }

    // MARK: Numbers

    /// Takes a number, of which the first byte is known to be a digit or a minus.
    @inline(__always)
    mutating func number(into slot: inout JSONSlot) -> Bool {
        let start = position
        var index = start
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative { index &+= 1 }
        let first = index
        var digits: UInt64 = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            index &+= 1
        }
        var count = index &- first
        guard count > 0, count == 1 || text[first] != UInt8(ascii: "0") else { return fail(.number, at: start) }
        slot.isNegative = isNegative
        slot.digits = digits
        slot.isInteger = true
        slot.exponent = 0
        let next = text.byte(orZero: index)
        if next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") {
            slot.isInteger = false
            var exponent = 0
            if next == UInt8(ascii: ".") {
                index &+= 1
                let firstOfFraction = index
                while index < text.count {
                    let digit = text[index] &- UInt8(ascii: "0")
                    guard digit <= 9 else { break }
                    slot.digits = slot.digits &* 10 &+ UInt64(digit)
                    index &+= 1
                }
                exponent = firstOfFraction &- index
                guard exponent < 0 else { return fail(.number, at: start) }
                count &-= exponent
            }
            if text.byte(orZero: index) | 0x20 == UInt8(ascii: "e") {
                position = index
                guard let power = takeExponent() else { return fail(.number, at: start) }
                index = position
                exponent &+= power
            }
            if exponent > 999 || exponent < -999 {
                // Not short: the text is needed.
                count = 1000
            }
            slot.exponent = Int16(truncatingIfNeeded: exponent)
        }
        slot.isShort = count <= 19
        if count >= 1000 { isUnusual = true }
        position = index
        return true
    }

    /// Takes the `e` and the digits behind it. The result is exact if it is small, and at least 100,000 if it isn't.
    @inline(never)
    private mutating func takeExponent() -> Int? {
        position += 1
        let sign = text.byte(orZero: position)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
        let first = position
        var power = 0
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            power = min(power * 10 + Int(digit), 1_000_000)
            position += 1
        }
        guard position > first else { return nil }
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
