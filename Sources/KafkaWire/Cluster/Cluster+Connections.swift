import Concurrency

extension Cluster {
    /// The error of every call after `close`.
    static var clientIsClosed: KafkaError {
        KafkaError(.networkException, "the client is closed", isRetriable: false)
    }

    /// The connection to a broker by its node id.
    package func connection(to node: Int32, role: Role) async throws -> NegotiatedConnection {
        guard let address = brokers[node] else {
            throw KafkaError(.networkException, "broker \(node) isn't known to the cluster")
        }
        return try await connection(to: address, role: role)
    }

    /// The connection to a broker, opened where there is none. Those who ask meanwhile wait for the same attempt; one
    /// who is cancelled stops waiting at once.
    ///
    /// - Parameter owner: For a connection that isn't shared: whose it is.
    func connection(
        to address: BrokerAddress, role: Role, owner: ObjectIdentifier? = nil
    ) async throws -> NegotiatedConnection {
        guard !isClosed else { throw Self.clientIsClosed }
        if let configurationError { throw configurationError }
        let key = ConnectionTable.Key(address: address, role: role, owner: owner)
        if let open = connections.usable(key) { return open }
        let attempt =
            connections.attempt(key)
            ?? connections.begin(key, at: timing.now()) { number in
                background("connect to \(key.address)", throwing: { try await self.open(key, attempt: number) })
            }
        return try await attempt.valueUnlessCancelled()
    }

    /// One attempt to connect, after the pause that earlier failures ask for.
    private func open(_ key: ConnectionTable.Key, attempt: Int) async throws -> NegotiatedConnection {
        let failures = connections.failures(key)
        var settings = configuration.connectionSettings
        settings.setupTimeout = setupTimeout(failures: failures.count)
        let observing = ClientConnectionObserver(observer, key.address, key.role)
        var began = timing.now()
        do {
            if let notBefore = failures.notBefore, notBefore > began {
                try await timing.sleep(notBefore - began)
                began = timing.now()
            }
            // Not during the pause: the broker is not asked anything then.
            let watch = Task { [weak self, timing] in
                while true {
                    try await timing.timeout(.seconds(1))
                    await self?.reportSilence(key, attempt: attempt)
                }
            }
            defer { watch.cancel() }
            let connection = try await NegotiatedConnection.open(
                key.address, settings: settings, pool: pool, timing: timing, observer: observing)
            guard connections.succeeded(key, attempt: attempt, connection) else {
                connection.close()
                throw CancellationError()
            }
            reportSuccess(connection, key, took: timing.now() - began)
            return connection
        } catch {
            let backoff = Backoff(
                initial: configuration.reconnectBackoff, maximum: configuration.maximumReconnectBackoff)
            let pause = backoff.delay(afterFailures: failures.count + 1, random: timing.random())
            let wasWanted = connections.failed(key, attempt: attempt, error, notBefore: timing.now() + pause)
            // Only closing the client, and asking the bootstrap servers again, give up what others wait for.
            guard wasWanted, !(error is CancellationError) else {
                throw isClosed
                    ? Self.clientIsClosed : KafkaError(.networkException, "the connection was given up")
            }
            let reason = error as? KafkaError ?? KafkaError(.networkException, "\(error)")
            reportFailure(reason, key, took: timing.now() - began, retryingAfter: pause)
            throw error
        }
    }

    /// How long each address has: doubled with each failure in a row, a fifth of it at random (KIP-601).
    private func setupTimeout(failures: Int) -> Duration {
        let growing = Backoff(
            initial: configuration.connectionSetupTimeout,
            maximum: max(configuration.connectionSetupTimeout, configuration.maximumConnectionSetupTimeout))
        return failures == 0
            ? configuration.connectionSetupTimeout
            : growing.delay(afterFailures: failures + 1, random: timing.random())
    }

    private func reportSuccess(_ connection: NegotiatedConnection, _ key: ConnectionTable.Key, took: Duration) {
        known.insert(key.address)
        connectReporters[key.address]?.succeeded(at: timing.now(), observer: observer)
        connectReporters[key.address] = nil
        let isBack = lost.remove(key.address) != nil
        observer?.connected(key.address, key.role, took: took)
        // Weak, since the connection keeps this closure until it ends: a client that was dropped without `close` must
        // not be kept alive by its own connections.
        connection.onEnd { [weak self, weak connection, observer] reason in
            observer?.disconnected(key.address, key.role, reason)
            guard let self, let connection else { return }
            background("connection ended") { await self.ended(key, connection) }
        }
        if isBack { observer?.availabilityChanged(.back(key.address)) }
    }

    private func ended(_ key: ConnectionTable.Key, _ connection: NegotiatedConnection) {
        connections.ended(key, connection)
    }

    /// Ends connections that aren't shared, once their owner needs them no more.
    func closeConnections(ownedBy owner: ObjectIdentifier) {
        connections.close(ownedBy: owner)
    }

    private func reportFailure(
        _ error: KafkaError, _ key: ConnectionTable.Key, took: Duration, retryingAfter pause: Duration
    ) {
        observer?.connectionFailed(key.address, key.role, took: took, error)
        // Only a broker that was connected to before can be lost. Report that first: it explains the retries.
        if known.contains(key.address), lost.insert(key.address).inserted {
            observer?.availabilityChanged(.lost(key.address, reason: error.message))
        }
        connectReporters[key.address, default: Self.connectReporter(key.address)]
            .failed(error, at: timing.now(), retryingAfter: pause, observer: observer)
    }

    /// Reports a connection attempt that has neither succeeded nor failed.
    private func reportSilence(_ key: ConnectionTable.Key, attempt: Int) {
        guard let began = connections.began(key, attempt: attempt) else { return }
        let now = timing.now()
        connectReporters[key.address, default: Self.connectReporter(key.address)].waits(
            KafkaError(.networkException, "\(key.address) is silent: there is no connection yet"), at: now,
            since: began, observer: observer)
    }

    private static func connectReporter(_ address: BrokerAddress) -> RetryReporter {
        RetryReporter("connect to \(address)", broker: address)
    }
}
