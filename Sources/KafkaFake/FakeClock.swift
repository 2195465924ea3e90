import Foundation

/// How time passes in a fake cluster, for the timeouts of sessions, rebalances and transactions.
public enum FakeTime: Sendable {
    /// Time passes as usual.
    case running
    /// Time stands still until `FakeCluster.advance(by:)` moves it.
    case still
}

/// The brokers' clock.
struct FakeClock {
    private let time: FakeTime
    private let start = ContinuousClock.now
    private let wallStart = Date.now
    private var advanced = Duration.zero

    init(_ time: FakeTime) {
        self.time = time
    }

    var now: ContinuousClock.Instant {
        switch time {
        case .running: .now + advanced
        case .still: start + advanced
        }
    }

    /// The current time in milliseconds since 1970.
    var milliseconds: Int64 {
        Int64((wallStart.timeIntervalSince1970 + (now - start) / .seconds(1)) * 1000)
    }

    mutating func advance(by duration: Duration) {
        advanced += duration
    }

    /// The time, on the clock by which threads sleep, at which to check for an event due at `deadline`.
    ///
    /// - Returns: An hour from now if nothing is due: whoever advances the clock also wakes the waiting threads.
    func wakeUp(for deadline: ContinuousClock.Instant?) -> ContinuousClock.Instant {
        let idle = ContinuousClock.now + .seconds(3600)
        guard let deadline else { return idle }
        let left = deadline - now
        switch time {
        case .running: return min(.now + left, idle)
        case .still: return left <= .zero ? .now : idle
        }
    }
}
