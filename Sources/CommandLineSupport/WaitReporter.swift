/// Decides when a program reports that it is still waiting.
///
/// A new reason is reported at once. For a repeated one, the interval between reports doubles from 1 s to 60 s. So
/// each change of the reason is reported, and a lasting one is repeated every minute. It is a value: the waiting code
/// owns one per thing that it waits for.
public struct WaitReporter: Sendable {
    private struct Report {
        var next: ContinuousClock.Instant
        var interval: Duration
    }

    private static let firstInterval = Duration.seconds(1)
    private static let longestInterval = Duration.seconds(60)
    /// The most distinct reasons. Reasons may contain varying numbers, so further ones count as one reason.
    private static let maximumReasons = 8
    private static let others = ""

    private var reports: [String: Report] = [:]

    public init() {}

    /// Whether a report was due since the last success.
    public var hasReported: Bool { !reports.isEmpty }

    /// Records a failed attempt. Call it after each one, or periodically while an attempt takes long.
    ///
    /// - Returns: Whether to report the reason now.
    public mutating func isDue(_ reason: String, at now: ContinuousClock.Instant) -> Bool {
        let key = reports[reason] == nil && reports.count >= Self.maximumReasons - 1 ? Self.others : reason
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

    /// Records a success.
    ///
    /// - Returns: Whether something was reported before, so that the success should be reported too.
    public mutating func succeeded() -> Bool {
        defer { self = WaitReporter() }
        return hasReported
    }
}
