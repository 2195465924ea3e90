/// The cluster as one client sees it: its metadata, and connections to its brokers.
///
/// There is one owner for each thing that several parts need: what is known of the cluster is refreshed here and
/// nowhere else, and a broker is connected to once for each role. Errors that another attempt can cure are tried again
/// by `retrying`, here too.
package actor Cluster {
    /// What a connection is used for. A request that a broker may hold back for long has a connection of its own, so
    /// that nothing waits behind it.
    package enum Role: Hashable, Sendable {
        case general, fetch, produce, group
    }

    private struct ConnectionKey: Hashable {
        let address: BrokerAddress
        let role: Role
    }

    private struct Slot {
        var connection: NegotiatedConnection?
        var opening: Task<NegotiatedConnection, any Error>?
        var failures = 0
        var notBefore: ContinuousClock.Instant?
    }

    package nonisolated let configuration: ClientConfiguration
    package nonisolated let pool: BufferPool
    package nonisolated let timing: Timing
    private let onEvent: @Sendable (ClientEvent) -> Void
    private var metadata = ClusterMetadata()
    /// Brokers of which it was told that they are lost.
    private var lost: Set<BrokerAddress> = []
    /// Brokers that have answered at some time.
    private var known: Set<BrokerAddress> = []
    private var slots: [ConnectionKey: Slot] = [:]
    private var refreshing: Task<[String: ErrorCode], any Error>?
    private var isClosed = false

    package init(
        configuration: ClientConfiguration, timing: Timing = Timing(),
        onEvent: @escaping @Sendable (ClientEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.onEvent = onEvent
        self.timing = timing
        // Room for the answers that a consumer holds: one read, one behind it, one on its way back.
        pool = BufferPool(limit: 2 * configuration.consumer.fetchMaximumBytes + (1 << 20))
    }

    /// Ends all connections. Calls under way fail.
    package func close() {
        isClosed = true
        for slot in slots.values {
            slot.connection?.close()
            slot.opening?.cancel()
        }
        slots = [:]
    }

    // MARK: Connections

    /// The connection to a broker by its node id.
    package func connection(to node: Int32, role: Role) async throws -> NegotiatedConnection {
        guard let address = metadata.brokers[node] else {
            throw KafkaError(.networkException, "broker \(node) isn't known to the cluster")
        }
        return try await connection(to: address, role: role)
    }

    func connection(to address: BrokerAddress, role: Role) async throws -> NegotiatedConnection {
        let key = ConnectionKey(address: address, role: role)
        guard !isClosed else { throw KafkaError(.networkException, "the client is closed") }
        if let open = slots[key]?.connection, open.isUsable { return open }
        if let opening = slots[key]?.opening { return try await opening.value }
        let (configuration, pool, timing) = (configuration, pool, timing)
        let wait = slots[key]?.notBefore.map { $0 - timing.now() } ?? .zero
        let opening = Task {
            if wait > .zero { try await timing.sleep(wait) }
            return try await NegotiatedConnection.open(address, configuration: configuration, pool: pool)
        }
        slots[key, default: Slot()].opening = opening
        do {
            let connection = try await opening.value
            guard !isClosed else {
                connection.close()
                throw KafkaError(.networkException, "the client is closed")
            }
            slots[key] = Slot(connection: connection)
            known.insert(address)
            if lost.remove(address) != nil { onEvent(.brokerBack(address)) }
            return connection
        } catch {
            let failures = (slots[key]?.failures ?? 0) + 1
            let backoff = Backoff(
                initial: configuration.reconnectBackoff, maximum: configuration.reconnectBackoffMaximum)
            let delay = backoff.delay(afterFailures: failures, random: timing.random())
            slots[key] = Slot(failures: failures, notBefore: timing.now() + delay)
            // A broker that nobody has ever reached is its caller's to tell of.
            if let error = error as? KafkaError, known.contains(address), lost.insert(address).inserted {
                onEvent(.brokerLost(address, reason: error.message))
            }
            throw error
        }
    }

    /// A connection to whichever broker answers: those connected to first, then those known, then the bootstrap list.
    package func anyConnection() async throws -> NegotiatedConnection {
        for (key, slot) in slots where key.role == .general {
            if let open = slot.connection, open.isUsable { return open }
        }
        var candidates = metadata.brokers.sorted { $0.key < $1.key }.map(\.value)
        candidates += configuration.bootstrapServers.filter { !candidates.contains($0) }
        var failures: [KafkaError] = []
        for address in candidates {
            do {
                return try await connection(to: address, role: .general)
            } catch let error as KafkaError {
                failures.append(error)
            }
        }
        throw KafkaError(
            .networkException, "no broker can be reached: " + failures.map(\.message).joined(separator: "; "),
            isRetriable: failures.contains(where: \.isRetriable))
    }

    // MARK: Metadata

    /// What is known of these topics, asking where one isn't known.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION and other errors of a topic, at once.
    package func describe(topics names: [String]) async throws -> [TopicDescription] {
        if names.contains(where: { metadata.topics[$0] == nil }) {
            let errors = try await refresh(topics: names)
            for name in names {
                if let code = errors[name] { throw KafkaError.ofTopic(code, name) }
            }
        }
        return try names.map { name in
            guard let topic = metadata.topics[name] else { throw KafkaError.ofTopic(.unknownTopicOrPartition, name) }
            return topic
        }
    }

    /// Asks a broker about these topics and all that is known already; concurrent callers share one question.
    ///
    /// - Returns: The error of each topic that has one.
    @discardableResult
    package func refresh(topics names: [String]) async throws -> [String: ErrorCode] {
        while let running = refreshing {
            let known = Set(metadata.topics.keys)
            let errors = try? await running.value
            // The one that was under way serves, unless it didn't ask for all of these.
            if let errors, known.isSuperset(of: names) { return errors }
            if refreshing == running { refreshing = nil }
        }
        let wanted = Set(metadata.topics.keys).union(names).sorted()
        let task = Task { try await self.ask(wanted) }
        refreshing = task
        defer { if refreshing == task { refreshing = nil } }
        return try await task.value
    }

    private func ask(_ topics: [String]) async throws -> [String: ErrorCode] {
        let connection = try await anyConnection()
        let request = MetadataRequest(
            topics: topics.map { MetadataRequest.Topic(name: $0) }, allowAutoTopicCreation: false)
        let response = try await connection.call(request, timeout: configuration.requestTimeout)
        return metadata.merge(response)
    }

    package func leader(of partition: TopicPartition) -> (node: Int32, epoch: Int32)? {
        metadata.leader(of: partition)
    }

    /// Who leads each of these partitions; those without a leader at the moment are left out.
    package func leaders(of partitions: [TopicPartition]) -> [TopicPartition: (node: Int32, epoch: Int32)] {
        var leaders: [TopicPartition: (node: Int32, epoch: Int32)] = [:]
        for partition in partitions { leaders[partition] = metadata.leader(of: partition) }
        return leaders
    }

    package func topic(_ name: String) -> TopicDescription? { metadata.topics[name] }

    package var controllerID: Int32? { metadata.controllerID }
    package var clusterID: String? { metadata.clusterID }
    package var brokers: [Int32: BrokerAddress] { metadata.brokers }
}

extension KafkaError {
    /// What a broker said of a topic in its metadata.
    static func ofTopic(_ code: ErrorCode, _ name: String) -> KafkaError {
        let message =
            code == .unknownTopicOrPartition
            ? "the topic \(name) does not exist" : "the topic \(name) can't be used at the moment"
        return KafkaError(code, message, isFromBroker: true, topic: name)
    }
}
