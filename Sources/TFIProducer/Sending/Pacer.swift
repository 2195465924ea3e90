/// Decides when the next message is due: the first at once, then one per interval.
///
/// After a delay, overdue messages follow without waiting, but at most a second's worth of them: the rest of the delay
/// is skipped.
struct Pacer<Time: InstantProtocol & Sendable>: Sendable where Time.Duration == Duration {
    /// The time from one message to the next.
    let interval: Duration
    private var origin: Time
    private var taken = 0

    static var mostLate: Duration { .seconds(1) }

    init(interval: Duration, start: Time) {
        self.interval = interval
        origin = start
    }

    /// When the next message is due.
    var due: Time { origin.advanced(by: interval * taken) }

    /// Advances to the next message.
    ///
    /// - Parameters:
    ///   - now: The current time, at or after `due`.
    ///   - spacing: The number of intervals until the next message.
    mutating func take(now: Time, spacing: Int = 1) {
        let late = due.duration(to: now)
        if late > Self.mostLate { origin = origin.advanced(by: late - Self.mostLate) }
        taken += spacing
    }
}
