/// Runs work with a time limit.
///
/// - Parameters:
///   - failure: The error to throw when the time is up.
///   - work: Cancelled when the time is up or the calling task is cancelled. It isn't awaited then, since it may not
///     react soon.
/// - Throws: Errors of `work`; `failure`; `CancellationError`.
public func withDeadline<Success: Sendable>(
    _ duration: Duration, failure: Failure, clock: some Clock<Duration> = ContinuousClock(),
    _ work: @escaping @Sendable () async throws -> Success
) async throws -> Success {
    let (outcomes, outcome) = AsyncStream<Result<Success, any Error>>.makeStream()
    let working = Task {
        do {
            outcome.yield(.success(try await work()))
        } catch {
            outcome.yield(.failure(error))
        }
    }
    let waiting = Task {
        try await clock.sleep(for: duration)
        outcome.yield(.failure(failure))
    }
    defer {
        working.cancel()
        waiting.cancel()
    }
    for await first in outcomes { return try first.get() }
    // The stream ends by itself only if this task is cancelled.
    throw CancellationError()
}
