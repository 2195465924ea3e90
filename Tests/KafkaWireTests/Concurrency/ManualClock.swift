import Concurrency

/// A clock that stands still until a test advances it. Sleeps and timeouts that use it wait until then.
final class ManualClock: Sendable {
    private struct Sleeper {
        let id: Int
        let deadline: ContinuousClock.Instant
        let end: Promise<Void>
    }

    private struct State {
        var now = ContinuousClock.now
        var lastID = 0
        var sleepers: [Sleeper] = []
    }

    private let state = Lock(State())
    /// Notified when another task sleeps.
    private let changed = Signal()

    /// Each random number is 0.5, so that backoffs have their nominal length.
    var timing: Timing {
        Timing(
            now: { self.now }, sleep: { try await self.sleep($0) }, timeout: { try await self.sleep($0) },
            random: { 0.5 })
    }

    var now: ContinuousClock.Instant { state.withLock { $0.now } }

    /// The remaining time of each sleeping task, in ascending order.
    var sleepers: [Duration] { state.withLock { state in state.sleepers.map { $0.deadline - state.now }.sorted() } }

    /// Advances the clock, and wakes the tasks whose sleep has ended.
    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now += duration
            let woken = state.sleepers.filter { $0.deadline <= state.now }
            state.sleepers.removeAll { $0.deadline <= state.now }
            return woken
        }
        for sleeper in woken { sleeper.end.fulfil(()) }
    }

    /// Waits until a task sleeps for this long from now.
    func sleeper(for duration: Duration) async {
        while !sleepers.contains(duration), !Task.isCancelled { await changed.wait() }
    }

    private func sleep(_ duration: Duration) async throws {
        try Task.checkCancellation()
        let end = Promise<Void>()
        let id = state.withLock { state -> Int? in
            guard duration > .zero else { return nil }
            state.lastID += 1
            state.sleepers.append(Sleeper(id: state.lastID, deadline: state.now + duration, end: end))
            return state.lastID
        }
        guard let id else { return }
        changed.notify()
        guard await end.valueUnlessCancelled() != nil else {
            state.withLock { $0.sleepers.removeAll { $0.id == id } }
            throw CancellationError()
        }
    }
}
