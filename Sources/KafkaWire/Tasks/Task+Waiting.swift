import Concurrency

extension Task where Failure == any Error {
    /// The task's value, for one of several who wait for it: a waiter that is cancelled stops waiting at once, and the
    /// task goes on for the others.
    ///
    /// - Throws: The task's error, or `CancellationError` where the waiter was cancelled.
    func valueUnlessCancelled() async throws -> Success {
        let promise = Promise<Result<Success, any Error>>()
        Task<Void, Never> { promise.fulfil(await self.result) }
        return try await withTaskCancellationHandler {
            try await promise.value().get()
        } onCancel: {
            promise.fulfil(.failure(_Concurrency.CancellationError()))
        }
    }
}
