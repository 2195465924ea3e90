/// Decides when a program reports that it still waits for something.
///
/// A reason is reported at once if this wait has not had it yet. Otherwise the interval between two reports of the same
/// reason doubles, from 1 s to 60 s: so a change of the reason is reported, and one that stays is repeated every minute.
/// A plain value: whoever waits owns one for each thing that it waits for.
public struct WaitReporter: Sendable {
    private struct Report {
        var next: ContinuousClock.Instant
        var interval: Duration
    }

    private static let firstInterval = Duration.seconds(1)
    private static let longestInterval = Duration.seconds(60)
    /// Reasons may contain numbers that change each time: further ones count as one reason.
    private static let mostReasons = 8
    private static let others = ""

    private var reports: [String: Report] = [:]

    public init() {}

    /// Whether a report was due since the last success.
    public var hasReported: Bool { !reports.isEmpty }

    /// Call after each failed attempt, or from time to time while one attempt takes long.
    ///
    /// - Returns: Whether the reason is to be reported now.
    public mutating func isDue(_ reason: String, at now: ContinuousClock.Instant) -> Bool {
        let key = reports[reason] == nil && reports.count >= Self.mostReasons - 1 ? Self.others : reason
        guard var report = reports[key] else {
            reports[key] = Report(next: now + Self.firstInterval, interval: Self.firstInterval)
            return true
        }
        guard now >= report.next else { return false }
        report.interval = min(report.interval * 2, Self.longestInterval)
        report.next = now + report.interval
        reports[key] = report
        return true
    }

    /// Call after a success.
    ///
    /// - Returns: Whether anything was reported before, so that the success is to be reported too.
    public mutating func succeeded() -> Bool {
        defer { self = WaitReporter() }
        return hasReported
    }
}
