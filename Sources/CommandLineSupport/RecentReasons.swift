import Concurrency

/// Remembers printed reasons, so that each one is printed for one subject only.
///
/// A broker that is down fails many operations at the same time, each with an error that contains the same reason.
public final class RecentReasons: Sendable {
    private struct Entry {
        var subject: String
        var reason: String
        var until: ContinuousClock.Instant
        /// When the subject may repeat the reason.
        var next: ContinuousClock.Instant
        var interval: Duration
    }

    /// How long a reason is reserved for the subject for which it was printed.
    private static let period = Duration.seconds(60)
    // The client itself repeats a report at intervals from 1 s to 60 s. Half of these let each repetition pass.
    private static let firstInterval = Duration.milliseconds(500)
    private static let longestInterval = Duration.seconds(30)

    private struct State {
        var recent: [Entry] = []
        /// The subjects with a printed failure that has not been followed by a success.
        var failing: Set<String> = []
    }

    private let state = Lock(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    public init(now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }) {
        self.now = now
    }

    /// Whether to print a reason for a subject, such as an operation that is retried.
    ///
    /// A subject may repeat its own reason at growing intervals, so that an operation that is restarted constantly,
    /// each time as a new call, doesn't print a line per call.
    ///
    /// - Returns: false if the reason contains, or is part of, one that was printed for another subject within the
    ///   last minute. Also false if the same subject printed it too recently.
    public func isNew(_ reason: String, of subject: String) -> Bool {
        let now = now()
        return state.withLock { state in
            guard Self.isNew(reason, subject, now, &state.recent) else { return false }
            state.failing.insert(subject)
            return true
        }
    }

    private static func isNew(
        _ reason: String, _ subject: String, _ now: ContinuousClock.Instant, _ recent: inout [Entry]
    ) -> Bool {
        recent.removeAll { $0.until <= now }
        if let own = recent.firstIndex(where: { $0.subject == subject && $0.reason == reason }) {
            guard recent[own].next <= now else { return false }
            recent[own].interval = min(recent[own].interval * 2, longestInterval)
            recent[own].next = now + recent[own].interval
            recent[own].until = now + period
            return true
        }
        let isKnown = recent.contains {
            $0.subject != subject && (reason.contains($0.reason) || $0.reason.contains(reason))
        }
        if isKnown { return false }
        append(reason, subject, now, to: &recent)
        return true
    }

    /// Whether to print a subject's success.
    ///
    /// - Returns: false if no failure was printed since its last success.
    public func isNewSuccess(of subject: String) -> Bool {
        state.withLock { $0.failing.remove(subject) != nil }
    }

    /// Records a reason that is printed in any case, for example because it is printed once per change.
    public func printed(_ reason: String, of subject: String) {
        let now = now()
        state.withLock { state in
            state.recent.removeAll { $0.until <= now || $0.subject == subject && $0.reason == reason }
            Self.append(reason, subject, now, to: &state.recent)
        }
    }

    private static func append(
        _ reason: String, _ subject: String, _ now: ContinuousClock.Instant, to recent: inout [Entry]
    ) {
        recent.append(
            Entry(
                subject: subject, reason: reason, until: now + period, next: now + firstInterval,
                interval: firstInterval))
    }
}
