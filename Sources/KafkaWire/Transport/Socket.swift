// Foundation is what brings the BSD socket calls, on Linux and on Darwin alike.
import Foundation

/// A non-blocking TCP socket.
///
/// One thread at a time owns it. It is closed when it is destroyed.
struct Socket: ~Copyable {
    let descriptor: Int32

    /// The result of a read or write.
    enum Progress: Equatable {
        case bytes(Int)
        /// The kernel has no bytes, or takes none, at the moment.
        case wouldBlock
        /// The other side has closed its half.
        case endOfStream
        /// `errno`.
        case failed(Int32)
        /// The TLS session has the reason.
        case tlsFailed
    }

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Begins to connect. The socket is writable when the attempt has ended; `connectError` has its result.
    ///
    /// - Returns: `errno` if it failed at once.
    static func connecting(to address: SocketAddress) -> Result<Socket, SocketError> {
        #if canImport(Darwin)
            let descriptor = socket(address.family, SOCK_STREAM, 0)
        #else
            let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else { return .failure(SocketError(errno)) }
        let new = Socket(descriptor: descriptor)
        guard new.configure() else { return .failure(SocketError(errno)) }
        let status = unsafe address.withSockaddr { unsafe connect(descriptor, $0, $1) }
        if status != 0, errno != EINPROGRESS, errno != EINTR { return .failure(SocketError(errno)) }
        return .success(new)
    }

    private func configure() -> Bool {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Requests are written whole, so waiting to merge small ones (Nagle) would only delay them.
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size)
        #if canImport(Darwin)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, size)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
        return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0
    }

    /// Sets how many bytes must have arrived before the poller reports the socket as readable.
    ///
    /// The end of the stream and errors are reported in any case. A failure has no effect but more wake-ups.
    func setReceiveLowWaterMark(_ bytes: Int32) {
        var bytes = bytes
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The error of the attempt to connect (`errno`); nil if it succeeded.
    var connectError: SocketError? {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &size) == 0 else {
            return SocketError(errno)
        }
        return status == 0 ? nil : SocketError(status)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Progress {
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return unsafe buffer.isEmpty ? .bytes(0) : .endOfStream }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
        }
    }

    /// How many pieces of a frame go with one system call; at most `IOV_MAX`.
    private static let mostPieces = 64

    /// Writes a frame's pieces, from the byte at `offset` on, with one system call.
    func write(_ frame: RequestFrame, from offset: Int) -> Progress {
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.mostPieces) { vectors in
            unsafe frame.bytes.withUnsafeBytes { bytes in
                var count = 0
                unsafe frame.forEachPiece(from: offset, in: bytes) { piece in
                    // sendmsg(2) does not write to the memory.
                    unsafe vectors[count] = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: piece.count)
                    count += 1
                    return count < Self.mostPieces
                }
                return unsafe write(UnsafeMutableBufferPointer(rebasing: vectors[..<count]))
            }
        }
    }

    private func write(_ vectors: UnsafeMutableBufferPointer<iovec>) -> Progress {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        var message = unsafe msghdr()
        unsafe message.msg_iov = vectors.baseAddress
        unsafe message.msg_iovlen = .init(vectors.count)
        while true {
            let count = unsafe sendmsg(descriptor, &message, flags)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
        }
    }
}

/// An `errno` of a socket call.
struct SocketError: Error, Equatable, CustomStringConvertible {
    let code: Int32

    init(_ code: Int32) {
        self.code = code
    }

    var description: String { unsafe String(cString: strerror(code)) }
}

/// One of a host's addresses.
struct SocketAddress: Sendable, Hashable {
    let family: Int32
    /// The bytes of the `sockaddr` structure.
    fileprivate let bytes: [UInt8]

    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        // A local `sockaddr_storage` has the alignment that an array of bytes needn't have.
        var storage = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &storage) { target in
            unsafe target.copyBytes(from: bytes.prefix(target.count))
            let address = unsafe target.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return unsafe body(UnsafePointer(address), socklen_t(min(bytes.count, target.count)))
        }
    }

    /// The address that a host is written as, such as 127.0.0.1 or ::1; nil if it is a name. Does not block.
    static func numeric(host: String, port: UInt16) -> SocketAddress? {
        try? resolve(host: host, port: port, flags: AI_NUMERICHOST).first
    }

    /// All addresses of a host, in the order in which the resolver wants them tried. Blocks for as long as DNS takes.
    ///
    /// - Throws: The resolver's own sentence.
    static func resolve(host: String, port: UInt16) throws(ResolutionError) -> [SocketAddress] {
        try resolve(host: host, port: port, flags: 0)
    }

    private static func resolve(
        host: String, port: UInt16, flags: Int32
    ) throws(ResolutionError) -> [SocketAddress] {
        // The resolver would take a name up to its first NUL for the whole name.
        guard !host.utf8.contains(0) else { throw ResolutionError(reason: "the name contains a NUL character") }
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = flags
        #if canImport(Darwin)
            unsafe hints.ai_socktype = SOCK_STREAM
        #else
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        unsafe hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else { throw ResolutionError(reason: unsafe String(cString: gai_strerror(status))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let info = unsafe next {
            if let address = unsafe info.pointee.ai_addr {
                let bytes = unsafe UnsafeRawBufferPointer(start: address, count: Int(info.pointee.ai_addrlen))
                let found = unsafe SocketAddress(family: info.pointee.ai_family, bytes: [UInt8](bytes))
                if !addresses.contains(found) { addresses.append(found) }
            }
            unsafe next = info.pointee.ai_next
        }
        return addresses
    }
}

/// The reason why a host name has no address.
struct ResolutionError: Error {
    let reason: String
}
