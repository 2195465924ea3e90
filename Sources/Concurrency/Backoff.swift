/// How long to wait before another attempt: doubled with each failure up to a limit, a fifth of it at random, so that
/// clients that failed together don't come back together (KIP-580).
public struct Backoff: Sendable {
    public let initial: Duration
    public let maximum: Duration

    /// - Parameters:
    ///   - initial: The delay after the first failure.
    ///   - maximum: The longest delay, without the random part.
    public init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
    }

    /// - Parameters:
    ///   - failures: How many attempts have failed, from 1.
    ///   - random: A number from 0 up to 1.
    public func delay(afterFailures failures: Int, random: Double) -> Duration {
        var doubled = initial
        var left = min(max(failures, 1) - 1, 20)
        // No further than needed: twice a very long time isn't a duration any more.
        while left > 0, doubled < maximum {
            doubled += doubled
            left -= 1
        }
        return min(doubled, maximum) * (0.8 + 0.4 * random)
    }
}
