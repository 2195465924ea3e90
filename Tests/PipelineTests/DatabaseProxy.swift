import Foundation
import Synchronization
import TestSupport

/// A proxy between a program and Postgres that cuts connections at COMMIT.
///
/// It parses just enough of the protocol to find the messages that make the server commit: the statement COMMIT, or
/// the end of the rows of the last COPY in a query that ends with COMMIT.
///
/// Source: PostgreSQL manual, "Message Formats".
final class DatabaseProxy: Sendable {
    enum Treatment: Sendable {
        case forward
        /// The server never receives COMMIT and rolls back.
        case cutBefore
        /// The server commits, but the client gets no answer.
        case cutAfter
        /// Like `cutAfter`, but the server receives COMMIT only when the client may already have reconnected.
        case cutAfterLate
    }

    private let relay: LoopbackRelay
    private let serverPort: Int
    private let treat: @Sendable (Int) -> Treatment
    private let commits = Mutex(0)
    private let cuts = Mutex(0)

    var port: Int { relay.port }

    /// The number of connections cut at COMMIT.
    var cutCount: Int { cuts.withLock { $0 } }

    /// - Parameter treat: Decides what to do with each COMMIT, counted from 1.
    init(to serverPort: Int, treat: @escaping @Sendable (Int) -> Treatment) throws {
        self.serverPort = serverPort
        self.treat = treat
        relay = try LoopbackRelay()
    }

    /// Serves connections until `close()`.
    func start() {
        relay.start(
            to: serverPort, fromClient: { [self] in forward($0) },
            fromServer: { link in
                LoopbackRelay.pass(from: link.server, to: link.client)
                link.cut()
            })
    }

    func close() {
        relay.close()
    }

    // MARK: From client to server

    private func forward(_ link: LoopbackRelay.Link) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var isStarting = true
        // The unfinished COPYs of a query with COMMIT.
        var copies = 0
        while let count = LoopbackRelay.read(link.client, &chunk) {
            pending += chunk[..<count]
            var begin = 0
            while let end = Self.messageEnd(pending, from: begin, isStarting: isStarting) {
                let message = pending[begin..<end]
                begin = end
                if isStarting { isStarting = !Self.isStartup(message) }
                let commits = message.elementsEqual(Self.commit) || copies == 1 && message.first == UInt8(ascii: "c")
                switch message.first {
                case UInt8(ascii: "Q"): copies = Self.copiesBeforeCommit(message)
                case UInt8(ascii: "c"): copies -= 1
                default: break
                }
                guard commits ? treat(message, link) : LoopbackRelay.write(link.server, message) else {
                    return link.cut()
                }
            }
            pending.removeFirst(begin)
        }
        link.cut()
    }

    /// Applies the treatment to a message that makes the server commit.
    ///
    /// - Returns: Whether the connection continues.
    private func treat(_ message: ArraySlice<UInt8>, _ link: LoopbackRelay.Link) -> Bool {
        let number = commits.withLock { count in
            count += 1
            return count
        }
        let treatment = treat(number)
        if treatment != .forward { cuts.withLock { $0 += 1 } }
        switch treatment {
        case .forward: return LoopbackRelay.write(link.server, message)
        case .cutBefore: return false
        case .cutAfter:
            _ = LoopbackRelay.write(link.server, message)
            return false
        case .cutAfterLate:
            shutdown(link.client, Int32(SHUT_RDWR))
            // The program needs a moment to detect the loss and to query the database about the batch.
            Thread.sleep(forTimeInterval: 0.4)
            _ = LoopbackRelay.write(link.server, message)
            return false
        }
    }

    private static let commit: [UInt8] = [UInt8(ascii: "Q"), 0, 0, 0, 11] + Array("COMMIT\0".utf8)

    /// The number of COPYs in a query that ends with COMMIT; 0 for any other query.
    private static func copiesBeforeCommit(_ message: ArraySlice<UInt8>) -> Int {
        let text = String(decoding: message.dropFirst(5).dropLast(), as: UTF8.self)
        return text.hasSuffix("; COMMIT") ? text.ranges(of: "FROM STDIN").count : 0
    }

    /// The end of the message at `begin`; nil if it is incomplete.
    private static func messageEnd(_ bytes: [UInt8], from begin: Int, isStarting: Bool) -> Int? {
        let lengthAt = isStarting ? begin : begin + 1
        guard bytes.count >= lengthAt + 4 else { return nil }
        let length = bytes[lengthAt..<lengthAt + 4].reduce(0) { $0 << 8 | Int($1) }
        return bytes.count >= lengthAt + length ? lengthAt + length : nil
    }

    /// Whether it is the StartupMessage (version 3), rather than a preceding request for encryption.
    private static func isStartup(_ message: ArraySlice<UInt8>) -> Bool {
        message.dropFirst(4).prefix(2).elementsEqual([0, 3])
    }
}
