extension Timing {
    /// Runs work in its own task and waits for its result, at most for `limit`.
    ///
    /// After the limit the work continues. Cancelling the caller's task ends neither the wait nor the work.
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
