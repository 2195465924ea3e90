import Foundation

/// The thread of a connection: waits in poll(2), moves bytes, and carries out what `ConnectionStateMachine` decides.
final class ConnectionLoop: @unchecked Sendable {
    // @unchecked: the connection's initializer makes it and hands it to its thread, which alone uses it from then on.

    private struct Outgoing {
        let id: Int32
        let frame: [UInt8]
        var written = 0
        /// Whether its first bytes may have gone to the kernel; what is encrypted can't be taken back.
        var isBegun = false
    }

    private enum Phase {
        case connecting, handshaking, open
    }

    private let host: String
    private let connectTimeout: Duration
    private let resolve: @Sendable () throws(ResolutionError) -> [SocketAddress]
    private let port: UInt16
    private let mailbox: ConnectionMailbox
    private let wakeUp: WakeUp
    private var machine: ConnectionStateMachine
    private var frames: IncomingFrames
    private let encryption: TLSConfiguration?
    private var stream: ByteStream?
    private var phase = Phase.connecting
    private var untried: [SocketAddress] = []
    private var outgoing: [Outgoing] = []
    private var lastFrame: ByteSlice?

    init(
        host: String, port: UInt16, connectTimeout: Duration, mailbox: ConnectionMailbox, wakeUp: WakeUp,
        machine: consuming ConnectionStateMachine, encryption: TLSConfiguration?, pool: BufferPool,
        resolve: @escaping @Sendable () throws(ResolutionError) -> [SocketAddress]
    ) {
        self.host = host
        self.port = port
        self.connectTimeout = connectTimeout
        self.resolve = resolve
        self.mailbox = mailbox
        self.wakeUp = wakeUp
        self.machine = machine
        self.encryption = encryption
        frames = IncomingFrames(pool: pool)
    }

    /// Runs until the connection is closed.
    func run() {
        blockBrokenPipeSignal()
        do throws(ResolutionError) {
            untried = try resolve()
            connectToNext(after: nil)
        } catch {
            fail("the host name \(host) can't be resolved: \(error.reason)", .unresolved)
        }
        while !machine.isClosed {
            wait()
            for command in mailbox.takeCommands() { carryOut(command) }
            if phase != .open, !untried.isEmpty, machine.connectDeadline <= .now {
                // An address that keeps silent has had its time; another one may answer.
                stream = nil
                connectToNext(after: SocketError(ETIMEDOUT))
            }
            perform(machine.tick(.now))
        }
        mailbox.shut(KafkaError(.networkException, "the connection to \(host):\(port) is closed"), .closed)
    }

    // MARK: Connecting

    /// Tries the host's next address; when there is none left, the last error is the connection's.
    private func connectToNext(after error: SocketError?) {
        var last = error
        while !untried.isEmpty {
            switch Socket.connecting(to: untried.removeFirst()) {
            case .success(let new):
                stream = ByteStream(new)
                phase = .connecting
                machine.connectsAnew(until: .now + connectTimeout)
                return
            case .failure(let error):
                last = error
            }
        }
        let failure: ConnectionFailure =
            switch last?.code {
            case nil: .unresolved
            case ECONNREFUSED: .refused
            case ETIMEDOUT: .silent
            default: .unreachable
            }
        fail("\(host):\(port) can't be reached: \(last?.description ?? "the name has no address")", failure)
    }

    private func finishConnecting() {
        if let error = stream?.connectError {
            stream = nil
            return connectToNext(after: error)
        }
        mailbox.reached()
        guard let encryption else { return finishOpening() }
        phase = .handshaking
        do throws(KafkaError) {
            try stream?.encrypt(for: TLSPeer(host: host, port: port, configuration: encryption))
            shakeHands()
        } catch {
            perform(machine.fail(error))
        }
    }

    private func shakeHands() {
        switch stream?.handshake() ?? .endOfStream {
        case .bytes: finishOpening()
        case .wouldBlock: return
        case .endOfStream: fail("\(host):\(port) hung up on the TLS handshake", .closed)
        case .failed(let code): fail("\(host):\(port) broke off the TLS handshake: \(SocketError(code))", .closed)
        case .tlsFailed: failInTLS()
        }
    }

    private func finishOpening() {
        phase = .open
        machine.connected()
        mailbox.established()
        write()
    }

    /// OpenSSL writes to sockets without the flag that keeps the signal away. It would come to this thread.
    private func blockBrokenPipeSignal() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    // MARK: Waiting and moving bytes

    private func wait() {
        var descriptors = [pollfd(fd: wakeUp.readEnd, events: Int16(POLLIN), revents: 0)]
        if let descriptor = stream?.descriptor {
            descriptors.append(pollfd(fd: descriptor, events: Int16(awaitedEvents), revents: 0))
        }
        if unsafe poll(&descriptors, nfds_t(descriptors.count), timeout) < 0, errno != EINTR {
            return fail("poll failed: \(SocketError(errno))")
        }
        if descriptors[0].revents != 0 { wakeUp.drain() }
        guard descriptors.count > 1, descriptors[1].revents != 0 else { return }
        switch phase {
        case .connecting: finishConnecting()
        case .handshaking: shakeHands()
        case .open:
            let readsNext = descriptors[1].revents & ~Int16(POLLOUT) != 0 || stream?.waitsForWriting == true
            if descriptors[1].revents & Int16(POLLOUT) != 0 { write() }
            // An error or hang-up shows in the read, after the answers that came before it.
            if readsNext { read() }
        }
    }

    /// What poll(2) is to wait for at the socket.
    private var awaitedEvents: Int32 {
        let waitsForWriting = stream?.waitsForWriting ?? false
        return switch phase {
        case .connecting: POLLOUT
        case .handshaking: waitsForWriting ? POLLOUT : POLLIN
        case .open: machine.wantsToWrite || waitsForWriting ? POLLIN | POLLOUT : POLLIN
        }
    }

    /// Milliseconds until the next deadline, for poll(2); -1 where there is none.
    private var timeout: Int32 {
        guard let deadline = machine.nextDeadline else { return -1 }
        let left = deadline - .now
        guard left > .zero else { return 0 }
        // A longer time is looked at again then, and a very long one doesn't fit into milliseconds.
        guard left < .seconds(60) else { return 60_000 }
        // Rounded up, or the last fraction of a millisecond would be spent in a busy loop.
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
        return Int32(clamping: milliseconds)
    }

    private func write() {
        while machine.wantsToWrite, let next = outgoing.first {
            let progress = unsafe next.frame.withUnsafeBytes { bytes in
                unsafe stream?.write(UnsafeRawBufferPointer(rebasing: bytes[next.written...])) ?? .endOfStream
            }
            switch progress {
            case .bytes(let count):
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
        while !machine.isClosed {
            switch unsafe frames.next(reading: { unsafe stream?.read(into: $0) ?? .endOfStream }) {
            case .announced(let length):
                let actions = machine.announced(frameOf: length)
                perform(actions)
                if actions.isEmpty { frames.approve(length) }
            case .frame(let frame):
                var reader = WireReader(frame, isFlexible: false)
                lastFrame = frame
                perform(machine.received(correlationID: reader.int32()))
                lastFrame = nil
            case .wouldBlock: return
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
        case .submit(let id, let frame, let deadline, let expectsResponse):
            let actions = machine.submit(
                id, byteCount: frame.count, deadline: deadline, expectsResponse: expectsResponse)
            perform(actions)
            guard actions.isEmpty else { return }
            outgoing.append(Outgoing(id: id, frame: frame))
            if phase == .open { write() }
        case .authenticate(let id, let frame, let timeout):
            let actions = machine.authenticate(id, byteCount: frame.count, .now, timeout: timeout)
            perform(actions)
            guard actions.isEmpty else { return }
            outgoing.insert(
                Outgoing(id: id, frame: frame), at: outgoing.firstIndex { !$0.isBegun } ?? outgoing.endIndex)
            if phase == .open { write() }
        case .resume:
            machine.resume()
            if phase == .open { write() }
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

    private func fail(_ reason: String, _ failure: ConnectionFailure? = nil) {
        perform(machine.fail(KafkaError(.networkException, reason).because(failure)))
    }

    private func failInTLS() {
        perform(
            machine.fail(stream?.failure ?? KafkaError(.networkException, "TLS with \(host):\(port) broke off")))
    }

    /// - Parameter end: What is told of the connection's end, where the actions are that; by default their reason.
    private func perform(_ actions: [ConnectionStateMachine.Action], end: DisconnectEvent.Reason? = nil) {
        // Whoever is told of the end must not find the connection usable when it looks.
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
                stream = nil
                outgoing = []
            }
        }
    }
}
