import Foundation

/// The part of a connection that an event loop's thread runs: it owns the socket, moves bytes, and carries out what
/// `ConnectionStateMachine` decides. `ConnectionDriver+Opening` opens the connection.
///
/// Nothing here may block, or compute for long.
final class ConnectionDriver: @unchecked Sendable {
    // @unchecked: the connection's initializer makes it and hands it to an event loop, whose thread alone uses it from
    // then on. `PendingResult` is what other threads reach.

    private struct Outgoing {
        let id: Int32
        let frame: [UInt8]
        var written = 0
        /// Whether its first bytes may have gone to the kernel; what is encrypted can't be taken back.
        var isBegun = false
    }

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

    /// How many bytes are read, and how many are written, before other connections have their turn.
    static let mostBytes = 1 << 20
    /// How many responses are delivered before other connections have their turn.
    static let mostFrames = 64

    let id: UInt64
    let host: String
    let port: UInt16
    let connectTimeout: Duration
    let encryption: TLSConfiguration?
    let mailbox: ConnectionMailbox
    let resolve: @Sendable () throws(ResolutionError) -> [SocketAddress]
    /// Has the event loop call `service`.
    let wake: @Sendable () -> Void
    var machine: ConnectionStateMachine
    var phase = Phase.new
    var stream: ByteStream?
    /// The addresses that have not been tried yet.
    var untried: [SocketAddress] = []
    private var frames: IncomingFrames
    private var outgoing: [Outgoing] = []
    private var lastFrame: ByteSlice?
    /// What the poller watches the socket for; nil if it doesn't.
    private var watched: SocketEvents?
    private var bytesToWrite = 0

    // MARK: For the event loop

    /// Set by the event loop that serves the connection.
    var poller: (any SocketPoller)?
    /// What the poller has found since the last call of `service`.
    var events: SocketEvents = []
    /// Whether the event loop is about to call `service`.
    var isDue = false
    /// Whether there may be received bytes that the poller doesn't know of any more.
    private(set) var hasMore = false

    var isClosed: Bool { machine.isClosed }

    /// When `service` has to be called at the latest.
    var nextDeadline: ContinuousClock.Instant? { machine.nextDeadline }

    init(
        id: UInt64, host: String, port: UInt16, connectTimeout: Duration, mailbox: ConnectionMailbox,
        machine: consuming ConnectionStateMachine, encryption: TLSConfiguration?, pool: BufferPool,
        resolve: @escaping @Sendable () throws(ResolutionError) -> [SocketAddress], wake: @escaping @Sendable () -> Void
    ) {
        self.id = id
        self.host = host
        self.port = port
        self.connectTimeout = connectTimeout
        self.resolve = resolve
        self.mailbox = mailbox
        self.wake = wake
        self.machine = machine
        self.encryption = encryption
        frames = IncomingFrames(pool: pool)
    }

    /// Does what there is to do, at most for one turn.
    func service() {
        let events = events
        self.events = []
        bytesToWrite = Self.mostBytes
        switch phase {
        case .open: moveBytes(events)
        default: continueOpening(events)
        }
        for command in mailbox.takeCommands() { carryOut(command) }
        tryNextAddressIfLate()
        perform(machine.tick(.now))
        watchSocket()
        if machine.isClosed {
            mailbox.shut(KafkaError(.networkException, "the connection to \(host):\(port) is closed"), .closed)
        }
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
    }

    /// nil if the poller must not watch the socket: it would report the end of the connection again and again.
    private var awaitedEvents: SocketEvents? {
        let waitsForWriting = stream?.waitsForWriting ?? false
        return switch phase {
        case .new, .resolving, .preparingTLS: nil
        case .connecting: .writable
        case .handshaking: waitsForWriting ? .writable : .readable
        case .open: machine.wantsToWrite || waitsForWriting ? [.readable, .writable] : .readable
        }
    }

    /// Closes the socket. The poller must not know it any more then, since the next socket may get its number.
    func closeSocket() {
        if watched != nil, let descriptor = stream?.descriptor { poller?.remove(descriptor) }
        watched = nil
        stream = nil
        hasMore = false
    }

    // MARK: Moving bytes

    private func moveBytes(_ events: SocketEvents) {
        // An error or the end shows in the read, after the responses that came before it.
        let readsNext =
            hasMore || !events.isDisjoint(with: [.readable, .ended])
            || !events.isEmpty && stream?.waitsForWriting == true
        if events.contains(.writable) { write() }
        if readsNext { read() }
    }

    func write() {
        while machine.wantsToWrite, bytesToWrite > 0, let next = outgoing.first {
            let progress = unsafe next.frame.withUnsafeBytes { bytes in
                unsafe stream?.write(UnsafeRawBufferPointer(rebasing: bytes[next.written...])) ?? .endOfStream
            }
            switch progress {
            case .bytes(let count):
                bytesToWrite -= count
                outgoing[0].isBegun = true
                outgoing[0].written += count
                if outgoing[0].written == next.frame.count { outgoing.removeFirst() }
                perform(machine.wrote(count))
            case .wouldBlock:
                if encryption != nil {
                    outgoing[0].isBegun = true
                    perform(machine.wrote(0))
                }
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
        while !machine.isClosed {
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
            case .announced(let length):
                let actions = machine.announced(frameOf: length)
                perform(actions)
                if actions.isEmpty { frames.approve(length) }
            case .frame(let frame):
                framesLeft -= 1
                var reader = WireReader(frame, isFlexible: false)
                lastFrame = frame
                perform(machine.received(correlationID: reader.int32()))
                lastFrame = nil
            case .wouldBlock:
                hasMore = bytesLeft <= 0
                return
            case .endOfStream: return fail("\(host):\(port) closed the connection", .closed)
            case .failed(let error): return fail("\(host):\(port): \(error)", .closed)
            case .tlsFailed: return failInTLS()
            }
        }
    }

    /// Where a broker hangs up, its reason (a TLS alert) may still lie in the socket.
    private func failAfterReading(_ reason: String) {
        if encryption != nil { read() }
        fail(reason, .closed)
    }

    // MARK: Commands and actions

    private func carryOut(_ command: ConnectionMailbox.Command) {
        switch command {
        case .submit(let id, let frame, let deadline, let opensConnection, let expectsResponse):
            let actions = machine.submit(
                id, byteCount: frame.count, deadline: deadline, opensConnection: opensConnection,
                expectsResponse: expectsResponse)
            perform(actions)
            guard actions.isEmpty else { return }
            outgoing.append(Outgoing(id: id, frame: frame))
            if case .open = phase { write() }
        case .authenticate(let id, let frame, let timeout):
            let actions = machine.authenticate(id, byteCount: frame.count, .now, timeout: timeout)
            perform(actions)
            guard actions.isEmpty else { return }
            outgoing.insert(
                Outgoing(id: id, frame: frame), at: outgoing.firstIndex { !$0.isBegun } ?? outgoing.endIndex)
            if case .open = phase { write() }
        case .resume:
            machine.resume()
            if case .open = phase { write() }
        case .abandon(let id):
            let untouched = outgoing.firstIndex { $0.id == id && !$0.isBegun }
            if let untouched { outgoing.remove(at: untouched) }
            machine.abandon(id, frameIsUntouched: untouched != nil)
        case .mute(let until):
            machine.mute(from: .now, until: until)
        case .close(let reason):
            perform(machine.fail(reason), end: .closed)
        }
    }

    func fail(_ reason: String, _ failure: ConnectionFailure? = nil) {
        perform(machine.fail(KafkaError(.networkException, reason).because(failure)))
    }

    func failInTLS() {
        perform(
            machine.fail(stream?.failure ?? KafkaError(.networkException, "TLS with \(host):\(port) broke off")))
    }

    /// - Parameter end: The reason to report if the actions end the connection; by default that of the action.
    func perform(_ actions: [ConnectionStateMachine.Action], end: DisconnectReason? = nil) {
        // Shut the mailbox first: an observer of the end must not find the connection still usable.
        if case .closeSocket(let reason) = actions.last {
            var errors: [Int32: KafkaError] = [:]
            for case .fail(let id, let error) in actions where error != reason { errors[id] = error }
            mailbox.shut(reason, end ?? .failed(reason), errors: errors)
        }
        for action in actions {
            switch action {
            case .answer(let id): mailbox.settle(id, .success(lastFrame))
            case .written(let id): mailbox.settle(id, .success(nil))
            case .fail(let id, let error): mailbox.settle(id, .failure(error))
            case .idle:
                let reason = KafkaError(
                    .networkException, "the connection to \(host):\(port) was closed, since it wasn't used")
                if mailbox.shutIfUnused(reason) { perform(machine.fail(reason), end: .idle) }
            case .closeSocket:
                cancelOpening()
                closeSocket()
                outgoing = []
            }
        }
    }
}
