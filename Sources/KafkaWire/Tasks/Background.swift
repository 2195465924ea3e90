/// Starts a task that outlives the call that starts it: a loop, or work that several callers share.
///
/// Unlike `Task.init`, the task inherits neither task-locals nor priority. Otherwise everything that the client does
/// later, and every hook, handler, metric or token provider that it calls, would see the task-locals (a tracing span, a
/// request's logger) of the caller that happened to create the client or to be the first to need a connection.
///
/// Work on behalf of the caller, which the caller waits for, is a plain `Task` and does inherit them.
///
/// - Parameter name: The task's name in debuggers and profilers.
@discardableResult
func background<Success: Sendable>(
    _ name: String, _ work: @escaping @Sendable () async -> Success
) -> Task<Success, Never> {
    Task.detached(name: "KafkaWire: \(name)", operation: work)
}

/// Starts a task that outlives the call that starts it, and that may throw.
@discardableResult
func background<Success: Sendable>(
    _ name: String, throwing work: @escaping @Sendable () async throws -> Success
) -> Task<Success, any Error> {
    Task.detached(name: "KafkaWire: \(name)", operation: work)
}
