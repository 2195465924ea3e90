/// Reads `yyyy-MM-dd HH:mm:ss[.ffffff]` into the microseconds since 2000-01-01 that Postgres keeps.
///
/// Messages come in the order of time, so nearly every one has the date of the one before: its days are kept.
struct TimestampParser: Sendable {
    /// The bytes of the date read last, and the microseconds at its midnight.
    private var lastDate: (UInt64, UInt16) = (0, 0)
    private var hasDate = false
    private var lastMidnight: Int64 = 0

    /// Nil where the text isn't of that form, or names a day or time that there isn't.
    mutating func microseconds(_ text: RawSpan) -> Int64? {
        guard let time = microseconds(text, from: 0), time.end == text.byteCount else { return nil }
        return time.microseconds
    }

    /// Reads the time that begins at an offset; `end` is the offset after its last digit.
    @inline(__always)
    mutating func microseconds(_ text: RawSpan, from start: Int) -> (microseconds: Int64, end: Int)? {
        let count = text.byteCount
        guard start >= 0, count &- start >= 19 else { return nil }
        // 19 bytes are there, and `end` stays below the count.
        func byte(_ offset: Int) -> UInt8 {
            unsafe text.unsafeLoad(fromUncheckedByteOffset: start &+ offset, as: UInt8.self)
        }
        let head = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self)
        let tail = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ 8, as: UInt16.self)
        if head != lastDate.0 || tail != lastDate.1 || !hasDate {
            guard let midnight = Self.midnight(text.extracting(start..<start &+ 10)) else { return nil }
            lastDate = (head, tail)
            lastMidnight = midnight
            hasDate = true
        }
        // A digit that isn't one makes a number that is too large.
        func pair(_ offset: Int) -> Int64 {
            let tens = Int64(byte(offset) &- UInt8(ascii: "0"))
            let ones = Int64(byte(offset &+ 1) &- UInt8(ascii: "0"))
            return tens <= 9 && ones <= 9 ? tens &* 10 &+ ones : 100
        }
        let (hour, minute, second) = (pair(11), pair(14), pair(17))
        guard byte(10) == UInt8(ascii: " ") || byte(10) == UInt8(ascii: "T"), byte(13) == UInt8(ascii: ":"),
            byte(16) == UInt8(ascii: ":"), hour < 24, minute < 60, second < 60
        else { return nil }
        let microseconds = lastMidnight &+ ((hour &* 60 &+ minute) &* 60 &+ second) &* 1_000_000
        guard count &- start > 19, byte(19) == UInt8(ascii: ".") else { return (microseconds, start &+ 19) }
        var fraction: Int64 = 0
        var scale: Int64 = 100_000
        var end = start &+ 20
        // At most six digits: `scale` is zero after them.
        while end < count, scale > 0 {
            let digit = unsafe text.unsafeLoad(fromUncheckedByteOffset: end, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            fraction &+= Int64(digit) &* scale
            scale /= 10
            end &+= 1
        }
        return end > start &+ 20 ? (microseconds &+ fraction, end) : nil
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
