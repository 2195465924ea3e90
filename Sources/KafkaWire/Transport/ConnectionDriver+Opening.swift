import Foundation

/// Opens a connection: resolves the host, connects to one of its addresses, and performs the TLS handshake if there is one.
///
/// Resolving and reading certificates may block, and happen on the threads of `BlockingWork`. The computations of a TLS
/// handshake take the loop's thread a millisecond or two.
extension ConnectionDriver {
    /// Continues the current phase.
    func continueOpening(_ events: SocketEvents) {
        switch phase {
        case .new: beginResolving()
        case .resolving(let addresses): takeAddresses(addresses.value)
        case .connecting: if !events.isEmpty { finishConnecting() }
        case .preparingTLS(let context): takeContext(context.value)
        case .handshaking: if !events.isEmpty { performHandshake() }
        case .open: break
        }
    }

    /// Drops the results of other threads, if the connection ends before it is open.
    func cancelOpening() {
        switch phase {
        case .resolving(let addresses): addresses.cancel()
        case .preparingTLS(let context): context.cancel()
        case .new, .connecting, .handshaking, .open: break
        }
    }

    private func beginResolving() {
        if let address = SocketAddress.numeric(host: host, port: port) {
            untried = [address]
            return connectToNext(after: nil)
        }
        let addresses = PendingResult.start({ [resolve] in Result(catching: resolve) }, then: wake)
        guard let addresses else { return failWithoutThread() }
        phase = .resolving(addresses)
    }

    private func takeAddresses(_ addresses: Result<[SocketAddress], ResolutionError>?) {
        switch addresses {
        case .success(let addresses):
            untried = addresses
            connectToNext(after: nil)
        case .failure(let error):
            fail("the host name \(host) can't be resolved: \(error.reason)", .unresolved)
        case nil: break
        }
    }

    private func failWithoutThread() {
        fail("no connection to \(host):\(port) can be opened: the system has no thread left")
    }

    /// Tries the next address if the current one has used up its time.
    func tryNextAddressIfLate() {
        let status = requests.status
        guard !status.isClosed, status.connectDeadline <= .now else { return }
        switch phase {
        case .open: break
        case .resolving: fail("the host name \(host) can't be resolved: the resolver doesn't answer", .unresolved)
        case .new, .connecting, .preparingTLS, .handshaking:
            guard !untried.isEmpty else { return }
            cancelOpening()
            closeSocket()
            connectToNext(after: SocketError(ETIMEDOUT))
        }
    }

    /// Connects to the host's next address. If there is none left, the connection fails with the last error.
    private func connectToNext(after error: SocketError?) {
        var last = error
        while !untried.isEmpty {
            switch Socket.connecting(to: untried.removeFirst()) {
            case .success(let new):
                stream = ByteStream(new)
                phase = .connecting
                requests.reconnects(until: .now + connectTimeout)
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
            closeSocket()
            return connectToNext(after: error)
        }
        requests.reached()
        guard let encryption else { return finishOpening() }
        let context = PendingResult.start(
            { Result { () throws(KafkaError) in try TLSContext(encryption) } }, then: wake)
        guard let context else { return failWithoutThread() }
        phase = .preparingTLS(context)
    }

    private func takeContext(_ context: Result<TLSContext, KafkaError>?) {
        guard let context, let encryption else { return }
        phase = .handshaking
        do throws(KafkaError) {
            try stream?.encrypt(
                with: context.get(), for: TLSPeer(host: host, port: port, configuration: encryption))
            performHandshake()
        } catch {
            fail(error)
        }
    }

    private func performHandshake() {
        switch stream?.handshake() ?? .endOfStream {
        case .bytes: finishOpening()
        case .wouldBlock: return
        case .endOfStream: fail("\(host):\(port) closed the connection during the TLS handshake", .closed)
        case .failed(let code): fail("\(host):\(port) ended the TLS handshake: \(SocketError(code))", .closed)
        case .tlsFailed: failInTLS()
        }
    }

    private func finishOpening() {
        phase = .open
        requests.established()
        write()
    }
}
