import Concurrency

/// One client's view of the cluster: its metadata, and the connections to its brokers.
///
/// All parts of the client share this actor. Only it refreshes the metadata, and it opens one shared connection per
/// broker and role. `retrying` retries calls that fail with retriable errors.
package actor Cluster {
    package typealias Role = ConnectionRole

    package nonisolated let configuration: ClientConfiguration
    package nonisolated let pool: BufferPool
    package nonisolated let timing: Timing
    /// The observer to notify; nil if none is set.
    package nonisolated let observer: ClientObserver?
    private var metadata = ClusterMetadata()
    var connections = ConnectionTable()
    /// Brokers that were reported as lost.
    var lost: Set<BrokerAddress> = []
    /// Brokers that have been connected at least once.
    var everConnected: Set<BrokerAddress> = []
    /// Brokers that did not answer the last request of `askAnyBroker` in time. `askAnyBroker` prefers others.
    var silent: Set<BrokerAddress> = []
    /// Reporters of failing connection attempts, by broker, until an attempt succeeds.
    var connectReporters: [BrokerAddress: RetryReporter] = [:]
    /// The application's calls in progress.
    nonisolated let calls = OpenCalls()
    private var refreshing: Task<[String: ErrorCode], any Error>?
    /// When the first of the current consecutive metadata failures occurred; nil if the last request succeeded.
    private var metadataFailsSince: ContinuousClock.Instant?
    private(set) var isClosed = false
    /// Why the configuration is invalid; every connection attempt throws it. nil if it is valid.
    package nonisolated let configurationError: KafkaError?

    package init(
        configuration: ClientConfiguration, timing: Timing = Timing(), observer: ClientObserver? = nil
    ) {
        self.configuration = configuration
        do throws(KafkaError) {
            try configuration.validate()
            configurationError = nil
        } catch {
            configurationError = error
        }
        self.observer = observer
        self.timing = timing
        // Room for a consumer's responses: one being read, one buffered, one being received. A request's byte limit is
        // an Int32.
        pool = BufferPool(limit: 2 * Int(Int32(clamping: configuration.consumer.maximumFetchBytes)) + (1 << 20))
    }

    /// Closes all connections. Calls in progress and later calls fail immediately. Doesn't wait.
    package func close() {
        isClosed = true
        calls.close()
        refreshing?.cancel()
        connections.closeAll()
        connectReporters = [:]
    }

    // MARK: Metadata

    /// The descriptions of topics, from the metadata. Refreshes it first if a topic is missing.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION and other errors of a topic, without retries.
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

    /// Refreshes the metadata of these topics and all known ones. Concurrent callers share one request.
    ///
    /// - Returns: The error of each topic that has one.
    @discardableResult
    package func refresh(topics names: [String]) async throws -> [String: ErrorCode] {
        while let running = refreshing {
            let known = Set(metadata.topics.keys)
            let errors = try? await running.valueUnlessCancelled()
            try Task.checkCancellation()
            // Use the result of the request in progress if it covered all of these topics.
            if let errors, known.isSuperset(of: names) { return errors }
        }
        let wanted = Set(metadata.topics.keys).union(names).sorted()
        let task = background("metadata", throwing: { try await self.refreshOnce(wanted) })
        refreshing = task
        return try await task.valueUnlessCancelled()
    }

    private func refreshOnce(_ topics: [String]) async throws -> [String: ErrorCode] {
        // In the task itself, since its waiters may be cancelled.
        defer { refreshing = nil }
        return try await requestAndMerge(topics)
    }

    /// Requests metadata and merges the response. Rebootstraps if requests fail for too long, or if a broker requires
    /// it (KIP-1102).
    private func requestAndMerge(_ topics: [String]) async throws -> [String: ErrorCode] {
        do {
            var response = try await requestMetadata(topics)
            if ErrorCode(rawValue: response.errorCode) == .rebootstrapRequired, mayRebootstrap {
                rebootstrap("a broker reported that the client's metadata is out of date")
                response = try await requestMetadata(topics)
            }
            guard response.errorCode == ErrorCode.none.rawValue else {
                throw KafkaError(
                    ErrorCode(rawValue: response.errorCode), "the broker refused the metadata request",
                    isFromBroker: true, isRetriable: mayRebootstrap ? true : nil)
            }
            metadataFailsSince = nil
            return metadata.merge(response)
        } catch let error as KafkaError {
            let since = metadataFailsSince ?? timing.now()
            metadataFailsSince = since
            if mayRebootstrap, timing.now() - since >= configuration.metadataRecoveryRebootstrapTrigger {
                rebootstrap("no metadata request has succeeded for \(timing.now() - since)")
                metadataFailsSince = nil
            }
            throw error
        }
    }

    /// Requests the creation of missing topics, which brokers permit with `auto.create.topics.enable`.
    ///
    /// Only for topics that the application sends to or subscribes to by name. A broker creates a topic asynchronously,
    /// so its description usually requires another refresh.
    package func createMissing(topics names: [String]) async throws {
        _ = metadata.merge(try await requestMetadata(names, createsMissing: true))
    }

    private func requestMetadata(_ topics: [String], createsMissing: Bool = false) async throws -> MetadataResponse {
        let request = MetadataRequest(
            topics: topics.map { MetadataRequest.Topic(name: $0) }, allowAutoTopicCreation: createsMissing)
        return try await askAnyBroker { _ in request }.response
    }

    var mayRebootstrap: Bool {
        configuration.metadataRecoveryStrategy == .rebootstrap && !metadata.brokers.isEmpty && !isClosed
    }

    /// Discards the metadata and closes all connections, so that the client starts again from the bootstrap servers.
    ///
    /// Calls in progress fail and are retried as after any lost connection.
    private func rebootstrap(_ reason: String) {
        forgetBrokers(reason)
        connections.closeAll()
        connectReporters = [:]
        lost = []
        silent = []
    }

    /// Discards the metadata, because its brokers can't be reached or are out of date.
    func forgetBrokers(_ reason: String) {
        observer?.rebootstraps(reason)
        metadata.forget()
    }

    package func leader(of partition: TopicPartition) -> (node: Int32, epoch: Int32)? {
        metadata.leader(of: partition)
    }

    /// The leader of each partition. Partitions without a leader are omitted.
    package func leaders(of partitions: [TopicPartition]) -> [TopicPartition: (node: Int32, epoch: Int32)] {
        var leaders: [TopicPartition: (node: Int32, epoch: Int32)] = [:]
        for partition in partitions { leaders[partition] = metadata.leader(of: partition) }
        return leaders
    }

    /// The leader of each of these partitions, and the topics' ids. Partitions without a leader are omitted.
    func routes(of partitions: [TopicPartition]) -> (leaders: [TopicPartition: Int32], topicIDs: [String: KafkaUUID]) {
        var leaders: [TopicPartition: Int32] = [:]
        var topicIDs: [String: KafkaUUID] = [:]
        for partition in partitions {
            guard let leader = metadata.leader(of: partition) else { continue }
            leaders[partition] = leader.node
            if topicIDs[partition.topic] == nil { topicIDs[partition.topic] = metadata.topics[partition.topic]?.id }
        }
        return (leaders, topicIDs)
    }

    package func topic(_ name: String) -> TopicDescription? { metadata.topics[name] }

    package var controllerID: Int32? { metadata.controllerID }
    package var clusterID: String? { metadata.clusterID }
    package var brokers: [Int32: BrokerAddress] { metadata.brokers }
}
