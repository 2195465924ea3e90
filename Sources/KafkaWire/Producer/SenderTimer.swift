/// Wakes the sender at a time that may be minutes away.
///
/// A cancelled timer stays in memory until its time. If each wait of a busy sender had its own, thousands would pile up; so
/// this one continues through all waits, and is replaced only by an earlier one.
struct SenderTimer {
    private var instant: ContinuousClock.Instant?
    private var timer: Task<Void, Never>?
    /// The sender checks the time when it wakes, so a timer may fire too early.
    private static let longest = Duration.seconds(3600)

    /// Whether it is not set for this instant or an earlier one.
    func isAfter(_ other: ContinuousClock.Instant) -> Bool {
        instant.map { $0 > other } ?? true
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
