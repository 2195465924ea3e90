/// The parsed form of a decimal text, except its digits, which are read from the text again and written directly into
/// the buffer.
///
/// Source: PostgreSQL manual, "Arbitrary Precision Numbers", for the ranges (131,072 digits before the point, 16,383
/// after it); the binary form is that of the server's `numeric_recv`.
struct PostgresNumeric {
    enum Sign: UInt16 {
        case positive = 0x0000
        case negative = 0x4000
        case notANumber = 0xc000
        case infinity = 0xd000
        case negativeInfinity = 0xf000
    }

    var sign = Sign.positive
    /// The exponent of the first group of digits, as a power of 10,000.
    var weight = 0
    /// The number of decimal digits after the point.
    var scale = 0
    /// The range of the text from the first nonzero digit to the last digit; may contain a point.
    private var digits = 0..<0
    /// The number of zeros that complete the first group of four digits.
    private var padding = 0

    /// The most groups of digits, including trailing groups of zeros.
    var groupCount: Int { (digits.count + padding + 3) / 4 }

    /// Parses `[+-]digits[.digits][e[+-]digits]`, `NaN`, or `[+-]Infinity`, ignoring case.
    init(parsing text: RawSpan) throws(NumericError) {
        let units = Span<UInt8>(_bytes: text)
        var position = 0
        if position < units.count, units[0] == UInt8(ascii: "-") || units[0] == UInt8(ascii: "+") {
            if units[0] == UInt8(ascii: "-") { sign = .negative }
            position = 1
        }
        if position < units.count, let special = Self.special(units.extracting(position...)) {
            guard special == .infinity || position == 0 else { throw .notANumber }
            sign = sign == .negative ? .negativeInfinity : special
            return
        }

        // The number of significant decimal digits, and the power of ten of the last one.
        var count = 0
        var exponent = 0
        var first: Int?
        var sawDigit = false
        var sawPoint = false
        while position < units.count {
            let unit = units[position]
            if unit == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else if unit >= UInt8(ascii: "0"), unit <= UInt8(ascii: "9") {
                sawDigit = true
                if first == nil, unit != UInt8(ascii: "0") { first = position }
                if first != nil { count += 1 }
                if sawPoint { exponent -= 1 }
            } else {
                break
            }
            position += 1
        }
        guard sawDigit else { throw .notANumber }
        let end = position
        if position < units.count { exponent += try Self.exponent(units.extracting(position...)) }

        scale = max(0, -exponent)
        guard scale <= 16_383 else { throw .outOfRange }
        // Zero has no digits and no sign.
        guard let first else {
            sign = .positive
            return
        }
        // The power of ten of the first digit, and the power of 10,000 of its group, which may begin before it.
        let top = count - 1 + exponent
        weight = top >= 0 ? top / 4 : (top - 3) / 4
        guard weight <= 32_767 else { throw .outOfRange }
        digits = first..<end
        padding = 3 - (top - weight * 4)
    }

    /// Passes the digits in base 10,000. The first group isn't zero; trailing ones may be.
    func forEachGroup(of text: RawSpan, _ body: (UInt16) -> Void) {
        let units = Span<UInt8>(_bytes: text).extracting(digits)
        var group: UInt16 = 0
        var place = padding
        for index in units.indices where units[index] != UInt8(ascii: ".") {
            group = group * 10 + UInt16(units[index] - UInt8(ascii: "0"))
            place += 1
            if place == 4 {
                body(group)
                (group, place) = (0, 0)
            }
        }
        guard place > 0 else { return }
        for _ in place..<4 { group *= 10 }
        body(group)
    }

    private static func special(_ units: borrowing Span<UInt8>) -> Sign? {
        func equals(_ word: StaticString) -> Bool {
            guard word.utf8CodeUnitCount == units.count else { return false }
            return word.withUTF8Buffer { expected in
                for index in expected.indices {
                    guard unsafe units[index] | 0x20 == expected[index] else { return false }
                }
                return true
            }
        }
        if equals("nan") { return .notANumber }
        return equals("infinity") || equals("inf") ? .infinity : nil
    }

    /// The exponent that starts with `e` and ends the text.
    private static func exponent(_ units: borrowing Span<UInt8>) throws(NumericError) -> Int {
        guard units[0] | 0x20 == UInt8(ascii: "e") else { throw .notANumber }
        var position = 1
        var isNegative = false
        if position < units.count, units[position] == UInt8(ascii: "-") || units[position] == UInt8(ascii: "+") {
            isNegative = units[position] == UInt8(ascii: "-")
            position += 1
        }
        guard position < units.count else { throw .notANumber }
        var value = 0
        while position < units.count {
            let digit = Int(units[position]) - 0x30
            guard (0...9).contains(digit) else { throw .notANumber }
            // The value is out of range already; only check that the rest are digits.
            if value < 1_000_000_000 { value = value * 10 + digit }
            position += 1
        }
        return isNegative ? -value : value
    }
}

/// A text that a `numeric` column can't store.
public enum NumericError: Error, Equatable, CustomStringConvertible {
    /// It isn't a decimal number.
    case notANumber
    /// It has more than 131,072 digits before the point or 16,383 after it.
    case outOfRange

    public var description: String {
        switch self {
        case .notANumber: "The text isn't a decimal number."
        case .outOfRange: "The number has more digits than a numeric column can hold."
        }
    }
}

extension CopyBuffer {
    /// `numeric` from decimal text in ASCII: sign, digits, point, exponent; also `NaN` and, since PostgreSQL 14,
    /// `Infinity`. The number of digits after the point, including zeros, is the value's scale. Nothing is appended if
    /// this throws.
    public mutating func append(numeric text: RawSpan) throws(NumericError) {
        let number = try PostgresNumeric(parsing: text)
        reserve(12 + number.groupCount * 2)
        let start = writtenBytes
        // Both counts are stored again once the number of trailing zeros is known.
        store(Int32(8))
        store(UInt16(0))
        store(Int16(truncatingIfNeeded: number.weight))
        store(number.sign.rawValue)
        store(UInt16(truncatingIfNeeded: number.scale))
        var end = writtenBytes
        number.forEachGroup(of: text) { group in
            store(group)
            if group != 0 { end = writtenBytes }
        }
        let size = end - start - 4
        writtenBytes = start
        store(Int32(truncatingIfNeeded: size))
        store(UInt16(truncatingIfNeeded: (size - 8) / 2))
        writtenBytes = end
        missingColumns &-= 1
    }

    /// `numeric` from decimal text in a string.
    public mutating func append(numeric text: borrowing String) throws(NumericError) {
        try append(numeric: unsafe text.utf8Span.span.bytes)
    }
}
