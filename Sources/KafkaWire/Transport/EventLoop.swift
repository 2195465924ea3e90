import Concurrency
import Foundation

/// A thread that serves the sockets of many connections, as other threads see it.
///
/// `EventLoopThread` is what the thread does.
final class EventLoop: Sendable {
    private struct Shared {
        var news = News()
        var lastID: UInt64 = 0
        /// How many connections are served, or are about to be added.
        var count = 0
        /// Whether the thread waits for sockets, so that a signal has to end that wait.
        var isWaiting = false
        /// nil once the thread has ended.
        var wakeUp: WakeUp?
    }

    /// What other threads have for the loop's thread.
    struct News {
        var added: [ConnectionDriver] = []
        /// The ids of connections with commands from their callers. One may occur several times.
        var awake: [UInt64] = []

        var isEmpty: Bool { added.isEmpty && awake.isEmpty }

        mutating func removeAll() {
            added.removeAll(keepingCapacity: true)
            awake.removeAll(keepingCapacity: true)
        }
    }

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

    /// How many connections it serves.
    var count: Int { shared.withLock { $0.count } }

    /// Reserves the id of a connection. `add` must follow.
    func reserve() -> UInt64 {
        shared.withLock { shared in
            shared.count += 1
            shared.lastID += 1
            return shared.lastID
        }
    }

    /// Serves a connection from now on, until it is closed.
    func add(_ driver: ConnectionDriver) {
        notify { $0.added.append(driver) }
    }

    /// Has a connection look for commands.
    func wake(_ id: UInt64) {
        notify { $0.awake.append(id) }
    }

    private func notify(_ change: (inout News) -> Void) {
        let wakeUp: WakeUp? = shared.withLock { shared in
            guard shared.wakeUp != nil else { return nil }
            change(&shared.news)
            guard shared.isWaiting else { return nil }
            shared.isWaiting = false
            return shared.wakeUp
        }
        wakeUp?.signal()
    }

    // MARK: For the loop's thread

    /// Whether the thread may wait for sockets. `notify` ends the wait from then on.
    func beginsWaiting() -> Bool {
        shared.withLock { shared in
            shared.isWaiting = shared.news.isEmpty
            return shared.isWaiting
        }
    }

    /// Ends the wait, and exchanges what other threads have brought for an empty value.
    func takeNews(_ news: inout News) {
        // The arrays go to and fro, so that their memory is used again.
        let empty = news
        news = shared.withLock { shared in
            shared.isWaiting = false
            defer { shared.news = empty }
            return shared.news
        }
    }

    /// Connections that were closed are no longer served.
    func removed(_ count: Int) {
        shared.withLock { $0.count -= count }
    }

    /// Releases the descriptors if no connection is served or about to be added.
    ///
    /// - Returns: Whether it was so.
    func endIfIdle() -> Bool {
        shared.withLock { shared in
            guard shared.count == 0 else { return false }
            shared.wakeUp = nil
            shared.news = News()
            return true
        }
    }
}

/// The event loops that connections share.
///
/// A loop ends when its last connection is closed, so a process without connections has no thread and no descriptor of
/// them.
final class EventLoops: Sendable {
    /// All connections of the process use these.
    static let shared = EventLoops(most: mostLoops)

    /// Twice as many as cores, so that the few connections of a single client have a thread each.
    private static let mostLoops = min(max(2 * ProcessInfo.processInfo.activeProcessorCount, 4), 16)

    private let loops = Lock<[EventLoop]>([])
    private let most: Int
    private let makePoller: @Sendable () throws(SocketError) -> any SocketPoller

    /// - Parameters:
    ///   - most: How many loops there may be.
    ///   - makePoller: Makes a loop's poller; the system's best by default.
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

    /// How many loops there are.
    var count: Int { loops.withLock { $0.count } }

    /// Reserves a place for a connection: in a new loop, or in the one with the fewest connections.
    ///
    /// - Throws: `errno`, if there is no loop yet and the process has no descriptor or thread left.
    func reserve() throws(SocketError) -> (loop: EventLoop, id: UInt64) {
        // Under the lock, so that the loop does not end meanwhile.
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

    /// Forgets a loop if it has no connection, and then lets it end.
    private func remove(_ loop: EventLoop) -> Bool {
        loops.withLock { loops in
            guard loop.endIfIdle() else { return false }
            loops.removeAll { $0 === loop }
            return true
        }
    }
}
