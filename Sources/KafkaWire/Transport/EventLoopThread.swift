import Foundation

/// The thread of an event loop: waits until a socket is ready, a deadline passes or a caller wakes a connection, and then
/// serves that connection's `ConnectionDriver`.
///
/// A driver is served for a short time (`ConnectionDriver.mostBytes`) before the others are.
final class EventLoopThread: @unchecked Sendable {
    // @unchecked: `EventLoop` makes it and hands it to its thread. Only that thread uses it from then on.

    private let loop: EventLoop
    private let poller: any SocketPoller
    private let wakeUp: WakeUp
    private let mayEnd: @Sendable (EventLoop) -> Bool
    private var updates = EventLoop.Updates()
    private var ready: [(id: UInt64, events: SocketEvents)] = []
    private var drivers: [UInt64: ConnectionDriver] = [:]
    /// The connections to serve in this turn.
    private var due: [ConnectionDriver] = []
    /// The earliest deadline of all connections, or an earlier instant: most deadlines move before they pass. When it has
    /// passed, it is computed again.
    private var nextDeadline: ContinuousClock.Instant?

    /// The id of `wakeUp`; those of connections begin at 1.
    private static let wakeUpID: UInt64 = 0

    /// - Throws: The error of the poller.
    init(
        _ loop: EventLoop, _ poller: any SocketPoller, _ wakeUp: WakeUp,
        mayEnd: @escaping @Sendable (EventLoop) -> Bool
    ) throws(SocketError) {
        self.loop = loop
        self.poller = poller
        self.wakeUp = wakeUp
        self.mayEnd = mayEnd
        if let error = poller.add(wakeUp.readEnd, id: Self.wakeUpID, .readable) { throw error }
    }

    /// Serves connections until none is left.
    func run() {
        repeat {
            wait()
            takeUpdates()
            takeDeadlines()
            serviceDue()
        } while !drivers.isEmpty || !mayEnd(loop)
    }

    private func wait() {
        let timeout = due.isEmpty && loop.beginsWaiting() ? Self.milliseconds(until: nextDeadline) : 0
        if let error = poller.wait(milliseconds: timeout, &ready) {
            // Without the poller no event would be noticed any more.
            for driver in drivers.values {
                driver.pollerFailed(error)
                schedule(driver, [])
            }
        }
        for (id, events) in ready {
            if id == Self.wakeUpID {
                wakeUp.drain()
            } else if let driver = drivers[id] {
                schedule(driver, events)
            }
        }
    }

    private func takeUpdates() {
        loop.takeUpdates(&updates)
        for driver in updates.added {
            driver.poller = poller
            drivers[driver.id] = driver
            schedule(driver, [])
        }
        for id in updates.awake {
            if let driver = drivers[id] { schedule(driver, []) }
        }
        updates.removeAll()
    }

    private func takeDeadlines() {
        guard let nextDeadline, nextDeadline <= .now else { return }
        self.nextDeadline = nil
        let now = ContinuousClock.now
        for driver in drivers.values {
            if driver.nextDeadline.map({ $0 <= now }) ?? false {
                schedule(driver, [])
            } else {
                note(driver.nextDeadline)
            }
        }
    }

    private func schedule(_ driver: ConnectionDriver, _ events: SocketEvents) {
        driver.events.formUnion(events)
        guard !driver.isDue else { return }
        driver.isDue = true
        due.append(driver)
    }

    private func note(_ deadline: ContinuousClock.Instant?) {
        guard let deadline else { return }
        nextDeadline = nextDeadline.map { min($0, deadline) } ?? deadline
    }

    /// Serves each connection that is due. Those that are not done then continue in the next turn.
    private func serviceDue() {
        let count = due.count
        for index in 0..<count {
            let driver = due[index]
            driver.isDue = false
            driver.service()
            if driver.isClosed {
                drivers[driver.id] = nil
                loop.removed(1)
            } else {
                note(driver.nextDeadline)
                if driver.hasMore { schedule(driver, []) }
            }
        }
        due.removeSubrange(0..<count)
    }

    /// The poller's timeout: milliseconds, or -1 without a deadline.
    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let left = deadline - .now
        guard left > .zero else { return 0 }
        // A longer wait is divided, since a very long one does not fit into milliseconds.
        guard left < .seconds(60) else { return 60_000 }
        // Rounded up: otherwise the last fraction of a millisecond would be a busy loop.
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
        return Int32(clamping: milliseconds)
    }
}
