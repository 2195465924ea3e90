import Foundation
import Testing

/// A socket that listens on a loopback address and never answers.
final class SilentListener {
    let port: UInt16
    private var descriptors: [Int32] = []

    /// - Parameters:
    ///   - host: `127.0.0.1` or `::1`.
    ///   - isFull: Whether its queue of connections is full, so that attempts to connect never complete. Otherwise the
    ///     kernel accepts them.
    init(host: String, isFull: Bool) throws {
        let family = host.contains(":") ? AF_INET6 : AF_INET
        let listening = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        descriptors.append(listening)
        try #require(listening >= 0)
        if family == AF_INET6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_addr = in6addr_loopback
            port = try Self.listen(listening, &address)
            if isFull { try fill(&address) }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            port = try Self.listen(listening, &address)
            if isFull { try fill(&address) }
        }
    }

    deinit {
        for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
    }

    /// Binds to a free port, and stores it in the address.
    private static func listen<Address>(_ descriptor: Int32, _ address: inout Address) throws -> UInt16 {
        var size = socklen_t(MemoryLayout<Address>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            // The calls take an address of any family by a pointer to the common header, and read the given size.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { common -> UInt16? in
                // A queue of length 0 has room for one.
                guard unsafe bind(descriptor, common, size) == 0, Foundation.listen(descriptor, 0) == 0,
                    unsafe getsockname(descriptor, common, &size) == 0
                else { return nil }
                return unsafe UnsafeRawPointer(common).load(fromByteOffset: 2, as: UInt16.self).bigEndian
            }
        }
        return try #require(port)
    }

    /// Occupies the only place in the queue.
    private func fill<Address>(_ address: inout Address) throws {
        let descriptor = socket(
            Address.self == sockaddr_in6.self ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptors.append(descriptor)
        let size = socklen_t(MemoryLayout<Address>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
        }
        try #require(status == 0)
    }
}
