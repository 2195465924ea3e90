/// Wakes the sender at a time that is far off.
///
/// A timer that is cancelled stays in memory until its time has come. One for each wait of a busy sender, for minutes
/// each, would pile up; so this one goes on through all waits, and gives way to an earlier one alone.
struct ProducerAlarm {
    private var instant: ContinuousClock.Instant?
    private var timer: Task<Void, Never>?
    /// Who sets it looks then what the time is: one that rings too early does no harm.
    private static let longest = Duration.seconds(3600)

    /// Whether it doesn't ring at this time yet, or before.
    func isAfter(_ other: ContinuousClock.Instant) -> Bool {
        instant.map { $0 > other } ?? true
    }

    /// - Parameters:
    ///   - left: How long that is from now.
    ///   - ring: Has to call `rang`.
    mutating func set(
        for instant: ContinuousClock.Instant, in left: Duration, _ ring: @escaping @Sendable () async -> Void
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
            await ring()
        }
    }

    mutating func rang() {
        instant = nil
        timer = nil
    }

    mutating func cancel() {
        timer?.cancel()
        rang()
    }
}
