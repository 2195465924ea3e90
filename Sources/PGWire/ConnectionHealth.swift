import Concurrency

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A connection's state, readable from any task: whether it is usable, and whether it is busy.
final class ConnectionHealth: Sendable {
    private struct State {
        var isBroken = false
        var isClosed = false
        var busySince: ContinuousClock.Instant?
        /// The socket while libpq has it open; nil otherwise.
        var socket: Int32?
        var serverProcessID: Int32?
    }

    private let state = Lock(State())

    var isBroken: Bool { state.withLock { $0.isBroken } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    var busySince: ContinuousClock.Instant? { state.withLock { $0.busySince } }

    func markBroken() { state.withLock { $0.isBroken = true } }

    func beginCall() {
        let now = ContinuousClock.now
        state.withLock { $0.busySince = now }
    }

    /// Restarts the wait, since a call may consist of many statements.
    func beginStatement() {
        let now = ContinuousClock.now
        state.withLock { if $0.busySince != nil { $0.busySince = now } }
    }

    func endCall() { state.withLock { $0.busySince = nil } }

    var serverProcessID: Int32? { state.withLock { $0.serverProcessID } }

    /// - Parameter serverProcessID: 0 if the server hasn't reported it.
    func opened(socket: Int32, serverProcessID: Int32) {
        state.withLock { state in
            state.socket = socket >= 0 ? socket : nil
            state.serverProcessID = serverProcessID > 0 ? serverProcessID : nil
        }
    }

    /// Marks the connection as closed. Call it before libpq closes the socket.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.socket = nil
            state.serverProcessID = nil
        }
    }

    /// Shuts down both directions of the socket, which wakes the thread that waits for it.
    func abort() {
        state.withLock { state in
            state.isBroken = true
            // The lock keeps libpq from closing the socket meanwhile, so the descriptor is still the socket's.
            if let socket = state.socket { _ = shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }
}
