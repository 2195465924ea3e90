import Concurrency

/// Lets one task wait until another notifies it.
///
/// A notification that comes while nobody waits is kept, once: the next wait returns at once.
package final class Signal: Sendable {
    private struct State {
        var isSet = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Lock(State())

    package init() {}

    /// Whether a notification is kept for the next wait.
    package var isNotified: Bool { state.withLock { $0.isSet } }

    package func notify() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.isSet = true
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when notified, when the deadline has passed, or when the task is cancelled; the caller looks which.
    ///
    /// - Precondition: Only one task waits at a time.
    package func wait(until deadline: ContinuousClock.Instant? = nil) async {
        let timer = deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline)
                self.notify()
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSet = state.withLock { state in
                    if state.isSet || Task.isCancelled {
                        state.isSet = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isSet { continuation.resume() }
            }
        } onCancel: {
            notify()
        }
        timer?.cancel()
    }
}
