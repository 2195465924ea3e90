import Concurrency

/// Remembers the reasons that a program has printed, so that it prints each under one heading only.
///
/// A broker that is down fails many operations at the same time, each with an error that contains the same reason.
package final class RecentReasons: Sendable {
    private struct Entry {
        var subject: String
        var reason: String
        var until: ContinuousClock.Instant
    }

    /// How long a reason belongs to the subject that it was printed for.
    private static let period = Duration.seconds(60)

    private let recent = Lock<[Entry]>([])
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }) {
        self.now = now
    }

    /// Whether a reason has to be printed for a subject, such as an operation that is retried.
    ///
    /// - Returns: False if the reason contains one that was printed for another subject within the last minute, or is
    ///   part of one.
    package func isNew(_ reason: String, of subject: String) -> Bool {
        let now = now()
        return recent.withLock { recent in
            recent.removeAll { $0.until <= now || $0.subject == subject }
            if recent.contains(where: { reason.contains($0.reason) || $0.reason.contains(reason) }) { return false }
            recent.append(Entry(subject: subject, reason: reason, until: now + Self.period))
            return true
        }
    }
}
