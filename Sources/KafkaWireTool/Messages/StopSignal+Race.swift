import CommandLineSupport

extension StopSignal {
    /// Runs work until it ends or a stop is requested.
    ///
    /// - Parameter work: Cancelled when a stop is requested. It is not awaited then, because it may not react soon.
    /// - Returns: nil if a stop was requested first.
    func unlessRequested<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let (outcomes, outcome) = AsyncStream<Result<Value?, any Error>>.makeStream()
        let working = Task {
            do { outcome.yield(.success(try await work())) } catch { outcome.yield(.failure(error)) }
        }
        let waiting = Task {
            await wait()
            outcome.yield(.success(nil))
        }
        defer {
            working.cancel()
            waiting.cancel()
        }
        for await first in outcomes { return try first.get() }
        // The stream ends only if this task is cancelled.
        throw CancellationError()
    }
}
