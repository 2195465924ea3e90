/// A value that is there later, for all who wait. The first one counts.
///
/// It stands where a continuation would be resumed with a value. Where that happens before the task has stopped, the
/// value goes from thread to thread with no call that the thread sanitizer knows, and looks like a race. Here the value
/// lies under a lock, and the continuation says no more than that it is there.
package final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Lock(State())

    package init() {}

    /// Doesn't block, and has no effect after the first time.
    package func fulfil(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [] as [CheckedContinuation<Void, Never>] }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the value. A cancellation doesn't end the wait: who cares has the promise fulfilled.
    package func value() async -> Value {
        while true {
            if let value = state.withLock({ $0.value }) { return value }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.value == nil { state.waiters.append(continuation) }
                    return state.value != nil
                }
                if isThere { continuation.resume() }
            }
        }
    }
}
