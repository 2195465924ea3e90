import Foundation

/// State that threads share, and on whose changes they can wait.
///
/// For threads that may block: nothing here belongs on Swift's cooperative pool but `withLock`, which is short.
final class Monitor<State>: @unchecked Sendable {
    // @unchecked: the state is touched with the lock held and at no other time.

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

    /// Has whoever waits look again.
    func notifyAll() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    /// Calls `attempt` at once, and again after each notification and at the deadline, until it gives something.
    ///
    /// - Returns: What it gave; nil where the deadline passed before.
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

    /// What a look at the state comes to.
    enum Look<Result> {
        case result(Result)
        /// Nothing yet: to be tried again at this time, or earlier where something changes.
        case again(ContinuousClock.Instant)
    }

    /// Calls `attempt` at once, and again after each notification and at the time that it names, until it gives
    /// something.
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
