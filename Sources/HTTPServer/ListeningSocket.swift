#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A listening socket. Created here because libmicrohttpd doesn't report why it fails to create one.
struct ListeningSocket: ~Copyable {
    private let descriptor: Int32
    /// The port, also if any free one was requested.
    let port: UInt16

    init(_ address: ListenAddress) throws(HTTPServer.StartError) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            unsafe hints.ai_socktype = SOCK_STREAM
        #else
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(address.host, "\(address.port)", &hints, &list)
        guard status == 0, let first = unsafe list else {
            throw HTTPServer.StartError(address: address, reason: unsafe String(cString: gai_strerror(status)))
        }
        // The list is freed at the end, and no pointer into it is kept.
        defer { unsafe freeaddrinfo(first) }
        var reason = ""
        var found: (descriptor: Int32, port: UInt16)?
        var next: UnsafeMutablePointer<addrinfo>? = unsafe first
        while found == nil, let entry = unsafe next {
            unsafe next = entry.pointee.ai_next
            switch unsafe Self.listen(entry.pointee) {
            case .success(let listening): found = listening
            case .failure(let error): reason = "\(error)"
            }
        }
        guard let found else { throw HTTPServer.StartError(address: address, reason: reason) }
        (descriptor, port) = found
    }

    deinit { close(descriptor) }

    /// Duplicates the socket's descriptor; the caller must close the copy.
    func copy() -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

    private struct SystemError: Error, CustomStringConvertible {
        let number = errno
        var description: String { unsafe String(cString: strerror(number)) }
    }

    private static func listen(_ entry: addrinfo) -> Result<(descriptor: Int32, port: UInt16), SystemError> {
        let descriptor = unsafe socket(entry.ai_family, entry.ai_socktype, entry.ai_protocol)
        guard descriptor >= 0 else { return .failure(SystemError()) }
        var yes: Int32 = 1
        let length = socklen_t(MemoryLayout<Int32>.size)
        // Otherwise a restarted server would find its port in use for a minute.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, length)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard unsafe bind(descriptor, entry.ai_addr, entry.ai_addrlen) == 0, Self.listen(descriptor) == 0 else {
            let error = SystemError()
            close(descriptor)
            return .failure(error)
        }
        var bound = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Both families have the port at the same offset, in network byte order.
        let port = unsafe withUnsafeMutableBytes(of: &bound) { bytes in
            guard let base = bytes.baseAddress,
                unsafe getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
            else { return UInt16(0) }
            return UInt16(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
        return .success((descriptor, port))
    }

    private static func listen(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.listen(descriptor, SOMAXCONN)
        #else
            Glibc.listen(descriptor, Int32(SOMAXCONN))
        #endif
    }
}
