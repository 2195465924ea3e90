extension Timing {
    /// Waits for work to end, but no longer than a limit. The work continues in its own task.
    ///
    /// Neither the wait nor the work ends when the caller's task is cancelled.
    ///
    /// - Returns: nil if the limit was reached first.
    public func wait<Value: Sendable>(
        atMost limit: Duration, for work: @escaping @Sendable () async -> Value
    ) async -> Value? {
        let outcome = Promise<Value?>()
        Task { outcome.fulfil(await work()) }
        let timer = Task {
            try await timeout(limit)
            outcome.fulfil(nil)
        }
        defer { timer.cancel() }
        return await outcome.value()
    }
}
