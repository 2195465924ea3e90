/// Reads `yyyy-MM-dd HH:mm:ss[.ffffff]` into the microseconds since 2000-01-01 that Postgres keeps.
///
/// Messages come in the order of time, so nearly every one has the date of the one before: its days are kept.
struct TimestampParser: Sendable {
    /// The bytes of the date read last, and the microseconds at its midnight.
    private var lastDate: (UInt64, UInt16) = (0, 0)
    private var hasDate = false
    private var lastMidnight: Int64 = 0

    /// Nil where the text isn't of that form, or names a day or time that there isn't.
    @inline(__always)
    mutating func microseconds(_ text: RawSpan) -> Int64? {
        let count = text.byteCount
        guard count >= 19, count <= 26 else { return nil }
        // The guard above has seen that the bytes up to 18 are there, and `fraction` stays below the count.
        let head = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self)
        let tail = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: 8, as: UInt16.self)
        if head != lastDate.0 || tail != lastDate.1 || !hasDate {
            guard let midnight = Self.midnight(text) else { return nil }
            lastDate = (head, tail)
            lastMidnight = midnight
            hasDate = true
        }
        func byte(_ offset: Int) -> UInt8 {
            unsafe text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        }
        func pair(_ offset: Int) -> Int64? {
            let tens = byte(offset) &- UInt8(ascii: "0")
            let ones = byte(offset &+ 1) &- UInt8(ascii: "0")
            return tens <= 9 && ones <= 9 ? Int64(tens) &* 10 &+ Int64(ones) : nil
        }
        guard byte(10) == UInt8(ascii: " ") || byte(10) == UInt8(ascii: "T"), byte(13) == UInt8(ascii: ":"),
            byte(16) == UInt8(ascii: ":"), let hour = pair(11), let minute = pair(14), let second = pair(17),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        if count > 19 {
            guard byte(19) == UInt8(ascii: "."), count > 20 else { return nil }
            var scale: Int64 = 100_000
            for offset in 20..<count {
                let digit = byte(offset) &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                fraction &+= Int64(digit) &* scale
                scale /= 10
            }
        }
        return lastMidnight &+ ((hour &* 60 &+ minute) &* 60 &+ second) &* 1_000_000 &+ fraction
    }

    /// The microseconds from 2000-01-01 to the beginning of a day of the Gregorian calendar.
    private static func midnight(_ text: RawSpan) -> Int64? {
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for offset in range {
                let digit = unsafe text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        func isDash(_ offset: Int) -> Bool {
            unsafe text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) == UInt8(ascii: "-")
        }
        guard isDash(4), isDash(7), let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            year >= 1, month >= 1, month <= 12, day >= 1, day <= daysIn(month, of: year)
        else { return nil }
        // Years that begin in March have the leap day at their end, so a day's number in the year is a plain formula.
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear
        // The same sum for 2000-01-01.
        return (days - 730_425) * 86_400_000_000
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
