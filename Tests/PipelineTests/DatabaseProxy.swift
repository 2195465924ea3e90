import Foundation
import Synchronization
import TestSupport

#if os(Linux)
    private let streamType = Int32(SOCK_STREAM.rawValue)
    private let sendFlags = Int32(MSG_NOSIGNAL)
#else
    private let streamType = SOCK_STREAM
    private let sendFlags: Int32 = 0
#endif

private func makeSocket() -> Int32 { socket(AF_INET, streamType, 0) }
// The class has a method of the function's name.
private func closeSocket(_ descriptor: Int32) { _ = close(descriptor) }

/// Stands between a program and Postgres and cuts connections at a COMMIT.
///
/// It knows just enough of the protocol to find the statement COMMIT among what the client sends.
///
/// Source: PostgreSQL manual, "Message Formats".
final class DatabaseProxy: Sendable {
    enum Treatment: Sendable {
        case forward
        /// The server never sees the COMMIT, and rolls back.
        case cutBefore
        /// The server commits, and nobody hears of it.
        case cutAfter
        /// As `cutAfter`, but the server gets the COMMIT only when the client may have connected anew.
        case cutAfterLate
    }

    let port: Int
    private let serverPort: Int
    private let listener: Int32
    private let treat: @Sendable (Int) -> Treatment
    private let commits = Mutex(0)
    private let cuts = Mutex(0)

    /// How many connections were cut at a COMMIT.
    var cutCount: Int { cuts.withLock { $0 } }

    /// - Parameter treat: What to do with each COMMIT, counted from 1.
    init(to serverPort: Int, treat: @escaping @Sendable (Int) -> Treatment) throws {
        self.serverPort = serverPort
        self.treat = treat
        port = try freePort()
        listener = makeSocket()
        var on: Int32 = 1
        unsafe setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe Self.withAddress(port, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
            throw ProgramError("the proxy can't listen at port \(port)")
        }
    }

    /// Serves connections until `close()`. Each direction of each has a thread, since both block.
    func start() {
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
                let link = Link(client: client, server: server)
                Thread.detachNewThread { self.forward(from: client, link) }
                Thread.detachNewThread {
                    var chunk = [UInt8](repeating: 0, count: 1 << 16)
                    while let count = Self.read(server, &chunk), Self.write(client, chunk[..<count]) {}
                    link.cut()
                    link.release()
                }
            }
        }
    }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        closeSocket(listener)
    }

    // MARK: From client to server

    private func forward(from client: Int32, _ link: Link) {
        defer { link.release() }
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var isStarting = true
        while let count = Self.read(client, &chunk) {
            pending += chunk[..<count]
            var begin = 0
            while let end = Self.messageEnd(pending, from: begin, isStarting: isStarting) {
                let message = pending[begin..<end]
                begin = end
                if isStarting { isStarting = !Self.isStartup(message) }
                guard treat(message, link) else { return link.cut() }
            }
            pending.removeFirst(begin)
        }
        link.cut()
    }

    /// Forwards one message.
    ///
    /// - Returns: Whether the connection goes on.
    private func treat(_ message: ArraySlice<UInt8>, _ link: Link) -> Bool {
        guard message.elementsEqual(Self.commit) else { return Self.write(link.server, message) }
        let number = commits.withLock { count in
            count += 1
            return count
        }
        let treatment = treat(number)
        if treatment != .forward { cuts.withLock { $0 += 1 } }
        switch treatment {
        case .forward: return Self.write(link.server, message)
        case .cutBefore: return false
        case .cutAfter:
            _ = Self.write(link.server, message)
            return false
        case .cutAfterLate:
            shutdown(link.client, Int32(SHUT_RDWR))
            // The program needs a moment to notice, and to ask the database about the batch.
            Thread.sleep(forTimeInterval: 0.4)
            _ = Self.write(link.server, message)
            return false
        }
    }

    private static let commit: [UInt8] = [UInt8(ascii: "Q"), 0, 0, 0, 11] + Array("COMMIT\0".utf8)

    /// The end of the message at `begin`, nil where it isn't there whole.
    private static func messageEnd(_ bytes: [UInt8], from begin: Int, isStarting: Bool) -> Int? {
        let lengthAt = isStarting ? begin : begin + 1
        guard bytes.count >= lengthAt + 4 else { return nil }
        let length = bytes[lengthAt..<lengthAt + 4].reduce(0) { $0 << 8 | Int($1) }
        return bytes.count >= lengthAt + length ? lengthAt + length : nil
    }

    /// Whether it is the StartupMessage (version 3), rather than a request for encryption before it.
    private static func isStartup(_ message: ArraySlice<UInt8>) -> Bool {
        message.dropFirst(4).prefix(2).elementsEqual([0, 3])
    }

    // MARK: Sockets

    /// A client's and a server's socket; closed when both threads have let go.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        private let users = Mutex(2)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        /// Ends both connections; what was written before still arrives.
        func cut() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_WR))
        }

        func release() {
            let isLast = users.withLock { users in
                users -= 1
                return users == 0
            }
            guard isLast else { return }
            closeSocket(client)
            closeSocket(server)
        }
    }

    private static func read(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int? {
        let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        return count > 0 ? count : nil
    }

    private static func write(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
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

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        // The calls take any family's address by a pointer to the common beginning, and read the size given.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
