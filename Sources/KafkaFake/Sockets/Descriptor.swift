import Foundation

/// A descriptor that is closed on deinit, with the blocking calls that the fake needs.
struct Descriptor: ~Copyable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Fills `target`; false if the peer closed the connection, or it was shut down.
    func read(into target: UnsafeMutableRawBufferPointer) -> Bool {
        var filled = 0
        while filled < target.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[filled...])
            let count = unsafe recv(number, rest.baseAddress, rest.count, 0)
            if count > 0 {
                filled += count
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Writes all of `bytes`; false if the peer closed the connection, or it was shut down.
    func write(_ bytes: ArraySlice<UInt8>) -> Bool {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        var rest = bytes
        while !rest.isEmpty {
            // send(2) reads within the slice, during the call only.
            let count = unsafe rest.withUnsafeBytes { unsafe send(number, $0.baseAddress, $0.count, flags) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Disables delays of small writes, and the signal that ends the process when the peer has gone.
    func configure() {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        #if canImport(Darwin)
            unsafe setsockopt(number, SOL_SOCKET, SO_NOSIGPIPE, &on, size)
        #endif
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }
}

/// A failed socket call, with the system's error message.
public struct FakeSocketError: Error, CustomStringConvertible {
    public let description: String

    init(_ what: String) {
        description = unsafe "\(what): \(String(cString: strerror(errno)))"
    }
}

/// A listening socket on the loopback address.
enum ListeningSocket {
    /// Opens a listening socket.
    ///
    /// - Parameter port: 0 for any free port.
    /// - Returns: The socket and its port.
    static func open(port: UInt16) throws(FakeSocketError) -> (descriptor: Int32, port: UInt16) {
        #if canImport(Darwin)
            let number = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard number >= 0 else { throw FakeSocketError("cannot open a socket") }
        do throws(FakeSocketError) {
            return (number, try listen(number, port: port))
        } catch {
            close(number)
            throw error
        }
    }

    private static func listen(_ number: Int32, port: UInt16) throws(FakeSocketError) -> UInt16 {
        var on: Int32 = 1
        unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // A sockaddr_in is a sockaddr of its family, and the calls read and write within its size.
        let status = unsafe withUnsafeMutableBytes(of: &address) { raw in
            guard let base = raw.baseAddress else { return Int32(-1) }
            let pointer = unsafe base.assumingMemoryBound(to: sockaddr.self)
            guard unsafe bind(number, pointer, size) == 0, Foundation.listen(number, 128) == 0 else {
                return Int32(-1)
            }
            return unsafe getsockname(number, pointer, &size)
        }
        guard status == 0 else { throw FakeSocketError("cannot listen on 127.0.0.1:\(port)") }
        return UInt16(bigEndian: address.sin_port)
    }
}
