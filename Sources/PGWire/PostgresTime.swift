/// Conversions to the server's time scale, which starts at 2000-01-01.
///
/// Source: PostgreSQL manual, "Date/Time Types", for the ranges.
public enum PostgresTime {
    /// Seconds from 1970-01-01 to 2000-01-01.
    public static let epochSeconds: Int64 = 946_684_800

    /// The finite values of `timestamp` and `timestamptz` in microseconds: 4714-11-24 BC to the end of 294276.
    public static let timestampRange: Range<Int64> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

    /// The finite values of `date` in days: 4714-11-24 BC to 5874897-12-31.
    public static let dateRange: ClosedRange<Int32> = -2_451_545...2_145_031_948

    /// Microseconds since 2000 from microseconds since 1970; nil if the server can't store that time.
    @inlinable
    public static func microseconds(sinceUnixEpoch microseconds: Int64) -> Int64? {
        let (shifted, overflow) = microseconds.subtractingReportingOverflow(epochSeconds &* 1_000_000)
        return !overflow && timestampRange.contains(shifted) ? shifted : nil
    }

    /// Microseconds since 2000 from milliseconds since 1970; nil if the server can't store that time.
    @inlinable
    public static func microseconds(millisecondsSinceUnixEpoch milliseconds: Int64) -> Int64? {
        let (shifted, overflow) = milliseconds.subtractingReportingOverflow(epochSeconds &* 1000)
        let (scaled, overflow2) = shifted.multipliedReportingOverflow(by: 1000)
        return !overflow && !overflow2 && timestampRange.contains(scaled) ? scaled : nil
    }

    /// Days since 2000 from days since 1970; nil if the server can't store that day.
    @inlinable
    public static func days(sinceUnixEpoch days: Int32) -> Int32? {
        let (shifted, overflow) = days.subtractingReportingOverflow(10_957)
        return !overflow && dateRange.contains(shifted) ? shifted : nil
    }
}
