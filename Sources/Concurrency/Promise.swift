/// A value that is there later, for all who wait. The first one counts.
///
/// It stands where a continuation would be resumed with a value. Where that happens before the task has stopped, the
/// value goes from thread to thread with no call that the thread sanitizer knows, and looks like a race. Here the value
/// lies under a lock, and the continuation says no more than that it is there.
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

    /// Doesn't block, and has no effect after the first time.
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
                let isThere = state.withLock { state in
                    if state.value == nil { _ = state.add(continuation) }
                    return state.value != nil
                }
                if isThere { continuation.resume() }
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
                    // The handler runs before this if the task was cancelled before; it finds no waiter then.
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
