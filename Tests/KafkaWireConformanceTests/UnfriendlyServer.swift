import Foundation
import Synchronization
import TestSupport

/// A TCP server on 127.0.0.1 that answers any input with the same bytes, or never.
final class UnfriendlyServer: Sendable {
    let port: Int
    private let descriptor: Int32
    private let accepted: Accepted

    /// The accepted connections, which stay open as long as the server.
    private final class Accepted: Sendable {
        let descriptors = Mutex<[Int32]>([])

        deinit {
            for descriptor in descriptors.withLock({ $0 }) { close(descriptor) }
        }
    }

    /// - Parameter answer: The bytes of each answer; empty for no answer.
    init(answer: [UInt8]) throws {
        #if os(Linux)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The calls read and write an address of this size and keep no pointer to it.
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, size) | listen(descriptor, 16)
                    | getsockname(descriptor, pointer, &size)
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw ProgramError("no listener on 127.0.0.1")
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        let accepted = Accepted()
        self.accepted = accepted
        Thread.detachNewThread { Self.serve(descriptor, answer: answer, accepted: accepted) }
    }

    deinit {
        // Wakes the thread from accept(2); it then closes the descriptor and ends.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    var connectionCount: Int { accepted.descriptors.withLock { $0.count } }

    private static func serve(_ descriptor: Int32, answer: [UInt8], accepted: Accepted) {
        defer { close(descriptor) }
        while true {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { return }
            accepted.descriptors.withLock { $0.append(connection) }
            guard !answer.isEmpty else { continue }
            var request = [UInt8](repeating: 0, count: 1000)
            guard unsafe recv(connection, &request, request.count, 0) > 0 else { continue }
            _ = unsafe send(connection, answer, answer.count, 0)
        }
    }
}
