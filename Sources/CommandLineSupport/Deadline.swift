/// Does something that must not take longer than a time.
///
/// - Parameters:
///   - failure: What is thrown when the time is over.
///   - work: Is cancelled when the time is over, or the task is cancelled, and isn't waited for then: what it does
///     may not notice soon.
/// - Throws: What `work` throws; `failure`; `CancellationError`.
package func withDeadline<Success: Sendable>(
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
    // The stream ends by itself only where this task is cancelled.
    throw CancellationError()
}
