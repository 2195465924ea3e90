import Foundation

/// How the time of a fake cluster passes: what sessions, rebalances and transactions time out by.
public enum FakeTime: Sendable {
    /// As on every clock.
    case running
    /// Not at all, until `FakeCluster.advance(by:)` moves it.
    case still
}

/// The brokers' time.
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

    /// The same in milliseconds since 1970.
    var milliseconds: Int64 {
        Int64((wallStart.timeIntervalSince1970 + (now - start) / .seconds(1)) * 1000)
    }

    mutating func advance(by duration: Duration) {
        advanced += duration
    }

    /// When to look again, on the clock that threads sleep by, if something falls due at `deadline`.
    ///
    /// - Returns: An hour from now where nothing falls due: who moves the time wakes whoever waits.
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
