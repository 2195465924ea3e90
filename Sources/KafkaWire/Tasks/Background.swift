/// Starts a task that outlives the calling function: a loop, or work that several callers share.
///
/// Unlike `Task.init`, the task inherits neither task-locals nor priority. Otherwise the client's later work, with
/// every hook, handler, metric and token provider that it calls, would see the task-locals (a tracing span, a request's
/// logger) of whichever caller created the client or first needed a connection.
///
/// For work that the caller waits for, use a plain `Task`, which does inherit them.
///
/// - Parameter name: The task's name in debuggers and profilers.
@discardableResult
func background<Success: Sendable>(
    _ name: String, _ work: @escaping @Sendable () async -> Success
) -> Task<Success, Never> {
    Task.detached(name: "KafkaWire: \(name)", operation: work)
}

/// Starts a task that outlives the calling function and may throw.
@discardableResult
func background<Success: Sendable>(
    _ name: String, throwing work: @escaping @Sendable () async throws -> Success
) -> Task<Success, any Error> {
    Task.detached(name: "KafkaWire: \(name)", operation: work)
}
