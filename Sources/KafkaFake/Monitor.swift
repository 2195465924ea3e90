import Foundation

/// A lock-protected state, with a condition to wait for its changes.
///
/// For threads that may block: on Swift's cooperative pool only `withLock` is allowed, which is short.
final class Monitor<State>: @unchecked Sendable {
    // @unchecked: the state is only accessed with the lock held.

    private let condition = NSCondition()
    private var state: State

    init(_ state: State) {
        self.state = state
    }

    func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        condition.lock()
        defer { condition.unlock() }
        return try body(&state)
    }

    /// Wakes all waiting threads, which check the state again.
    func notifyAll() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    /// Calls `attempt` at once, after each notification, and at the deadline, until it returns a value.
    ///
    /// - Returns: That value; nil if the deadline passed first.
    func wait<Result>(until deadline: ContinuousClock.Instant, _ attempt: (inout State) -> Result?) -> Result? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = attempt(&state) { return result }
            let left = deadline - .now
            guard left > .zero else { return nil }
            _ = condition.wait(until: Date(timeIntervalSinceNow: left / .seconds(1)))
        }
    }

    /// The outcome of an attempt.
    enum Look<Result> {
        case result(Result)
        /// No result yet: retry at this time, or earlier if the state changes.
        case again(ContinuousClock.Instant)
    }

    /// Calls `attempt` at once, after each notification, and at the time that it returned, until it returns a result.
    func wait<Result>(_ attempt: (inout State) -> Look<Result>) -> Result {
        condition.lock()
        defer { condition.unlock() }
        while true {
            switch attempt(&state) {
            case .result(let result): return result
            case .again(let instant):
                let left = max(instant - .now, .milliseconds(1))
                _ = condition.wait(until: Date(timeIntervalSinceNow: left / .seconds(1)))
            }
        }
    }
}
