import Foundation

/// The events that a socket is watched for, or is ready for.
struct SocketEvents: OptionSet {
    let rawValue: UInt8

    static let readable = SocketEvents(rawValue: 1)
    static let writable = SocketEvents(rawValue: 2)
    /// The connection broke or the broker closed it. Always watched for.
    static let ended = SocketEvents(rawValue: 4)
}

/// Waits until one of many sockets is ready. Used by one thread.
///
/// Linux has `EpollPoller`, whose `wait` takes the same time for any number of sockets. Other systems have `PollPoller`,
/// whose `wait` takes longer with each socket.
protocol SocketPoller: AnyObject {
    /// Begins to watch a socket. Call `remove` before the socket is closed: its descriptor may be reused at once.
    ///
    /// - Parameter id: Identifies the socket in `wait`.
    /// - Returns: The error of the system call.
    func add(_ descriptor: Int32, id: UInt64, _ events: SocketEvents) -> SocketError?

    /// Changes the events that a socket is watched for.
    func change(_ descriptor: Int32, id: UInt64, _ events: SocketEvents) -> SocketError?

    func remove(_ descriptor: Int32)

    /// Waits until a socket is ready or the timeout is over. A signal may end the wait early.
    ///
    /// - Parameters:
    ///   - milliseconds: The timeout; -1 for no limit.
    ///   - ready: Receives up to 64 of the sockets that are ready. The others follow in the next call.
    /// - Returns: The error of the system call.
    func wait(milliseconds: Int32, _ ready: inout [(id: UInt64, events: SocketEvents)]) -> SocketError?
}

/// poll(2). The kernel goes through all sockets in each call: with 300 sockets a call takes some 200 µs.
final class PollPoller: SocketPoller {
    private var entries: [pollfd] = []
    private var ids: [UInt64] = []
    private var indexes: [Int32: Int] = [:]
    /// The index at which the search for ready sockets begins, so that none is starved.
    private var start = 0

    func add(_ descriptor: Int32, id: UInt64, _ events: SocketEvents) -> SocketError? {
        indexes[descriptor] = entries.count
        entries.append(Self.entry(descriptor, events))
        ids.append(id)
        return nil
    }

    func change(_ descriptor: Int32, id: UInt64, _ events: SocketEvents) -> SocketError? {
        guard let index = indexes[descriptor] else { return SocketError(ENOENT) }
        entries[index] = Self.entry(descriptor, events)
        return nil
    }

    func remove(_ descriptor: Int32) {
        guard let index = indexes.removeValue(forKey: descriptor) else { return }
        entries.swapAt(index, entries.count - 1)
        ids.swapAt(index, ids.count - 1)
        entries.removeLast()
        ids.removeLast()
        if index < entries.count { indexes[entries[index].fd] = index }
    }

    private static func entry(_ descriptor: Int32, _ events: SocketEvents) -> pollfd {
        let readable = events.contains(.readable) ? POLLIN : 0
        let writable = events.contains(.writable) ? POLLOUT : 0
        return pollfd(fd: descriptor, events: Int16(readable | writable), revents: 0)
    }

    func wait(milliseconds: Int32, _ ready: inout [(id: UInt64, events: SocketEvents)]) -> SocketError? {
        ready.removeAll(keepingCapacity: true)
        let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
        guard count >= 0 else { return errno == EINTR ? nil : SocketError(errno) }
        start = start < entries.count ? start : 0
        var index = start
        for _ in entries.indices where ready.count < min(Int(count), 64) {
            let found = Int32(entries[index].revents)
            if found != 0 {
                var events: SocketEvents = []
                if found & POLLIN != 0 { events.insert(.readable) }
                if found & POLLOUT != 0 { events.insert(.writable) }
                if found & ~(POLLIN | POLLOUT) != 0 { events.insert(.ended) }
                ready.append((ids[index], events))
            }
            index = index + 1 < entries.count ? index + 1 : 0
        }
        start = index
        return nil
    }
}
