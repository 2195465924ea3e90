import Foundation
import Glibc

/// Sends bytes to a local server and reads until the server closes the connection.
public enum RawClient {
    public struct Failed: Error { public let what: String }

    /// Sends a request and returns the bytes of the answer as text.
    ///
    /// - Parameters:
    ///   - enough: The number of bytes after which the client closes the connection; nil if it does not.
    ///   - until: Whether the client closes the connection, given what has arrived.
    public static func exchange(
        _ port: UInt16, _ request: String, enough: Int? = nil, until: (@Sendable (String) -> Bool)? = nil
    ) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            // A separate thread, since it blocks.
            Thread.detachNewThread {
                continuation.resume(with: Result { try blocking(port, request, enough, until) })
            }
        }
    }

    private static func blocking(
        _ port: UInt16, _ request: String, _ enough: Int?, _ until: ((String) -> Bool)?
    ) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // The address is valid during the call.
        let status = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe connect(
                descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard status == 0 else { throw Failed(what: "connect: errno \(errno)") }
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { break }
            rest = rest.dropFirst(sent)
        }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            answer += chunk[..<count]
            if let enough, answer.count >= enough { break }
            if let until, until(String(decoding: answer, as: UTF8.self)) { break }
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
