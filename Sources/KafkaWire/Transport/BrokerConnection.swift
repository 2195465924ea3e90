import Concurrency

/// One connection to one broker, with any number of requests in flight.
///
/// An event loop owns the socket, through a `ConnectionDriver`. Callers put requests into a mailbox and await the
/// response, so nothing here ever blocks a thread of Swift's cooperative pool.
package final class BrokerConnection: Sendable {
    package let host: String
    package let port: UInt16
    private let mailbox: ConnectionMailbox

    /// Starts to connect. Requests may be sent at once: they wait for the connection.
    ///
    /// - Parameters:
    ///   - connectTimeout: How long each address of the host has (`socket.connection.setup.timeout.ms`), from the
    ///     attempt to connect to the responses to requests with `opensConnection`.
    ///   - maximumFrame: The longest answer that is believed, in bytes (`receive.message.max.bytes`).
    ///   - maximumIdle: How long it is kept without a request (`connections.max.idle.ms`); nil for ever.
    ///   - encryption: Nil for a connection in plain. A TLS handshake is part of connecting.
    ///   - pool: Where the memory for answers comes from.
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
    ///   - resolve: Gives the host's addresses, which are tried one after the other. It may block. Not called if the host
    ///     is an address.
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
        mailbox = ConnectionMailbox(wake: wake)
        let machine = ConnectionStateMachine(
            broker: "\(host):\(port)", connectDeadline: .now + connectTimeout, maximumFrame: maximumFrame,
            maximumIdle: maximumIdle)
        loop.add(
            ConnectionDriver(
                id: id, host: host, port: port, connectTimeout: connectTimeout, mailbox: mailbox, machine: machine,
                encryption: encryption, pool: pool, resolve: resolve, wake: wake))
    }

    deinit {
        close()
    }

    /// Sends one request and waits for its answer, or until it is written where none is expected.
    ///
    /// - Parameters:
    ///   - timeout: From now to the answer. When it has passed the connection ends, with everything in flight on it.
    ///   - opensConnection: Whether `connectTimeout` limits the request too.
    ///   - frame: Gives the request's bytes for its correlation id; see `KafkaRequest.frame`.
    /// - Returns: The answer without its length; nil where none is expected.
    /// - Throws: `KafkaError`, or `CancellationError` where the task was cancelled: that disturbs no other request.
    package func send(
        timeout: Duration, opensConnection: Bool = false, expectsResponse: Bool = true,
        frame: (_ correlationID: Int32) throws -> [UInt8]
    ) async throws -> ByteSlice? {
        let id = mailbox.reserveID()
        let bytes = try frame(id)
        let deadline = ContinuousClock.now + timeout
        let answer = Promise<ConnectionMailbox.Answer>()
        return try await withTaskCancellationHandler {
            mailbox.submit(
                id: id, frame: bytes, deadline: deadline, opensConnection: opensConnection,
                expectsResponse: expectsResponse, completion: answer.fulfil)
            return try await answer.value().get()
        } onCancel: {
            mailbox.cancel(id: id)
        }
    }

    /// Sends a request of an authentication and waits for its answer: it goes before all requests that haven't been
    /// begun, and those wait from here on until `resume`.
    ///
    /// - Parameter timeout: From the answers that are due before it, or now, to this one.
    func authenticate(timeout: Duration, frame: (_ correlationID: Int32) throws -> [UInt8]) async throws -> ByteSlice {
        let id = mailbox.reserveID()
        let bytes = try frame(id)
        let answer = Promise<ConnectionMailbox.Answer>()
        let response = try await withTaskCancellationHandler {
            mailbox.authenticate(id: id, frame: bytes, timeout: timeout, completion: answer.fulfil)
            return try await answer.value().get()
        } onCancel: {
            mailbox.cancel(id: id)
        }
        guard let response else {
            throw KafkaError(.unknownServerError, "\(host):\(port) gave no answer in an authentication")
        }
        return response
    }

    /// Lets requests go out that wait for an authentication.
    func resume() {
        mailbox.resume()
    }

    /// Sends as `send` does, without waiting: requests go out in the order of these calls.
    ///
    /// - Parameter completion: Called once, on a thread that it mustn't block.
    package func post(
        timeout: Duration, expectsResponse: Bool, frame: (_ correlationID: Int32) throws -> [UInt8],
        completion: @escaping @Sendable (Result<ByteSlice?, any Error>) -> Void
    ) rethrows {
        let id = mailbox.reserveID()
        let bytes = try frame(id)
        mailbox.submit(
            id: id, frame: bytes, deadline: .now + timeout, expectsResponse: expectsResponse, completion: completion)
    }

    /// Ends the connection; requests under way fail with `reason`.
    package func close(_ reason: KafkaError? = nil) {
        mailbox.close(reason ?? KafkaError(.networkException, "the connection to \(host):\(port) was closed"))
    }

    /// Begins no request before then, since the broker asked for a pause (KIP-219).
    func mute(for pause: Duration) {
        mailbox.mute(until: .now + pause)
    }

    /// Has `body` called when the connection ends, or at once where it has: on a thread that it mustn't block.
    func onEnd(_ body: @escaping @Sendable (DisconnectReason) -> Void) {
        mailbox.onEnd(body)
    }

    /// Why no request can be sent any more; nil while it can.
    package var closed: KafkaError? { mailbox.closed }

    /// Whether somebody took the connection, though the TLS handshake may have failed.
    var wasReached: Bool { mailbox.wasReached }

    /// Whether the broker took the connection, and the TLS handshake where there is one, be it closed since or not.
    package var wasEstablished: Bool { mailbox.wasEstablished }
}
