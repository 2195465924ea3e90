import Foundation

/// The offsets of a time zone, with that of the last quarter of an hour cached.
///
/// Local times that occur twice or never are read as `timestamp AT TIME ZONE` does in Postgres. At the end of summer
/// time the second occurrence (standard time) counts. In the gap at its beginning, the clock before the change counts.
/// The rules come from Foundation, not from the server's copy of the time zone database.
struct ZoneClock {
    private let zone: TimeZone
    private var lastLocal = Window()
    private var lastInstant = Window()

    /// A quarter of an hour, counted from 2000, with a constant offset.
    private struct Window {
        var number = Int64.min
        var offset: Int64 = 0
    }

    private static let windowLength: Int64 = 900
    /// Seconds from 1970-01-01 to 2000-01-01.
    private static let epoch: Int64 = 946_684_800

    /// nil if no time zone has this name.
    init?(_ name: String) {
        guard let zone = TimeZone(identifier: name) else { return nil }
        self.zone = zone
    }

    /// Seconds east of UTC at a local time.
    ///
    /// - Parameter seconds: Seconds since 2000-01-01 00:00 by the zone's clock.
    mutating func offset(atLocal seconds: Int64) -> Int64 {
        let number = floorDivide(seconds, Self.windowLength)
        if number == lastLocal.number { return lastLocal.offset }
        let offset = exactOffset(atLocal: seconds)
        let first = number * Self.windowLength
        if exactOffset(atLocal: first) == offset, exactOffset(atLocal: first + Self.windowLength - 1) == offset {
            lastLocal = Window(number: number, offset: offset)
        }
        return offset
    }

    /// Seconds east of UTC at an instant.
    ///
    /// - Parameter seconds: Seconds since 2000-01-01 00:00 UTC.
    mutating func offset(atInstant seconds: Int64) -> Int64 {
        let number = floorDivide(seconds, Self.windowLength)
        if number == lastInstant.number { return lastInstant.offset }
        let offset = exactOffset(atInstant: seconds)
        let first = number * Self.windowLength
        if exactOffset(atInstant: first) == offset, exactOffset(atInstant: first + Self.windowLength - 1) == offset {
            lastInstant = Window(number: number, offset: offset)
        }
        return offset
    }

    private func exactOffset(atInstant seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds + Self.epoch))))
    }

    private func exactOffset(atLocal seconds: Int64) -> Int64 {
        // No offset exceeds a day, so these two instants are before and after it.
        let day: Int64 = 86_400
        var low = seconds - day
        var high = seconds + day
        let before = exactOffset(atInstant: low)
        let after = exactOffset(atInstant: high)
        guard before != after else { return before }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if exactOffset(atInstant: middle) == before { low = middle } else { high = middle }
        }
        // The first second with the new offset.
        let change = high
        if seconds - before < change, seconds - after < change { return before }
        if seconds - before >= change, seconds - after >= change { return after }
        // In a gap use the clock before it, in a repeated hour the clock after it.
        return seconds - before > seconds - after ? before : after
    }
}

/// The quotient, rounded down.
func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
}
