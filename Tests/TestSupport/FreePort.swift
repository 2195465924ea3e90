import Foundation

/// A free port of 127.0.0.1, for a server of the test or for an address without a server.
///
/// It is below the kernel's range for outgoing connections. In that range, a client that keeps trying to connect to a
/// port without a server could be connected to itself.
///
/// - Parameter count: The number of subsequent ports that must be free, too.
/// - Throws: `ProgramError` if there is none.
package func freePort(followedBy count: Int = 0) throws -> Int {
    for _ in 0..<1000 {
        let port = UInt16.random(in: 10_000..<32_000)
        if (0...count).allSatisfy({ isFree(port + UInt16($0)) }) { return Int(port) }
    }
    throw ProgramError("no free port on 127.0.0.1")
}

private func isFree(_ port: UInt16) -> Bool {
    #if os(Linux)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    // bind(2) takes an address of any family by a pointer to the common header, and reads the given size.
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            unsafe bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
