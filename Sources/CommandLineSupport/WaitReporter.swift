/// Decides when a program reports that it still waits for something.
///
/// A reason is reported at once if this wait has not had it yet. Otherwise the interval between two reports doubles, from
/// 1 s to 60 s. A plain value: whoever waits owns one for each thing that it waits for.
package struct WaitReporter: Sendable {
    private static let firstInterval = Duration.seconds(1)
    private static let longestInterval = Duration.seconds(60)
    /// Reasons may contain numbers that change each time: from so many different ones on, only the intervals count.
    private static let mostReasons = 8

    private var reported: Set<String> = []
    private var next: ContinuousClock.Instant?
    private var interval = Self.firstInterval

    package init() {}

    /// Whether a report was due since the last success.
    package var hasReported: Bool { next != nil }

    /// Call after each failed attempt, or from time to time while one attempt takes long.
    ///
    /// - Returns: Whether the reason is to be reported now.
    package mutating func isDue(_ reason: String, at now: ContinuousClock.Instant) -> Bool {
        if let next, now < next, reported.contains(reason) || reported.count >= Self.mostReasons { return false }
        if next != nil { interval = min(interval * 2, Self.longestInterval) }
        reported.insert(reason)
        next = now + interval
        return true
    }

    /// Call after a success.
    ///
    /// - Returns: Whether anything was reported before, so that the success is to be reported too.
    package mutating func succeeded() -> Bool {
        defer { self = WaitReporter() }
        return hasReported
    }
}
