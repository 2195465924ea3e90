import Concurrency
import Foundation

/// One broker's listening socket, its thread, and the accepted connections.
final class Listener: Sendable {
    let port: UInt16
    private let threads = Threads()
    private let state: Lock<State>
    private let listening: Int32
    private let wakeUpReadEnd: Int32
    private let wakeUpWriteEnd: Int32

    private struct State {
        var isStopping = false
        /// The descriptors of open connections. A connection is removed from here before it is closed.
        var connections: Set<Int32> = []
    }

    /// Begins to listen. Connections are served once `start` is called.
    init(port: UInt16) throws(FakeSocketError) {
        let (descriptor, port) = try ListeningSocket.open(port: port)
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else {
            close(descriptor)
            throw FakeSocketError("no pipe can be opened")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        listening = descriptor
        self.port = port
        wakeUpReadEnd = ends[0]
        wakeUpWriteEnd = ends[1]
        state = Lock(State())
    }

    deinit {
        // The thread closes the listening socket, so that its port is free when `stop` returns.
        close(wakeUpReadEnd)
        close(wakeUpWriteEnd)
    }

    /// Whether connections have to end.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Accepts connections.
    ///
    /// - Parameter serve: Serves one connection, on its own thread, until the client or `Listener` ends it.
    func start(_ serve: @escaping @Sendable (borrowing Descriptor) -> Void) {
        threads.start("fake :\(port)") { self.accept(serve) }
    }

    private func accept(_ serve: @escaping @Sendable (borrowing Descriptor) -> Void) {
        let descriptor = Descriptor(listening)
        while !isStopping {
            var descriptors = [
                pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeUpReadEnd, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&descriptors, 2, -1) > 0, descriptors[0].revents != 0 else { continue }
            let accepted = Foundation.accept(descriptor.number, nil, nil)
            guard accepted >= 0 else { continue }
            threads.start("fake :\(port)") {
                let connection = Descriptor(accepted)
                connection.configure()
                guard self.register(accepted) else { return }
                serve(connection)
                self.state.withLock { _ = $0.connections.remove(accepted) }
                // Not earlier: the number could then belong to another connection.
                _ = consume connection
            }
        }
    }

    private func register(_ connection: Int32) -> Bool {
        state.withLock { state in
            if !state.isStopping { state.connections.insert(connection) }
            return !state.isStopping
        }
    }

    /// Closes the open connections; new ones are accepted.
    func hangUp() {
        state.withLock { state in
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// Refuses further connections, and closes the open ones.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
        var byte: UInt8 = 0
        _ = unsafe write(wakeUpWriteEnd, &byte, 1)
    }

    /// Waits after `stop` until no thread of the listener runs.
    func join() async {
        await threads.join()
    }
}
