/// Wakes the sender at a time.
///
/// Starting a timer takes longer than sending a batch, and a cancelled one stays in memory until its time. So a busy
/// sender doesn't start one for each wait: a timer continues through all waits, and is replaced only by an earlier one.
struct SenderTimer {
    private var instant: ContinuousClock.Instant?
    private var timer: Task<Void, Never>?
    /// The sender checks the time when it wakes, so a timer may fire too early.
    private static let longest = Duration.seconds(3600)

    /// Whether it must be set so that it fires by this instant: it isn't set, is set for a later instant, or is overdue,
    /// as it can be with a clock that a test has moved.
    func mustBeSet(for other: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Bool {
        instant.map { $0 > other || $0 <= now } ?? true
    }

    /// - Parameters:
    ///   - left: The time from now to `instant`.
    ///   - fire: Must call `fired`.
    mutating func set(
        for instant: ContinuousClock.Instant, in left: Duration, _ fire: @escaping @Sendable () async -> Void
    ) {
        timer?.cancel()
        self.instant = instant
        let wait = min(left, Self.longest)
        timer = Task {
            do {
                try await Task.sleep(for: wait)
            } catch {
                return  // cancelled
            }
            await fire()
        }
    }

    mutating func fired() {
        instant = nil
        timer = nil
    }

    mutating func cancel() {
        timer?.cancel()
        fired()
    }
}
