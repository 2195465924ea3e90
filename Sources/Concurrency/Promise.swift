/// A value that is set once, later, and that any number of tasks can await.
///
/// Use it instead of resuming a continuation with a value. If that happens before the task has suspended, the value
/// passes between threads without a call that the thread sanitizer recognizes, and it reports a race. Here a lock
/// guards the value, and the continuation carries none.
public final class Promise<Value: Sendable>: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var value: Value?
        var waiters: [Waiter] = []
        var lastID: UInt64 = 0

        mutating func add(_ continuation: CheckedContinuation<Void, Never>) -> UInt64 {
            lastID += 1
            waiters.append(Waiter(id: lastID, continuation: continuation))
            return lastID
        }
    }

    private let state = Lock(State())

    public init() {}

    /// Sets the value and resumes all waiters. Doesn't block. Calls after the first have no effect.
    public func fulfil(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [] as [Waiter] }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume() }
    }

    /// Waits for the value. Not cancellable: callers that need to stop waiting must fulfil the promise themselves.
    public func value() async -> Value {
        while true {
            if let value = state.withLock({ $0.value }) { return value }
            await withCheckedContinuation { continuation in
                let isFulfilled = state.withLock { state in
                    if state.value == nil { _ = state.add(continuation) }
                    return state.value != nil
                }
                if isFulfilled { continuation.resume() }
            }
        }
    }

    /// Waits for the value, or until the task is cancelled.
    ///
    /// - Returns: nil if the task was cancelled first.
    public func valueUnlessCancelled() async -> Value? {
        let id = Lock<UInt64?>(nil)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // If the task was cancelled earlier, the handler has already run and found no waiter.
                    if state.value != nil || Task.isCancelled { return true }
                    let number = state.add(continuation)
                    id.withLock { $0 = number }
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let number = id.withLock { $0 }
                let index = state.waiters.firstIndex { $0.id == number }
                return index.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume()
        }
        return state.withLock { $0.value }
    }
}
