import Foundation

/// The part of a connection that an event loop's thread runs: it owns the socket, and moves bytes between it and the
/// `RequestQueue`. `ConnectionDriver+Opening` opens the connection.
///
/// Nothing here may block, or compute for long.
final class ConnectionDriver: @unchecked Sendable {
    // @unchecked: the connection's initializer makes it and hands it to an event loop. Only that loop's thread uses it
    // from then on. Other threads reach `RequestQueue` and `PendingResult`.

    enum Phase {
        case new
        /// The host's addresses are being looked up.
        case resolving(PendingResult<Result<[SocketAddress], ResolutionError>>)
        case connecting
        /// Connected; certificates are being read.
        case preparingTLS(PendingResult<Result<TLSContext, KafkaError>>)
        case handshaking
        case open
    }

    /// How many bytes are read, and how many are written, before the loop serves other connections.
    static let mostBytes = 1 << 20
    /// How many responses are delivered before the loop serves other connections.
    static let mostFrames = 64

    let id: UInt64
    let host: String
    let port: UInt16
    let connectTimeout: Duration
    let encryption: TLSConfiguration?
    let requests: RequestQueue
    let resolve: @Sendable () throws(ResolutionError) -> [SocketAddress]
    /// Has the event loop call `service`.
    let wake: @Sendable () -> Void
    var phase = Phase.new
    var stream: ByteStream?
    /// The addresses that have not been tried yet.
    var untried: [SocketAddress] = []
    private var frames: IncomingFrames
    /// What the poller watches the socket for; nil if it doesn't.
    private var watched: SocketEvents?
    private var bytesToWrite = 0
    /// Whether the socket took no more bytes at the last attempt.
    private var isBlocked = false
    /// The queue's state at the end of the last turn. Each change by a caller begins another turn.
    private var status: RequestQueue.Status

    // MARK: For the event loop

    /// Set by the event loop that serves the connection.
    var poller: (any SocketPoller)?
    /// What the poller has found since the last call of `service`.
    var events: SocketEvents = []
    /// Whether the event loop is about to call `service`.
    var isDue = false
    /// Whether there may be received bytes that the poller does not report again.
    private(set) var hasMore = false

    var isClosed: Bool { status.isClosed }

    /// When `service` must be called at the latest.
    var nextDeadline: ContinuousClock.Instant? { status.nextDeadline }

    init(
        id: UInt64, host: String, port: UInt16, connectTimeout: Duration, requests: RequestQueue,
        encryption: TLSConfiguration?, pool: BufferPool,
        resolve: @escaping @Sendable () throws(ResolutionError) -> [SocketAddress], wake: @escaping @Sendable () -> Void
    ) {
        self.id = id
        self.host = host
        self.port = port
        self.connectTimeout = connectTimeout
        self.resolve = resolve
        self.requests = requests
        status = requests.status
        self.wake = wake
        self.encryption = encryption
        frames = IncomingFrames(pool: pool)
    }

    /// Serves the connection for one turn.
    func service() {
        let events = events
        self.events = []
        bytesToWrite = Self.mostBytes
        switch phase {
        case .open: moveBytes(events)
        default: continueOpening(events)
        }
        status = requests.status
        if let reason = status.closeRequest { closeSocket(if: requests.fail(reason, .closed)) }
        // Requests that were submitted since the last turn.
        if case .open = phase, status.wantsToWrite { write() }
        tryNextAddressIfLate()
        closeSocket(if: requests.tick(.now))
        status = requests.status
        watchSocket()
    }

    /// The loop's poller failed, so that the socket's events are not noticed any more.
    func pollerFailed(_ error: SocketError) {
        fail("the event loop of \(host):\(port) failed: \(error)")
    }

    // MARK: The socket

    /// Has the poller watch the socket for what the connection waits for.
    private func watchSocket() {
        guard let descriptor = stream?.descriptor, let poller else { return }
        let wanted = awaitedEvents
        guard wanted != watched else { return }
        let error: SocketError?
        switch (watched, wanted) {
        case (nil, let wanted?): error = poller.add(descriptor, id: id, wanted)
        case (_, let wanted?): error = poller.change(descriptor, id: id, wanted)
        case (_, nil):
            poller.remove(descriptor)
            error = nil
        }
        watched = wanted
        guard let error else { return }
        // A socket that could not be added must not be removed either.
        watched = nil
        fail("\(host):\(port) can't be watched: \(error)")
        status = requests.status
    }

    /// nil if the poller must not watch the socket: it would report the end of the connection again and again.
    private var awaitedEvents: SocketEvents? {
        let waitsForWriting = stream?.waitsForWriting ?? false
        return switch phase {
        case .new, .resolving, .preparingTLS: nil
        case .connecting: .writable
        case .handshaking: waitsForWriting ? .writable : .readable
        case .open: status.wantsToWrite || waitsForWriting ? [.readable, .writable] : .readable
        }
    }

    /// Closes the socket. The poller forgets it first, since the next socket may get the same descriptor.
    func closeSocket() {
        if watched != nil, let descriptor = stream?.descriptor { poller?.remove(descriptor) }
        watched = nil
        stream = nil
        hasMore = false
    }

    // MARK: Moving bytes

    private func moveBytes(_ events: SocketEvents) {
        // The read reports an error or the end, after the responses that came before it.
        let readsNext =
            hasMore || !events.isDisjoint(with: [.readable, .ended])
            || !events.isEmpty && stream?.waitsForWriting == true
        if events.contains(.writable) {
            isBlocked = false
            write()
        }
        if readsNext { read() }
    }

    func write() {
        // OpenSSL may wait for bytes to read before it can write.
        guard !isBlocked || encryption != nil else { return }
        while bytesToWrite > 0, let (frame, written) = requests.nextWrite() {
            switch stream?.write(frame, from: written) ?? .endOfStream {
            case .bytes(let count):
                bytesToWrite -= count
                closeSocket(if: requests.wrote(count))
            case .wouldBlock:
                isBlocked = true
                return
            case .endOfStream: return failAfterReading("\(host):\(port) closed the connection")
            case .failed(let code): return failAfterReading("\(host):\(port): \(SocketError(code))")
            case .tlsFailed: return failInTLS()
            }
        }
    }

    private func read() {
        hasMore = false
        var (bytesLeft, framesLeft) = (Self.mostBytes, Self.mostFrames)
        while stream != nil {
            guard framesLeft > 0 else {
                hasMore = true
                return
            }
            let step = unsafe frames.next { buffer in
                guard bytesLeft > 0 else { return .wouldBlock }
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, bytesLeft)])
                let progress = unsafe stream?.read(into: part) ?? .endOfStream
                if case .bytes(let count) = progress { bytesLeft -= count }
                return progress
            }
            switch step {
            case .length(let length):
                let hasEnded = requests.receivedFrameLength(length)
                closeSocket(if: hasEnded)
                if !hasEnded { frames.accept(length) }
            case .frame(let frame):
                framesLeft -= 1
                closeSocket(if: requests.received(frame))
            case .wouldBlock:
                hasMore = bytesLeft <= 0
                if !hasMore { stream?.expect(frames.missing) }
                return
            case .endOfStream: return fail("\(host):\(port) closed the connection", .closed)
            case .failed(let error): return fail("\(host):\(port): \(error)", .closed)
            case .tlsFailed: return failInTLS()
            }
        }
    }

    /// The broker's reason for closing the connection (a TLS alert) may be among the bytes that are not read yet.
    private func failAfterReading(_ reason: String) {
        if encryption != nil { read() }
        fail(reason, .closed)
    }

    // MARK: The end

    func fail(_ reason: String, _ failure: ConnectionFailure? = nil) {
        fail(KafkaError(.networkException, reason).because(failure))
    }

    func failInTLS() {
        fail(stream?.failure ?? KafkaError(.networkException, "TLS with \(host):\(port) broke off"))
    }

    func fail(_ reason: KafkaError) {
        closeSocket(if: requests.fail(reason))
    }

    private func closeSocket(if hasEnded: Bool) {
        guard hasEnded else { return }
        cancelOpening()
        closeSocket()
    }
}
