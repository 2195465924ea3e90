import Foundation

/// The clock, sleeping and randomness. Tests replace them.
public struct Timing: Sendable {
    /// The monotonic clock's current time.
    public var now: @Sendable () -> ContinuousClock.Instant
    /// Milliseconds since 1970.
    public var wallClock: @Sendable () -> Int64
    /// Waits between two attempts (back-off), or between two periodic actions.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// Waits until a deadline of something that is in progress: a request, or a wait for a notification.
    ///
    /// Separate from `sleep`, so that a test whose back-offs take no time doesn't time out what is in progress.
    public var timeout: @Sendable (Duration) async throws -> Void
    /// A number from 0 up to 1.
    public var random: @Sendable () -> Double

    /// The longest time that a task sleeps. Longer ones would overflow the system's units.
    public static let longestSleep = Duration.seconds(10 * 365 * 86400)

    public init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        wallClock: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) },
        sleep: @escaping @Sendable (Duration) async throws -> Void = {
            try await Task.sleep(for: min($0, Timing.longestSleep))
        },
        timeout: @escaping @Sendable (Duration) async throws -> Void = {
            try await Task.sleep(for: min($0, Timing.longestSleep))
        },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
        self.now = now
        self.wallClock = wallClock
        self.sleep = sleep
        self.timeout = timeout
        self.random = random
    }
}
