/// The delay before each retry: exponential with a limit.
///
/// The delay doubles with each failure up to `maximum`. A random part of ±20 % keeps clients that failed together from
/// retrying together (KIP-580).
public struct Backoff: Sendable {
    public let initial: Duration
    public let maximum: Duration

    /// - Parameters:
    ///   - initial: The delay after the first failure.
    ///   - maximum: The longest delay, before the random part is applied.
    public init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The delay before the next attempt.
    ///
    /// - Parameters:
    ///   - failures: How many attempts have failed, from 1.
    ///   - random: A number from 0 up to 1.
    public func delay(afterFailures failures: Int, random: Double) -> Duration {
        var doubled = initial
        var left = min(max(failures, 1) - 1, 20)
        // Stops at the limit, so that doubling can't overflow `Duration`.
        while left > 0, doubled < maximum {
            doubled += doubled
            left -= 1
        }
        return min(doubled, maximum) * (0.8 + 0.4 * random)
    }
}
