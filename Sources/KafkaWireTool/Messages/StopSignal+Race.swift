import CommandLineSupport

extension StopSignal {
    /// Does what may take long, unless the end is asked for before it is done: then it is cancelled.
    ///
    /// - Returns: Nil where the end was asked for first.
    func unlessRequested<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { return nil }
            return first
        }
    }
}
