/// Decides when the next message is due: the first at once, and from then on one every interval.
///
/// Messages that are late, since the sender was held up, follow without waiting, but never more than a second's worth:
/// what is later than that is forgotten.
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

    /// Goes on to the message after the next.
    ///
    /// - Parameters:
    ///   - now: What time it is; the next message was due by then.
    ///   - spacing: How many intervals pass until the one after it.
    mutating func take(now: Time, spacing: Int = 1) {
        let late = due.duration(to: now)
        if late > Self.mostLate { origin = origin.advanced(by: late - Self.mostLate) }
        taken += spacing
    }
}
