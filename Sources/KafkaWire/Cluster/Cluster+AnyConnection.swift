extension Cluster {
    /// The delay before the next broker is tried too (RFC 8305 uses this value for addresses).
    private static let stagger = Duration.milliseconds(250)
    /// The largest number of concurrent connection attempts in one race.
    private static let maximumAttempts = 16

    /// A connection to any broker.
    ///
    /// Uses an open connection if there is one. Otherwise it tries the known brokers by node id, first those that are
    /// responsive and whose last attempt didn't fail, then the bootstrap servers in their order. The attempts race: the
    /// next one starts as soon as one fails, or after 250 ms, and the first connection wins. The other attempts
    /// continue, since other calls may wait for them.
    ///
    /// If only a bootstrap server can be reached, the known brokers are discarded (KIP-899).
    ///
    /// - Throws: NETWORK_EXCEPTION that lists all attempts, or an error that isn't retriable, such as a wrong password.
    package func anyConnection() async throws -> NegotiatedConnection {
        if let open = connections.anyUsable(.general, preferringOthersThan: silent) { return open }
        let brokers = Set(brokers.values)
        let order = self.brokers.sorted { $0.key < $1.key }.map(\.value)
        var failures: [KafkaError] = []
        if let connection = try await firstConnection(to: order, &failures) { return connection }
        if brokers.isEmpty || mayRebootstrap {
            guard !isClosed else { throw Self.clientIsClosed }
            let others = try await BootstrapServers.addresses(configuration).filter { !brokers.contains($0) }
            if let connection = try await firstConnection(to: others, &failures) {
                if mayRebootstrap { forgetBrokers("no known broker can be reached") }
                return connection
            }
        }
        // A permanent error, such as a wrong password, matters more than brokers that are down.
        if let permanent = failures.first(where: { !$0.isRetriable }) { throw permanent }
        let causes = Set(failures.map(\.connectionFailure))
        throw KafkaError(.networkException, "no broker can be reached: " + failures.map(\.message).briefly)
            .because(causes.count == 1 ? causes.first ?? nil : failures.last?.connectionFailure)
    }

    private enum RaceEvent: Sendable {
        case connected(NegotiatedConnection)
        case failed(any Error)
        /// The attempt that started last has taken longer than `stagger`.
        case silent(attempt: Int)
    }

    /// Races connection attempts to these addresses, and returns the first connection; nil if all attempts fail.
    private func firstConnection(
        to addresses: [BrokerAddress], _ failures: inout [KafkaError]
    ) async throws -> NegotiatedConnection? {
        func hasFailed(_ address: BrokerAddress) -> Bool {
            connections.failures(ConnectionTable.Key(address: address, role: .general)).count > 0
        }
        let responsive = addresses.filter { !silent.contains($0) } + addresses.filter(silent.contains)
        let ordered = responsive.filter { !hasFailed($0) } + responsive.filter(hasFailed)
        return try await withThrowingTaskGroup(of: RaceEvent.self) { group in
            defer { group.cancelAll() }
            var (started, inProgress, mayStart) = (0, 0, true)
            while true {
                if mayStart, started < ordered.count, inProgress < Self.maximumAttempts {
                    let address = ordered[started]
                    (started, inProgress, mayStart) = (started + 1, inProgress + 1, false)
                    group.addTask {
                        do {
                            return .connected(try await self.connection(to: address, role: .general))
                        } catch {
                            return .failed(error)
                        }
                    }
                    group.addTask { [attempt = started, timing] in
                        try? await timing.timeout(Self.stagger)
                        return .silent(attempt: attempt)
                    }
                }
                guard inProgress > 0, let event = try await group.next() else { return nil }
                switch event {
                case .connected(let connection): return connection
                case .failed(let error as KafkaError):
                    failures.append(error)
                    (inProgress, mayStart) = (inProgress - 1, true)
                case .failed(let error): throw error
                case .silent(let attempt): if attempt == started { mayStart = true }
                }
            }
        }
    }
}
