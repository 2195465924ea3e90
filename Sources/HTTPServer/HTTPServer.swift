import CMicroHTTPD
import Concurrency
import Dispatch

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A small server for a program's status pages, based on libmicrohttpd.
///
/// It answers GET and HEAD over HTTP 1.1 without TLS, on its own thread. Clients have limits: the number of
/// connections, how long each may be silent, and the size of a request's head.
///
/// ```swift
/// let server = try HTTPServer(at: ListenAddress(port: 8080)) { request in HTTPResponse("hello\n") }
/// ```
public final class HTTPServer: Sendable {
    public struct Limits: Sendable {
        public var connections = 512
        /// The longest silence of a connection in seconds.
        public var idleSeconds = 30
        /// The bytes of memory per connection, which must hold a request's line and headers.
        public var connectionMemory = 16 << 10

        public init() {}
    }

    /// The reason why the server can't listen.
    public struct StartError: Error, CustomStringConvertible {
        public let address: ListenAddress
        public let reason: String
        public var description: String { "cannot listen at \(address): \(reason)" }
    }

    /// The headers of every response. No content of other hosts is loaded, and no other page can frame this one.
    private static let headers = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
    ]

    /// The address, with the actual port if any free one was requested.
    public let address: ListenAddress
    private let daemon: Lock<Daemon?>

    /// libmicrohttpd's server and the argument of its callback.
    @safe private struct Daemon: @unchecked Sendable {
        // @unchecked: libmicrohttpd's functions may be called from any thread, and `stop()` first takes it out of its
        // lock.
        let pointer: OpaquePointer
        let handler: Unmanaged<Handler>
    }

    private final class Handler: Sendable {
        let answer: @Sendable (HTTPRequest) -> HTTPResponse
        /// The streams that have been sent to clients.
        let streams = Lock<[EventStream]>([])
        init(_ answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse) { self.answer = answer }
    }

    /// Starts listening.
    ///
    /// - Parameter answer: Called on the server's thread. It must not wait, since the thread serves no other client
    ///   meanwhile.
    /// - Throws: `StartError` if the address can't be used.
    public init(
        at address: ListenAddress, limits: Limits = Limits(),
        answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse
    ) throws(StartError) {
        let socket = try ListeningSocket(address)
        let handler = unsafe Unmanaged.passRetained(Handler(answer))
        let options: [any CVarArg] = [
            MHD_OPTION.LISTEN_SOCKET.rawValue, socket.copy(),
            MHD_OPTION.CONNECTION_LIMIT.rawValue, UInt32(limits.connections),
            MHD_OPTION.CONNECTION_TIMEOUT.rawValue, UInt32(limits.idleSeconds),
            MHD_OPTION.CONNECTION_MEMORY_LIMIT.rawValue, limits.connectionMemory,
            MHD_OPTION.END.rawValue,
        ]
        #if canImport(Darwin)
            let polling = MHD_USE_AUTO_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
        #else
            let polling = MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
        #endif
        // The options are read before the call returns. The handler lives until the server has stopped.
        let pointer = unsafe withVaList(options) { options in
            unsafe MHD_start_daemon_va(polling, 0, nil, nil, Self.handle, handler.toOpaque(), options)
        }
        guard let pointer = unsafe pointer else {
            unsafe handler.release()
            throw StartError(address: address, reason: "the server could not be started")
        }
        self.address = ListenAddress(host: address.host, port: socket.port)
        daemon = unsafe Lock(Daemon(pointer: pointer, handler: handler))
    }

    deinit { stopNow() }

    /// Stops listening and ends all event streams and connections. A response in progress may be cut off.
    public func stop() async {
        // Stopping waits for the server's thread.
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "end of the HTTP server").async {
                self.stopNow()
                continuation.resume()
            }
        }
    }

    private func stopNow() {
        guard
            let running = daemon.withLock({ daemon in
                defer { daemon = nil }
                return daemon
            })
        else { return }
        // libmicrohttpd can't stop while a connection is suspended.
        for stream in unsafe running.handler.takeUnretainedValue().streams.withLock({ $0 }) { stream.end() }
        unsafe MHD_stop_daemon(running.pointer)
        unsafe running.handler.release()
    }

    // MARK: Requests

    private static let handle: MHD_AccessHandlerCallback = { handler, connection, path, method, _, _, _, _ in
        // All arguments are valid until this returns.
        guard let handler = unsafe handler, let connection = unsafe connection, let path = unsafe path,
            let method = unsafe method
        else { return MHD_Result.NO }
        let context = unsafe Unmanaged<Handler>.fromOpaque(handler).takeUnretainedValue()
        let name = unsafe String(validatingCString: method)
        // The first call is answered, before the body arrives; a body that is sent anyway ends the connection.
        guard name == "GET" || name == "HEAD" else {
            let refusal = HTTPResponse(.methodNotAllowed, "only GET and HEAD are supported\n")
            return unsafe send(refusal, extraHeader: ("Allow", "GET, HEAD"), connection)
        }
        guard let path = unsafe String(validatingCString: path) else {
            return unsafe send(HTTPResponse(.notFound, "the path is not UTF-8\n"), connection)
        }
        let answer = unsafe context.answer(HTTPRequest(path: path, query: arguments(connection)))
        if case .events(let stream) = answer.body {
            context.streams.withLock { streams in
                if !streams.contains(where: { $0 === stream }) { streams.append(stream) }
            }
        }
        return unsafe send(answer, connection)
    }

    private static func arguments(_ connection: OpaquePointer) -> [String: String] {
        var arguments: [String: String] = [:]
        // The callback is called before this call returns, and uses the dictionary's address only until then.
        unsafe withUnsafeMutablePointer(to: &arguments) { arguments in
            _ = unsafe MHD_get_connection_values(
                connection, MHD_ValueKind.GET_ARGUMENT_KIND,
                { arguments, _, name, value in
                    if let name = unsafe name, let name = unsafe String(validatingCString: name) {
                        let value = unsafe value.flatMap { unsafe String(validatingCString: $0) }
                        unsafe arguments?.assumingMemoryBound(to: [String: String].self).pointee[name] = value ?? ""
                    }
                    return MHD_Result.YES
                }, arguments)
        }
        return arguments
    }

    private static func send(
        _ answer: HTTPResponse, extraHeader: (String, String)? = nil, _ connection: OpaquePointer
    ) -> MHD_Result {
        let response: OpaquePointer?
        switch answer.body {
        case .bytes(let bytes):
            // The library copies the bytes.
            unsafe response = bytes.withUnsafeBytes { body in
                unsafe MHD_create_response_from_buffer(
                    body.count, UnsafeMutableRawPointer(mutating: body.baseAddress),
                    MHD_ResponseMemoryMode.RESPMEM_MUST_COPY)
            }
        case .events(let stream): unsafe response = stream.response(to: connection)
        }
        guard let response = unsafe response else { return MHD_Result.NO }
        defer { unsafe MHD_destroy_response(response) }
        for (name, value) in headers + [("Content-Type", answer.type)] + (extraHeader.map { [$0] } ?? []) {
            guard unsafe MHD_add_response_header(response, name, value) == MHD_Result.YES else { return MHD_Result.NO }
        }
        return unsafe MHD_queue_response(connection, answer.status.rawValue, response)
    }
}
