import Concurrency

extension Cluster {
    /// The error that every call after `close` throws.
    static var clientIsClosed: KafkaError {
        KafkaError(.networkException, "the client is closed", isRetriable: false)
    }

    /// The connection to the broker with a node id.
    ///
    /// - Throws: NETWORK_EXCEPTION if the metadata has no such broker, or the error of `connection(to:role:owner:)`.
    package func connection(to node: Int32, role: Role) async throws -> NegotiatedConnection {
        guard let address = brokers[node] else {
            throw KafkaError(.networkException, "broker \(node) is not in the cluster's metadata")
        }
        return try await connection(to: address, role: role)
    }

    /// The connection to a broker, opened if there is none.
    ///
    /// Concurrent callers share one attempt. Cancelling a caller ends its wait immediately, but not the attempt.
    ///
    /// - Parameter owner: The only user of the connection; nil for a shared connection.
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

    /// Makes one connection attempt, after the backoff for earlier failures.
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
            // Starts after the backoff, since the broker can't respond before.
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
            let isCurrent = connections.failed(key, attempt: attempt, error, notBefore: timing.now() + pause)
            // Only closing the client and rebootstrapping cancel an attempt that callers wait for.
            guard isCurrent, !(error is CancellationError) else {
                throw isClosed
                    ? Self.clientIsClosed : KafkaError(.networkException, "the connection attempt was cancelled")
            }
            let reason = error as? KafkaError ?? KafkaError(.networkException, "\(error)")
            reportFailure(reason, key, took: timing.now() - began, retryingAfter: pause)
            throw error
        }
    }

    /// The time limit for each address: doubled with each consecutive failure, ±20 % at random (KIP-601).
    private func setupTimeout(failures: Int) -> Duration {
        let growing = Backoff(
            initial: configuration.connectionSetupTimeout,
            maximum: max(configuration.connectionSetupTimeout, configuration.maximumConnectionSetupTimeout))
        return failures == 0
            ? configuration.connectionSetupTimeout
            : growing.delay(afterFailures: failures + 1, random: timing.random())
    }

    private func reportSuccess(_ connection: NegotiatedConnection, _ key: ConnectionTable.Key, took: Duration) {
        everConnected.insert(key.address)
        connectReporters[key.address]?.succeeded(at: timing.now(), observer: observer)
        connectReporters[key.address] = nil
        let isBack = lost.remove(key.address) != nil
        observer?.connected(key.address, key.role, took: took)
        // Weak, because the connection holds this closure until it ends: a client that was released without `close`
        // must not stay alive through its own connections.
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

    /// Closes all connections of one owner.
    func closeConnections(ownedBy owner: ObjectIdentifier) {
        connections.close(ownedBy: owner)
    }

    private func reportFailure(
        _ error: KafkaError, _ key: ConnectionTable.Key, took: Duration, retryingAfter pause: Duration
    ) {
        observer?.connectionFailed(key.address, key.role, took: took, error)
        // Only a broker that was connected before can be lost. Report the loss first, because it explains the retries.
        if everConnected.contains(key.address), lost.insert(key.address).inserted {
            observer?.availabilityChanged(.lost(key.address, reason: error.message))
        }
        connectReporters[key.address, default: Self.connectReporter(key.address)]
            .failed(error, at: timing.now(), retryingAfter: pause, observer: observer)
    }

    /// Reports that a connection attempt is still in progress.
    private func reportSilence(_ key: ConnectionTable.Key, attempt: Int) {
        guard let began = connections.began(key, attempt: attempt) else { return }
        let now = timing.now()
        connectReporters[key.address, default: Self.connectReporter(key.address)].waits(
            KafkaError(.networkException, "\(key.address) has not answered the connection attempt yet"), at: now,
            since: began, observer: observer)
    }

    private static func connectReporter(_ address: BrokerAddress) -> RetryReporter {
        RetryReporter("connect to \(address)", broker: address)
    }
}
