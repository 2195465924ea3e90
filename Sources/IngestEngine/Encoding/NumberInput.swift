/// Parses numbers by the rules of Postgres's input functions.
enum NumberInput {
    // MARK: Integers

    /// Parses an integer.
    static func integer(_ text: ByteView, _ value: inout Int64) -> Verdict {
        let text = text.trimmed
        var index = 0
        let sign = text.byte(orZero: 0)
        let isNegative = sign == UInt8(ascii: "-")
        if isNegative || sign == UInt8(ascii: "+") { index = 1 }
        guard index < text.count else { return .syntax }
        var magnitude: UInt64 = 0
        var overflows = false
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return isPrefixed(text) ? .server : .syntax }
            let (scaled, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = scaled.addingReportingOverflow(UInt64(digit))
            if overflow || overflow2 { overflows = true }
            magnitude = sum
            index &+= 1
        }
        if overflows { return .range }
        return signed(magnitude, isNegative, &value)
    }

    @inline(__always)
    static func signed(_ magnitude: UInt64, _ isNegative: Bool, _ value: inout Int64) -> Verdict {
        guard magnitude <= UInt64(Int64.max) &+ (isNegative ? 1 : 0) else { return .range }
        value = isNegative ? 0 &- Int64(bitPattern: magnitude) : Int64(bitPattern: magnitude)
        return .done
    }

    /// Whether the text may be a number in a form that PostgreSQL 16 and later accept: `0x1F`, `0b1`, `1_000`.
    private static func isPrefixed(_ text: ByteView) -> Bool {
        if text.contains(UInt8(ascii: "_")) { return true }
        let first = text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") ? 1 : 0
        guard text.byte(orZero: first) == UInt8(ascii: "0") else { return false }
        switch text.byte(orZero: first + 1) | 0x20 {
        case UInt8(ascii: "x"), UInt8(ascii: "o"), UInt8(ascii: "b"): return true
        default: return false
        }
    }

    // MARK: Decimals

    /// The form of a decimal text.
    enum DecimalForm {
        /// `[+-]digits[.digits][e[+-]digits]` and nothing else.
        case decimal
        /// A form that Postgres might accept.
        case unknown
        /// Certainly not a number.
        case none
    }

    /// Parses a decimal number.
    ///
    /// - Parameters:
    ///   - text: A text without surrounding white space.
    ///   - number: Receives what the JSON scanner stores for a number.
    static func decimal(_ text: ByteView, _ number: inout JSONSlot) -> DecimalForm {
        var index = 0
        let sign = text.byte(orZero: 0)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { index = 1 }
        let isSpecial =
            text.byte(orZero: index) | 0x20 == UInt8(ascii: "n") || text.byte(orZero: index) | 0x20 == UInt8(ascii: "i")
        if isSpecial { return .unknown }
        var count = 0
        var exponent = 0
        var digits: UInt64 = 0
        var hasPoint = false
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte &- UInt8(ascii: "0") <= 9 {
                digits = digits &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                count += 1
                if hasPoint { exponent -= 1 }
            } else {
                break
            }
            index += 1
        }
        guard count > 0 else { return .none }
        number.isInteger = !hasPoint
        if index < text.count {
            switch text[index] | 0x20 {
            case UInt8(ascii: "e"):
                guard let power = power(text, from: index + 1) else { return .unknown }
                number.isInteger = false
                exponent += power
            case UInt8(ascii: "x"), UInt8(ascii: "o"), UInt8(ascii: "b"), UInt8(ascii: "_") | 0x20: return .unknown
            default: return .none
            }
        }
        number.isNegative = sign == UInt8(ascii: "-")
        number.digits = digits
        number.isShort = count <= 19 && abs(exponent) < 1000
        number.exponent = number.isShort ? Int16(truncatingIfNeeded: exponent) : 0
        return .decimal
    }

    /// The exponent that ends the text; nil if there is anything else or it has more than five digits.
    private static func power(_ text: ByteView, from start: Int) -> Int? {
        var index = start
        let sign = text.byte(orZero: index)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { index += 1 }
        guard index < text.count, text.count - index <= 5 else { return nil }
        var power = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            power = power * 10 + Int(digit)
            index += 1
        }
        return sign == UInt8(ascii: "-") ? -power : power
    }
}
