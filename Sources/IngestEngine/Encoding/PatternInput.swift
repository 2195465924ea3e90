/// Parses a time in a pattern's form, such as `dd.MM.yyyy HH:mm:ss`.
enum PatternInput {
    static func parse(_ text: ByteView, _ pattern: TimePattern, _ time: inout ParsedTime) -> Verdict {
        var fields = Fields()
        var index = 0
        for element in pattern.elements {
            switch element {
            case .literal(let bytes):
                guard index + bytes.count <= text.count else { return .syntax }
                for byte in bytes {
                    guard text[index] == byte else { return .syntax }
                    index += 1
                }
            case .field(let field, let digits):
                guard let value = number(text, &index, digits: digits) else { return .syntax }
                fields.set(field, value)
            case .fraction(let digits):
                guard let value = number(text, &index, digits: digits, isExact: true) else { return .syntax }
                fields.microseconds = TimeInput.microseconds(value, digits: digits)
            case .offset:
                guard let offset = offset(text, &index) else { return .syntax }
                time.offset = offset
                time.hasOffset = true
            }
        }
        guard index == text.count else { return .syntax }
        return fields.resolve(&time)
    }

    private struct Fields {
        var year: Int64?
        var month: Int64?
        var day: Int64?
        var hour: Int64?
        var minute: Int64 = 0
        var second: Int64 = 0
        var microseconds: Int64 = 0

        mutating func set(_ field: TimePattern.Field, _ value: Int64) {
            switch field {
            case .year: year = value
            case .month: month = value
            case .day: day = value
            case .hour: hour = value
            case .minute: minute = value
            case .second: second = value
            }
        }

        func resolve(_ time: inout ParsedTime) -> Verdict {
            guard (hour ?? 0) < 24, minute < 60, second < 60 else { return .range }
            time.microseconds = (((hour ?? 0) * 60 + minute) * 60 + second) * 1_000_000 + microseconds
            time.hasTime = hour != nil
            guard let year, let month, let day else { return .done }
            guard let days = TimeInput.days(year: year, month: month, day: day) else { return .range }
            time.days = days
            time.hasDate = true
            return .done
        }
    }

    /// Reads digits at an index, which it advances.
    ///
    /// - Parameter digits: The least number of digits, and the most; a 1 that isn't exact allows two.
    private static func number(
        _ text: ByteView, _ index: inout Int, digits: Int, isExact: Bool = false
    ) -> Int64? {
        let most = digits == 1 && !isExact ? 2 : digits
        var value: Int64 = 0
        var count = 0
        while count < most, index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            value = value * 10 + Int64(digit)
            count += 1
            index += 1
        }
        return count >= digits ? value : nil
    }

    /// Reads `Z`, `+hh`, `+hhmm` or `+hh:mm` as seconds; nil for anything else.
    private static func offset(_ text: ByteView, _ index: inout Int) -> Int64? {
        let sign = text.byte(orZero: index)
        index += 1
        if sign == UInt8(ascii: "Z") { return 0 }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hours = number(text, &index, digits: 2, isExact: true), hours < 16
        else { return nil }
        var minutes: Int64 = 0
        if text.byte(orZero: index) == UInt8(ascii: ":") {
            index += 1
            guard let pair = number(text, &index, digits: 2, isExact: true) else { return nil }
            minutes = pair
        } else if text.byte(orZero: index) &- UInt8(ascii: "0") <= 9 {
            guard let pair = number(text, &index, digits: 2, isExact: true) else { return nil }
            minutes = pair
        }
        guard minutes < 60 else { return nil }
        let seconds = (hours * 60 + minutes) * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }
}

/// Converts a number of units since 1970-01-01 00:00 UTC.
enum UnixTime {
    /// Converts a number.
    ///
    /// - Parameters:
    ///   - number: A number or decimal text with `isShort`.
    ///   - microseconds: Receives the microseconds since 2000-01-01 00:00 UTC; fractions are rounded half to even.
    static func microseconds(
        _ number: JSONSlot, _ unit: TimeFormat.UnixUnit, _ microseconds: inout Int64
    ) -> Verdict {
        var exponent = Int(number.exponent)
        switch unit {
        case .seconds: exponent += 6
        case .milliseconds: exponent += 3
        case .microseconds: break
        case .nanoseconds: exponent -= 3
        }
        var value = number.digits
        while exponent > 0, value > 0 {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return .range }
            value = scaled
            exponent -= 1
        }
        if exponent < 0 {
            // 19 digits are less than half of 10^20, so the result rounds to zero.
            guard exponent >= -19 else {
                microseconds = -946_684_800_000_000
                return .done
            }
            var divisor: UInt64 = 1
            for _ in exponent..<0 { divisor *= 10 }
            let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
            let half = divisor / 2
            value = quotient + (rest > half || rest == half && quotient & 1 == 1 ? 1 : 0)
        }
        guard let magnitude = Int64(exactly: value), magnitude < 9_000_000_000_000_000_000 else { return .range }
        microseconds = (number.isNegative ? -magnitude : magnitude) - 946_684_800_000_000
        return .done
    }
}
