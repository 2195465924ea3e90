import Concurrency

/// The calls that are waiting for a result. Closing the client ends them immediately.
final class OpenCalls: Sendable {
    private struct State {
        var isClosed = false
        var nextID = 0
        var calls: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Lock(State())

    /// Registers a call.
    ///
    /// - Parameter end: Ends the call. It must not block.
    /// - Returns: A number for `remove`; nil if the client is closed, and then `end` is not called.
    func add(_ end: @escaping @Sendable () -> Void) -> Int? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            defer { state.nextID += 1 }
            state.calls[state.nextID] = end
            return state.nextID
        }
    }

    func remove(_ id: Int) {
        state.withLock { _ = $0.calls.removeValue(forKey: id) }
    }

    /// Ends all calls and rejects later ones.
    func close() {
        let calls = state.withLock { state in
            state.isClosed = true
            defer { state.calls = [:] }
            return state.calls
        }
        for end in calls.values { end() }
    }
}
