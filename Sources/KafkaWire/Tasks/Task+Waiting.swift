import Concurrency

extension Task where Failure == any Error {
    /// Waits for the task's value; cancelling the waiter ends the wait, not the task.
    ///
    /// For tasks that several callers wait for.
    ///
    /// - Throws: The task's error, or `CancellationError` if the waiter was cancelled.
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
