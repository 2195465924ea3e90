import Foundation
import Synchronization

#if os(Linux)
    private let streamType = Int32(SOCK_STREAM.rawValue)
    private let sendFlags = Int32(MSG_NOSIGNAL)
#else
    private let streamType = SOCK_STREAM
    private let sendFlags: Int32 = 0
#endif

private func makeSocket() -> Int32 { socket(AF_INET, streamType, 0) }
// The class has a method with the function's name.
private func closeSocket(_ descriptor: Int32) { _ = close(descriptor) }

/// Listens at its own port and connects each client to a server, for tests that intercept the connection. The test
/// decides what happens to the bytes: it serves each direction of each connection on its own thread, which may block.
package final class LoopbackRelay: Sendable {
    /// A client's and a server's socket, closed when both threads have released them.
    package final class Link: Sendable {
        package let client: Int32
        package let server: Int32
        private let users = Mutex(2)

        fileprivate init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        /// Ends both connections. The server still gets what was sent before, and its answer is still read.
        package func cut() {
            ifOpen {
                shutdown(client, Int32(SHUT_RDWR))
                shutdown(server, Int32(SHUT_WR))
            }
        }

        /// Ends both connections in both directions.
        package func drop() {
            ifOpen {
                for descriptor in [client, server] { shutdown(descriptor, Int32(SHUT_RDWR)) }
            }
        }

        /// Only while the sockets are open: later their numbers may belong to another test.
        private func ifOpen(_ body: () -> Void) {
            users.withLock { users in
                if users > 0 { body() }
            }
        }

        fileprivate func release() {
            let isLast = users.withLock { users in
                users -= 1
                return users == 0
            }
            if isLast { for descriptor in [client, server] { closeSocket(descriptor) } }
        }
    }

    package let port: Int
    private let listener: Int32

    /// Binds a port. Connections to it wait for `start`.
    ///
    /// - Parameter port: The port; nil for any free one.
    /// - Throws: `ProgramError` if it is in use.
    package init(port: Int? = nil) throws {
        self.port = try port ?? freePort()
        listener = makeSocket()
        Self.switchOn(SO_REUSEADDR, SOL_SOCKET, listener)
        guard unsafe Self.withAddress(self.port, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0
        else {
            closeSocket(listener)
            throw ProgramError("the relay cannot listen at port \(self.port)")
        }
    }

    /// Serves connections until `close()`.
    ///
    /// - Parameters:
    ///   - fromClient: Forwards what the client sends, and returns when the connection has ended.
    ///   - fromServer: Forwards what the server sends, in the same way.
    package func start(
        to serverPort: Int, fromClient: @escaping @Sendable (Link) -> Void,
        fromServer: @escaping @Sendable (Link) -> Void
    ) {
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                let server = makeSocket()
                guard unsafe Self.withAddress(serverPort, { unsafe connect(server, $0, $1) }) == 0 else {
                    closeSocket(client)
                    closeSocket(server)
                    continue
                }
                // Send each small piece in its own packet.
                for descriptor in [client, server] { Self.switchOn(TCP_NODELAY, Int32(IPPROTO_TCP), descriptor) }
                let link = Link(client: client, server: server)
                for serve in [fromClient, fromServer] {
                    Thread.detachNewThread {
                        serve(link)
                        link.release()
                    }
                }
            }
        }
    }

    package func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        closeSocket(listener)
    }

    /// Waits for bytes.
    ///
    /// - Returns: The number of bytes at the start of `chunk`; nil if the connection has ended.
    package static func read(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int? {
        let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        return count > 0 ? count : nil
    }

    /// - Returns: Whether all bytes were written.
    package static func write(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, sendFlags)
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Forwards everything until one of the two connections ends.
    ///
    /// - Parameter seen: Called with each part before it is forwarded.
    package static func pass(
        from source: Int32, to target: Int32, _ seen: (ArraySlice<UInt8>) -> Void = { _ in }
    ) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while let count = read(source, &chunk) {
            seen(chunk[..<count])
            guard write(target, chunk[..<count]) else { return }
        }
    }

    private static func switchOn(_ option: Int32, _ level: Int32, _ descriptor: Int32) {
        var on: Int32 = 1
        unsafe setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        // The calls take an address of any family by a pointer to the common header, and read the given size.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
