import Foundation

/// Clock, sleep and randomness; replaceable in tests.
package struct Timing: Sendable {
    package var now: @Sendable () -> ContinuousClock.Instant
    /// Milliseconds since 1970.
    package var wallClock: @Sendable () -> Int64
    package var sleep: @Sendable (Duration) async throws -> Void
    /// Waits until something that is in progress has taken too long.
    ///
    /// Apart from `sleep`, so that a test whose pauses take no time doesn't time out what is in progress.
    package var timeout: @Sendable (Duration) async throws -> Void
    /// A number from 0 up to 1.
    package var random: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        wallClock: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: min($0, longest)) },
        timeout: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: min($0, longest)) },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
        self.now = now
        self.wallClock = wallClock
        self.sleep = sleep
        self.timeout = timeout
        self.random = random
    }
}

/// The longest time that a task is put to sleep for: what is longer doesn't fit into the system's own units.
private let longest = Duration.seconds(10 * 365 * 86400)

/// How long to wait before another attempt: doubled with each failure up to a limit, a fifth of it at random, so that
/// clients that failed together don't come back together (KIP-580).
package struct Backoff: Sendable {
    package let initial: Duration
    package let maximum: Duration

    package init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
    }

    /// - Parameters:
    ///   - failures: How many attempts have failed, from 1.
    ///   - random: A number from 0 up to 1.
    package func delay(afterFailures failures: Int, random: Double) -> Duration {
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

extension ClientConfiguration {
    /// Between attempts of what is tried again: `retry.backoff.ms`, up to `retry.backoff.max.ms`.
    var backoff: Backoff { Backoff(initial: retryBackoff, maximum: retryBackoffMaximum) }
}
