import Concurrency
import Foundation

/// A thread that serves the sockets of many connections: the interface for other threads. `EventLoopThread` is the thread's
/// side.
final class EventLoop: Sendable {
    private struct Shared {
        var updates = Updates()
        var lastID: UInt64 = 0
        /// How many connections are served, or are about to be added.
        var count = 0
        /// Whether the thread waits for sockets, so that a signal has to end that wait.
        var isWaiting = false
        /// nil once the thread has ended.
        var wakeUp: WakeUp?
    }

    /// The connections that other threads have added or woken.
    struct Updates {
        var added: [ConnectionDriver] = []
        /// The ids of connections that must be served. An id may occur several times.
        var awake: [UInt64] = []

        var isEmpty: Bool { added.isEmpty && awake.isEmpty }

        mutating func removeAll() {
            added.removeAll(keepingCapacity: true)
            awake.removeAll(keepingCapacity: true)
        }
    }

    /// Guards all that other threads share with the loop's thread.
    private let shared: Lock<Shared>

    /// Starts the thread.
    ///
    /// - Parameter mayEnd: Called by the thread when it has no connection. It ends if the result is true.
    /// - Throws: `errno`, if the process has no descriptor or thread left.
    init(
        _ makePoller: () throws(SocketError) -> any SocketPoller, mayEnd: @escaping @Sendable (EventLoop) -> Bool
    ) throws(SocketError) {
        let wakeUp = try WakeUp()
        shared = Lock(Shared(wakeUp: wakeUp))
        let thread = try EventLoopThread(self, try makePoller(), wakeUp, mayEnd: mayEnd)
        guard startThread(name: "kafka sockets", stackSize: 512 << 10, thread.run) else { throw SocketError(EAGAIN) }
    }

    /// The number of connections that it serves.
    var count: Int { shared.withLock { $0.count } }

    /// Reserves the id of a connection. `add` must follow.
    func reserve() -> UInt64 {
        shared.withLock { shared in
            shared.count += 1
            shared.lastID += 1
            return shared.lastID
        }
    }

    /// Serves a connection until it is closed.
    func add(_ driver: ConnectionDriver) {
        notify { $0.added.append(driver) }
    }

    /// Has a connection served.
    func wake(_ id: UInt64) {
        notify { $0.awake.append(id) }
    }

    private func notify(_ change: (inout Updates) -> Void) {
        let wakeUp: WakeUp? = shared.withLock { shared in
            guard shared.wakeUp != nil else { return nil }
            change(&shared.updates)
            guard shared.isWaiting else { return nil }
            shared.isWaiting = false
            return shared.wakeUp
        }
        wakeUp?.signal()
    }

    // MARK: For the loop's thread

    /// Whether the thread may wait for sockets. If so, `notify` ends the wait.
    func beginsWaiting() -> Bool {
        shared.withLock { shared in
            shared.isWaiting = shared.updates.isEmpty
            return shared.isWaiting
        }
    }

    /// Ends the wait, and takes the updates of other threads in exchange for an empty value.
    func takeUpdates(_ updates: inout Updates) {
        // The arrays are exchanged, so that their memory is reused.
        let empty = updates
        updates = shared.withLock { shared in
            shared.isWaiting = false
            defer { shared.updates = empty }
            return shared.updates
        }
    }

    /// Connections that were closed are no longer served.
    func removed(_ count: Int) {
        shared.withLock { $0.count -= count }
    }

    /// Releases the descriptors if no connection is served or about to be added.
    ///
    /// - Returns: Whether that was the case.
    func endIfIdle() -> Bool {
        shared.withLock { shared in
            guard shared.count == 0 else { return false }
            shared.wakeUp = nil
            shared.updates = Updates()
            return true
        }
    }
}

/// The event loops that connections share.
///
/// A loop ends when its last connection is closed, so without connections there are no threads and no descriptors.
final class EventLoops: Sendable {
    /// All connections of the process use these.
    static let shared = EventLoops(most: mostLoops)

    /// Twice the number of cores, so that the few connections of a single client have a thread each.
    private static let mostLoops = min(max(2 * ProcessInfo.processInfo.activeProcessorCount, 4), 16)

    /// Guards the list of loops.
    private let loops = Lock<[EventLoop]>([])
    private let most: Int
    private let makePoller: @Sendable () throws(SocketError) -> any SocketPoller

    /// - Parameters:
    ///   - most: The largest number of loops.
    ///   - makePoller: Makes a loop's poller; by default the best one of the system.
    init(
        most: Int,
        makePoller: @escaping @Sendable () throws(SocketError) -> any SocketPoller = EventLoops.systemPoller
    ) {
        self.most = most
        self.makePoller = makePoller
    }

    private static func systemPoller() throws(SocketError) -> any SocketPoller {
        #if os(Linux)
            try EpollPoller()
        #else
            PollPoller()
        #endif
    }

    /// The number of loops.
    var count: Int { loops.withLock { $0.count } }

    /// Reserves a place for a connection: in a new loop, or in the one with the fewest connections.
    ///
    /// - Throws: `errno`, if there is no loop yet and the process has no descriptor or thread left.
    func reserve() throws(SocketError) -> (loop: EventLoop, id: UInt64) {
        // With the lock held, so that the loop does not end meanwhile.
        try loops.withLock { loops throws(SocketError) in
            let idlest = loops.min { $0.count < $1.count }
            if let idlest, loops.count >= most { return (idlest, idlest.reserve()) }
            do throws(SocketError) {
                let loop = try EventLoop(makePoller) { [weak self] in self?.remove($0) ?? $0.endIfIdle() }
                loops.append(loop)
                return (loop, loop.reserve())
            } catch {
                guard let idlest else { throw error }
                return (idlest, idlest.reserve())
            }
        }
    }

    /// Removes a loop if it has no connection, so that it may end.
    private func remove(_ loop: EventLoop) -> Bool {
        loops.withLock { loops in
            guard loop.endIfIdle() else { return false }
            loops.removeAll { $0 === loop }
            return true
        }
    }
}
