/// A time of the plant's clock, `yyyy-MM-dd HH:mm:ss.S`: local, without a time zone.
struct PlantTimestamp: Equatable, Comparable, Sendable {
    /// The microseconds since 1970-01-01 00:00 of the plant's clock.
    let microseconds: Int64
    /// The number of fractional digits that are written, at most 6. With 0 the point is omitted.
    let fractionDigits: Int8

    static let microsecondsPerDay: Int64 = 86_400_000_000

    init(microseconds: Int64, fractionDigits: Int8) {
        self.microseconds = microseconds
        self.fractionDigits = fractionDigits
    }

    /// Parses the text; nil if it is not a timestamp, or names a date or time that does not exist.
    init?(_ text: ArraySlice<UInt8>) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip(" "), let hour = reader.number(2), reader.skip(":"),
            let minute = reader.number(2), reader.skip(":"), let second = reader.number(2),
            year >= 1, (1...12).contains(month), (1...Self.days(inMonth: month, of: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        var digits: Int8 = 0
        if reader.skip(".") {
            while digits < 6, let digit = reader.number(1) {
                fraction = fraction * 10 + digit
                digits += 1
            }
            if digits == 0 { return nil }
            for _ in digits..<6 { fraction *= 10 }
        }
        guard reader.isAtEnd else { return nil }
        let seconds = Self.dayNumber(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        microseconds = seconds * 1_000_000 + fraction
        fractionDigits = digits
    }

    /// The day's number since 1970-01-01, and the microseconds since midnight.
    var dayAndTime: (day: Int64, time: UInt64) {
        let (day, time) = microseconds.quotientAndRemainder(dividingBy: Self.microsecondsPerDay)
        return time < 0 ? (day - 1, UInt64(time + Self.microsecondsPerDay)) : (day, UInt64(time))
    }

    static func < (first: PlantTimestamp, second: PlantTimestamp) -> Bool {
        first.microseconds < second.microseconds
    }

    // MARK: The calendar

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The number of days since 1970-01-01 in the Gregorian calendar. Valid from year 1.
    static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years are counted from March, so that a leap day is their last day, and the months before a given one have
        // (153 m + 2) / 5 days. 719,469 days lie between the first of these years and 1970.
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = month > 2 ? month - 3 : month + 9
        return 365 * marchYear + marchYear / 4 - marchYear / 100 + marchYear / 400 + (153 * marchMonth + 2) / 5 + day
            - 719_469
    }

    /// The date of a day since 1970-01-01. Valid from year 1.
    static func date(ofDay dayNumber: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // 400 years have 146,097 days: the first estimate is off by at most one year.
        var year = 1970 + dayNumber * 400 / 146_097
        while Self.dayNumber(year: year + 1, month: 1, day: 1) <= dayNumber { year += 1 }
        while Self.dayNumber(year: year, month: 1, day: 1) > dayNumber { year -= 1 }
        var day = dayNumber - Self.dayNumber(year: year, month: 1, day: 1) + 1
        var month: Int64 = 1
        while day > days(inMonth: month, of: year) {
            day -= days(inMonth: month, of: year)
            month += 1
        }
        return (year, month, day)
    }
}

/// Parses text of digits and separators.
private struct DigitReader {
    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { rest = text }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Reads a number of exactly this many digits.
    mutating func number(_ digits: Int) -> Int64? {
        var value: Int64 = 0
        guard rest.count >= digits else { return nil }
        for byte in rest.prefix(digits) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        rest = rest.dropFirst(digits)
        return value
    }
}
