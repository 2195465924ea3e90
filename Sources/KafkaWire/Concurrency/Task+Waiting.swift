import Concurrency

extension Task where Failure == any Error {
    /// The task's value, for one of several who wait for it: a waiter that is cancelled stops waiting at once, and the
    /// task goes on for the others.
    ///
    /// - Throws: The task's error, or `CancellationError` where the waiter was cancelled.
    func valueUnlessCancelled() async throws -> Success {
        let promise = Promise<Success>()
        Task<Void, Never> { promise.fulfil(await self.result) }
        return try await withTaskCancellationHandler {
            try await promise.value()
        } onCancel: {
            promise.fulfil(.failure(_Concurrency.CancellationError()))
        }
    }
}

/// A result that is there later, for one who waits. The first result counts.
final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case pending
        case awaited(CheckedContinuation<Value, any Error>)
        case fulfilled(Result<Value, any Error>)
        case taken
    }

    private let state = Lock(State.pending)

    func fulfil(_ result: Result<Value, any Error>) {
        let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .pending:
                state = .fulfilled(result)
                return nil
            case .awaited(let continuation):
                state = .taken
                return continuation
            case .fulfilled, .taken: return nil
            }
        }
        waiter?.resume(with: result)
    }

    /// - Precondition: It is called once.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Value, any Error>? = state.withLock { state in
                guard case .fulfilled(let result) = state else {
                    state = .awaited(continuation)
                    return nil
                }
                state = .taken
                return result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
