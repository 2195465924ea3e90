import Foundation
import Synchronization

#if os(Linux)
    private let streamType = Int32(SOCK_STREAM.rawValue)
#else
    private let streamType = SOCK_STREAM
#endif

// The class has a method with the function's name.
private func closeSocket(_ descriptor: Int32) { _ = close(descriptor) }

/// A server on 127.0.0.1 that answers the startup message of Postgres's protocol with fixed bytes, and sends nothing
/// else.
///
/// It accepts any number of connections and reads what they send. Clients must connect without encryption.
///
/// Source: PostgreSQL manual, "Message Formats".
package final class ScriptedPostgres: Sendable {
    package let port: Int
    /// The URI for clients, without encryption.
    package var uri: String { "postgresql://postgres@127.0.0.1:\(port)/workshop?sslmode=disable&gssencmode=disable" }

    private let listener: Int32
    private let reply: [UInt8]
    private let received = Mutex(0)

    /// A successful login, a key for cancel requests, and the readiness for statements.
    package static let login: [UInt8] =
        message("R", [0, 0, 0, 0]) + message("K", [0, 0, 0, 1, 0, 0, 0, 2]) + message("Z", [UInt8(ascii: "I")])

    /// A login with a notice before its end.
    package static func loginWithNotice(_ text: String) -> [UInt8] {
        let fields = "SNOTICE\0VNOTICE\0C00000\0M\(text)\0\0"
        return message("R", [0, 0, 0, 0]) + message("N", Array(fields.utf8)) + message("Z", [UInt8(ascii: "I")])
    }

    private static func message(_ type: Character, _ body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count + 4)
        return [type.asciiValue ?? 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + body
    }

    /// Listens at once.
    ///
    /// - Parameter reply: The answer to a client's startup message; empty for no answer.
    package init(reply: [UInt8] = []) throws {
        self.reply = reply
        port = try freePort()
        listener = socket(AF_INET, streamType, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        // The call reads an address of this size and keeps no pointer to it.
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 16) == 0 else {
            throw ProgramError("the scripted server cannot listen at port \(port)")
        }
    }

    /// Serves connections until `close()`.
    package func start() {
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { [self] in
                    serve(client)
                    closeSocket(client)
                }
            }
        }
    }

    /// The number of bytes that clients have sent after their startup messages.
    package var receivedCount: Int { received.withLock { $0 } }

    private func serve(_ client: Int32) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        // A startup message is small and arrives in one piece over loopback. A cancel request looks similar and gets
        // the same reply, which libpq ignores.
        guard LoopbackRelay.read(client, &chunk) != nil, LoopbackRelay.write(client, reply[...]) else { return }
        while let count = LoopbackRelay.read(client, &chunk) { received.withLock { $0 += count } }
    }

    package func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        closeSocket(listener)
    }
}
