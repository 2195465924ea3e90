/// A date, a time of day, or both, as written in a text.
struct ParsedTime {
    /// Days since 2000-01-01.
    var days: Int64 = 0
    /// Microseconds since midnight. Rounding a fraction up can reach the next midnight.
    var microseconds: Int64 = 0
    /// Seconds east of UTC.
    var offset: Int64 = 0
    var hasDate = false
    var hasTime = false
    var hasOffset = false

    static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Microseconds since 2000-01-01 00:00 by the same clock, ignoring the offset.
    var local: Int64 { days &* Self.microsecondsPerDay &+ microseconds }
}

/// Parses the common forms of ISO 8601 and leaves all others to the server.
///
/// Messages usually come in time order, so nearly every one has the date of the previous one, which is cached.
struct TimeInput {
    /// The first eight bytes of the last date and its last two; initially `2000-01-01`.
    private var lastDate: (UInt64, UInt16) = (0x2d31_302d_3030_3032, 0x3130)
    private var lastDays: Int64 = 0

    /// Parses a whole text: `yyyy-MM-dd`, optionally followed by a space or `T` and the time `HH:mm[:ss[.fraction]]`,
    /// and that by `Z`, `+hh`, `+hhmm` or `+hh:mm`.
    ///
    /// - Returns: `.range` if the day or time doesn't exist; `.server` for any other form.
    @inline(__always)
    mutating func parse(_ text: ByteView, _ time: inout ParsedTime) -> Verdict {
        guard text.count >= 10 else { return .server }
        if text.count > 10 {
            guard text[10] == UInt8(ascii: " ") || text[10] == UInt8(ascii: "T") else { return .server }
        }
        let verdict = date(text, &time)
        guard verdict == .done, text.count > 10 else { return verdict }
        return Self.timeOfDay(text, from: 11, &time)
    }

    @inline(__always)
    private mutating func date(_ text: ByteView, _ time: inout ParsedTime) -> Verdict {
        time.hasDate = true
        if !isLastDate(text, at: 0) {
            let verdict = readDate(text)
            guard verdict == .done else { return verdict }
        }
        time.days = lastDays
        return .done
    }

    /// - Precondition: The text has ten bytes at the offset.
    @inline(__always)
    private func isLastDate(_ text: ByteView, at offset: Int) -> Bool {
        text.word(offset) == lastDate.0 && text.half(offset &+ 8) == lastDate.1
    }

    /// Parses the first ten bytes as a new date and caches it.
    @inline(never)
    private mutating func readDate(_ text: ByteView) -> Verdict {
        var days: Int64 = 0
        let verdict = Self.days(text, &days)
        guard verdict == .done else { return verdict }
        lastDate = (text.word(0), text.half(8))
        lastDays = days
        return .done
    }

    /// The days since 2000-01-01 of the date at an offset; nil if it isn't `yyyy-MM-dd` or doesn't exist.
    ///
    /// - Precondition: The text has ten bytes at the offset.
    @inline(__always)
    mutating func days(_ text: ByteView, at offset: Int) -> Int64? {
        if !isLastDate(text, at: offset), readDate(text.slice(offset, 10)) != .done { return nil }
        return lastDays
    }

    private static func days(_ text: ByteView, _ days: inout Int64) -> Verdict {
        guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), let century = pair(text, 0),
            let years = pair(text, 2), let month = pair(text, 5), let day = pair(text, 8)
        else { return .server }
        guard let known = Self.days(year: century * 100 + years, month: month, day: day) else { return .range }
        days = known
        return .done
    }

    /// Parses `HH:mm[:ss[.fraction]][offset]` up to the end of the text.
    @inline(__always)
    static func timeOfDay(_ text: ByteView, from start: Int, _ time: inout ParsedTime) -> Verdict {
        if text.count &- start >= 8, let seconds = seconds(text.word(start)) {
            time.hasTime = true
            time.microseconds = seconds &* 1_000_000
            return fraction(text, from: start &+ 8, &time)
        }
        return uncommonTimeOfDay(text, from: start, &time)
    }

    /// The seconds since midnight of the word `HH:mm:ss`; nil for anything else.
    @inline(__always)
    static func seconds(_ word: UInt64) -> Int64? {
        // If the text has that form, each byte is now a digit's value, or 0 for a colon.
        let values = word ^ 0x3030_3a30_303a_3030
        let wrong = (values &+ 0x7676_7f76_767f_7676) | values
        guard wrong & 0x8080_8080_8080_8080 == 0 else { return nil }
        // Tens and ones of bytes 0, 3 and 6.
        let pairs = (values &* 10 &+ values >> 8) & 0x00ff_0000_ff00_00ff
        // A sum of 128 or more is out of range.
        guard (pairs &+ 0x0044_0000_4400_0068) & 0x0080_0000_8000_0080 == 0 else { return nil }
        let (hour, minute, second) = (pairs & 0xff, pairs >> 24 & 0xff, pairs >> 48)
        return Int64((hour &* 60 &+ minute) &* 60 &+ second)
    }

    /// Parses a time without seconds, or with a part that is out of range.
    @inline(never)
    private static func uncommonTimeOfDay(_ text: ByteView, from start: Int, _ time: inout ParsedTime) -> Verdict {
        guard text.count &- start >= 5, text[start &+ 2] == UInt8(ascii: ":"), let hour = pair(text, start),
            let minute = pair(text, start &+ 3)
        else { return .server }
        guard hour < 24, minute < 60 else { return hour == 24 && minute < 60 ? .server : .range }
        time.hasTime = true
        time.microseconds = (hour &* 60 &+ minute) &* 60_000_000
        var index = start &+ 5
        if text.byte(orZero: index) == UInt8(ascii: ":") {
            guard text.count &- index >= 3, let second = pair(text, index &+ 1) else { return .server }
            guard second < 60 else { return second == 60 ? .server : .range }
            time.microseconds &+= second &* 1_000_000
            index &+= 3
            return fraction(text, from: index, &time)
        }
        return index == text.count ? .done : zoneOffset(text, from: index, &time)
    }

    /// Parses `[.fraction][offset]` up to the end of the text.
    @inline(__always)
    private static func fraction(_ text: ByteView, from start: Int, _ time: inout ParsedTime) -> Verdict {
        var index = start
        if text.byte(orZero: index) == UInt8(ascii: ".") {
            let first = index &+ 1
            index = first
            var fraction: Int64 = 0
            while index < text.count, index &- first < 15 {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { break }
                fraction = fraction &* 10 &+ Int64(digit)
                index &+= 1
            }
            let count = index &- first
            guard count > 0 else { return .server }
            time.microseconds &+= microseconds(fraction, digits: count)
        }
        return index == text.count ? .done : zoneOffset(text, from: index, &time)
    }

    /// Microseconds of a decimal fraction of at most 15 digits, rounded as Postgres does: through a Double, half to
    /// even.
    @inline(__always)
    static func microseconds(_ fraction: Int64, digits: Int) -> Int64 {
        let powers: InlineArray<7, Int64> = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1]
        if digits <= 6 { return fraction &* powers[digits] }
        let value = Double(fraction) / FloatInput.powers[digits] * 1_000_000
        return Int64(value.rounded(.toNearestOrEven))
    }

    /// Parses `Z`, `+hh`, `+hhmm` or `+hh:mm` up to the end of the text.
    @inline(__always)
    private static func zoneOffset(_ text: ByteView, from start: Int, _ time: inout ParsedTime) -> Verdict {
        time.hasOffset = true
        let sign = text[start]
        if sign == UInt8(ascii: "Z") {
            time.offset = 0
            return start &+ 1 == text.count ? .done : .server
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), text.count &- start >= 3,
            let hours = pair(text, start &+ 1)
        else { return .server }
        var minutes: Int64 = 0
        switch text.count &- start {
        case 3: break
        case 5:
            guard let pair = pair(text, start &+ 3) else { return .server }
            minutes = pair
        case 6:
            guard text[start &+ 3] == UInt8(ascii: ":"), let pair = pair(text, start &+ 4) else { return .server }
            minutes = pair
        default: return .server
        }
        guard hours < 15, minutes < 60 else { return .server }
        let seconds = (hours &* 60 &+ minutes) &* 60
        time.offset = sign == UInt8(ascii: "-") ? 0 &- seconds : seconds
        return .done
    }

    /// The value of two digits; nil for anything else.
    ///
    /// - Precondition: The text has both bytes.
    @inline(__always)
    static func pair(_ text: ByteView, _ offset: Int) -> Int64? {
        let tens = text[offset] &- UInt8(ascii: "0")
        let ones = text[offset &+ 1] &- UInt8(ascii: "0")
        return tens <= 9 && ones <= 9 ? Int64(tens) &* 10 &+ Int64(ones) : nil
    }

    // MARK: The calendar

    /// Days from 2000-01-01 to a day of the Gregorian calendar; nil unless the day exists and the year is from 1 to
    /// 9999.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard year >= 1, year <= 9999, month >= 1, month <= 12, day >= 1, day <= length(ofMonth: month, year: year)
        else { return nil }
        // With years that begin in March the leap day comes last, so a simple formula gives the day of the year.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        // The same sum for 2000-01-01 is 730,425.
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 730_425
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
