import Concurrency

/// One connection to one broker, with any number of requests in flight.
///
/// An event loop owns the socket, through a `ConnectionDriver`. Callers append requests to the `RequestQueue` and await
/// the response, so nothing here blocks a thread of Swift's cooperative pool.
package final class BrokerConnection: Sendable {
    package let host: String
    package let port: UInt16
    private let requests: RequestQueue
    private let isEncrypted: Bool

    /// Begins to connect. Requests may be sent at once: they wait for the connection.
    ///
    /// - Parameters:
    ///   - connectTimeout: How long each address of the host has (`socket.connection.setup.timeout.ms`), from the
    ///     attempt to connect to the responses to requests with `opensConnection`.
    ///   - maximumFrame: The longest response that is accepted, in bytes (`receive.message.max.bytes`).
    ///   - maximumIdle: How long it is kept without a request (`connections.max.idle.ms`); nil for no limit.
    ///   - encryption: nil for an unencrypted connection. A TLS handshake is part of connecting.
    ///   - pool: The pool of the memory for responses.
    package convenience init(
        host: String, port: UInt16, connectTimeout: Duration, maximumFrame: Int, maximumIdle: Duration? = nil,
        encryption: TLSConfiguration? = nil, pool: BufferPool
    ) throws(KafkaError) {
        try self.init(
            host: host, port: port, connectTimeout: connectTimeout, maximumFrame: maximumFrame,
            maximumIdle: maximumIdle, encryption: encryption, pool: pool
        ) { () throws(ResolutionError) in try SocketAddress.resolve(host: host, port: port) }
    }

    /// - Parameters:
    ///   - loops: The threads that may serve the connection.
    ///   - resolve: Returns the host's addresses, which are tried one after the other. It may block. Not called if the
    ///     host is an address.
    init(
        host: String, port: UInt16, connectTimeout: Duration, maximumFrame: Int, maximumIdle: Duration? = nil,
        encryption: TLSConfiguration? = nil, pool: BufferPool, loops: EventLoops = .shared,
        resolve: @escaping @Sendable () throws(ResolutionError) -> [SocketAddress]
    ) throws(KafkaError) {
        self.host = host
        self.port = port
        let (loop, id): (EventLoop, UInt64)
        do throws(SocketError) {
            (loop, id) = try loops.reserve()
        } catch {
            throw KafkaError(.networkException, "no connection to \(host):\(port) can be opened: \(error)")
        }
        let wake: @Sendable () -> Void = { loop.wake(id) }
        let machine = ConnectionStateMachine(
            broker: "\(host):\(port)", connectDeadline: .now + connectTimeout, maximumFrame: maximumFrame,
            maximumIdle: maximumIdle)
        requests = RequestQueue(machine: machine, wake: wake)
        isEncrypted = encryption != nil
        loop.add(
            ConnectionDriver(
                id: id, host: host, port: port, connectTimeout: connectTimeout, requests: requests,
                encryption: encryption, pool: pool, resolve: resolve, wake: wake))
    }

    deinit {
        close()
    }

    /// Sends one request and waits for its response, or until it is written if none is expected.
    ///
    /// - Parameters:
    ///   - timeout: From now to the response. After it the connection ends, with everything in flight on it.
    ///   - opensConnection: Whether `connectTimeout` limits the request too.
    ///   - frame: Makes the request's frame for a correlation id; see `KafkaRequest.requestFrame`.
    /// - Returns: The response without its length; nil if none is expected.
    /// - Throws: `KafkaError`; `CancellationError` if the task was cancelled, which disturbs no other request.
    package func send(
        timeout: Duration, opensConnection: Bool = false, expectsResponse: Bool = true,
        frame: (_ correlationID: Int32) throws -> RequestFrame
    ) async throws -> ByteSlice? {
        let id = requests.reserveID()
        let frame = forSocket(try frame(id))
        let deadline = ContinuousClock.now + timeout
        let response = Promise<RequestQueue.Response>()
        return try await withTaskCancellationHandler {
            requests.submit(
                id: id, frame: frame, deadline: deadline, opensConnection: opensConnection,
                expectsResponse: expectsResponse, completion: response.fulfil)
            return try await response.value().get()
        } onCancel: {
            requests.cancel(id: id)
        }
    }

    /// Sends a request of an authentication and waits for its response. It goes before all requests that have not begun;
    /// those wait until `resume`.
    ///
    /// - Parameter timeout: From the responses that are due before it, or now, to this one.
    func authenticate(
        timeout: Duration, frame: (_ correlationID: Int32) throws -> RequestFrame
    ) async throws -> ByteSlice {
        let id = requests.reserveID()
        let frame = forSocket(try frame(id))
        let result = Promise<RequestQueue.Response>()
        let response = try await withTaskCancellationHandler {
            requests.authenticate(id: id, frame: frame, timeout: timeout, completion: result.fulfil)
            return try await result.value().get()
        } onCancel: {
            requests.cancel(id: id)
        }
        guard let response else {
            throw KafkaError(.unknownServerError, "\(host):\(port) gave no response in an authentication")
        }
        return response
    }

    /// Lets the requests go that wait for an authentication.
    func resume() {
        requests.resume()
    }

    /// Sends a request without waiting: requests go out in the order of these calls.
    ///
    /// - Parameter completion: Called once, on a thread that it must not block.
    package func post(
        timeout: Duration, expectsResponse: Bool, frame: (_ correlationID: Int32) throws -> RequestFrame,
        completion: @escaping @Sendable (Result<ByteSlice?, any Error>) -> Void
    ) rethrows {
        let id = requests.reserveID()
        let frame = forSocket(try frame(id))
        requests.submit(
            id: id, frame: frame, deadline: .now + timeout, expectsResponse: expectsResponse, completion: completion)
    }

    private func forSocket(_ frame: RequestFrame) -> RequestFrame {
        isEncrypted ? frame.contiguous() : frame
    }

    /// Ends the connection; requests in flight fail with `reason`.
    package func close(_ reason: KafkaError? = nil) {
        requests.close(reason ?? KafkaError(.networkException, "the connection to \(host):\(port) was closed"))
    }

    /// Begins no request during a pause that the broker asked for (KIP-219).
    func mute(for pause: Duration) {
        requests.mute(until: .now + pause)
    }

    /// When that pause ends; nil if there is none. Requests that are sent before wait in the connection.
    var pauseEnd: ContinuousClock.Instant? { requests.pauseEnd }

    /// Has `body` called when the connection ends, or at once if it has ended: on a thread that it must not block.
    func onEnd(_ body: @escaping @Sendable (DisconnectReason) -> Void) {
        requests.onEnd(body)
    }

    /// Why no request can be sent any more; nil while requests can be sent.
    package var closed: KafkaError? { requests.closed }

    /// Whether the broker accepted the connection, though the TLS handshake may have failed.
    var wasReached: Bool { requests.wasReached }

    /// Whether the connection was opened, with the TLS handshake if there is one, though it may be closed since.
    package var wasEstablished: Bool { requests.wasEstablished }
}
