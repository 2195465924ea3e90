import Concurrency
import Foundation

/// One broker's listening socket, its thread, and the connections that it took.
final class Listener: Sendable {
    let port: UInt16
    private let threads = Threads()
    private let state: Lock<State>
    private let listening: Int32
    private let wakeUpReadEnd: Int32
    private let wakeUpWriteEnd: Int32

    private struct State {
        var isStopping = false
        /// The descriptors of open connections. One is closed only after it has been taken out here.
        var connections: Set<Int32> = []
    }

    /// Listens from here on; `start` has the connections served.
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
        // The listening socket is closed by its thread, so that its port is free when `stop` returns.
        close(wakeUpReadEnd)
        close(wakeUpWriteEnd)
    }

    /// Whether connections are to come to their end.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// - Parameter serve: Serves one connection, on a thread of its own, until the client or `Listener` ends it.
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
                // Not earlier: the number could be another connection's by then.
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

    /// Ends the open connections; others may come.
    func hangUp() {
        state.withLock { state in
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// Refuses connections from here on, and ends those that are open.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
        var byte: UInt8 = 0
        _ = unsafe write(wakeUpWriteEnd, &byte, 1)
    }

    /// Returns when no thread of the listener is left, after `stop`.
    func join() async {
        await threads.join()
    }
}
