import Foundation

/// A port of 127.0.0.1 at which nothing listens, for a server of the test or for an address that nobody serves.
///
/// It is below the range that the kernel takes for outgoing connections: at a port of that range a client that tries
/// again and again to reach nobody could be connected with itself.
///
/// - Parameter count: How many ports that follow have to be free, too.
/// - Throws: `ProgramError` where there is none.
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
    // bind(2) takes any family's address by a pointer to the common beginning, and reads the size given.
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            unsafe bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
