/// Lets tasks wait until another task notifies them.
///
/// A notification wakes all tasks that wait. A notification while no task waits is kept, once: the next wait returns at
/// once.
public final class Signal: Sendable {
    private struct Waiter {
        let id: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var isSet = false
        var lastID = 0
        /// Usually there is only one waiter, which needs no array.
        var first: Waiter?
        var others: [Waiter] = []
    }

    private let state = Lock(State())

    public init() {}

    /// Whether a notification is kept for the next wait.
    public var isNotified: Bool { state.withLock { $0.isSet } }

    /// Wakes all tasks that wait. If there is none, ends the next wait at once.
    public func notify() {
        let (first, others) = state.withLock { state in
            let waiters = (state.first, state.others)
            if waiters.0 == nil { state.isSet = true }
            state.first = nil
            if !state.others.isEmpty { state.others = [] }
            return waiters
        }
        first?.continuation.resume()
        for other in others { other.continuation.resume() }
    }

    /// Returns when notified, when the deadline has passed, or when the task is cancelled; the caller checks which.
    ///
    /// Several tasks may wait. A wait that ends by its deadline or by cancellation leaves the others waiting.
    ///
    /// - Parameters:
    ///   - deadline: nil to wait without one.
    ///   - timing: The clock that the deadline is measured by.
    public func wait(until deadline: ContinuousClock.Instant? = nil, by timing: Timing = Timing()) async {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let remaining = deadline.map { $0 - timing.now() }
        var timer: Task<Void, any Error>?
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    if state.isSet {
                        state.isSet = false
                        return false
                    }
                    if Task.isCancelled { return false }
                    if let remaining, remaining <= .zero { return false }
                    let waiter = Waiter(id: id, continuation: continuation)
                    if state.first == nil { state.first = waiter } else { state.others.append(waiter) }
                    return true
                }
                guard waits else { return continuation.resume() }
                // Started after the task waits, so that the timer can't end before.
                if let remaining {
                    timer = Task {
                        try await timing.timeout(remaining)
                        self.wake(id)
                    }
                }
            }
        } onCancel: {
            wake(id)
        }
        timer?.cancel()
    }

    /// Ends one wait if it is in progress.
    private func wake(_ id: Int) {
        let waiter = state.withLock { state -> Waiter? in
            if let first = state.first, first.id == id {
                state.first = state.others.isEmpty ? nil : state.others.removeFirst()
                return first
            }
            guard let index = state.others.firstIndex(where: { $0.id == id }) else { return nil }
            return state.others.remove(at: index)
        }
        waiter?.continuation.resume()
    }
}
