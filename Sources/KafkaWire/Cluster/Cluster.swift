import Concurrency

/// The cluster as one client sees it: its metadata, and connections to its brokers.
///
/// There is one owner for each thing that several parts need: what is known of the cluster is refreshed here and
/// nowhere else, and a broker is connected to once for each role. Errors that another attempt can cure are tried again
/// by `retrying`, here too.
package actor Cluster {
    package typealias Role = ConnectionRole

    package nonisolated let configuration: ClientConfiguration
    package nonisolated let pool: BufferPool
    package nonisolated let timing: Timing
    /// Who is told of what the client does; nil where nobody listens.
    package nonisolated let observer: ClientObserver?
    private var metadata = ClusterMetadata()
    var connections = ConnectionTable()
    /// Brokers of which it was told that they are lost.
    var lost: Set<BrokerAddress> = []
    /// Brokers that have answered at some time.
    var known: Set<BrokerAddress> = []
    /// Brokers that did not answer the last request of `askAnyBroker` in time. Others are preferred.
    var silent: Set<BrokerAddress> = []
    /// Reports brokers that cannot be connected to, until they can.
    var connectReporters: [BrokerAddress: RetryReporter] = [:]
    /// Calls that an application waits for.
    nonisolated let calls = OpenCalls()
    private var refreshing: Task<[String: ErrorCode], any Error>?
    /// Since when no question about the cluster has been answered.
    private var metadataFailsSince: ContinuousClock.Instant?
    private(set) var isClosed = false
    /// What is wrong with the configuration; every connection is refused with it.
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
        // Room for the answers that a consumer holds: one read, one behind it, one on its way back.
        // A request can't ask for more than an Int32 tells.
        pool = BufferPool(limit: 2 * Int(Int32(clamping: configuration.consumer.maximumFetchBytes)) + (1 << 20))
    }

    /// Ends all connections. Calls in progress fail at once, and so do all later ones. Waits for nothing.
    package func close() {
        isClosed = true
        calls.close()
        refreshing?.cancel()
        connections.closeAll()
        connectReporters = [:]
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
            let errors = try? await running.valueUnlessCancelled()
            try Task.checkCancellation()
            // The one that was under way serves, unless it didn't ask for all of these.
            if let errors, known.isSuperset(of: names) { return errors }
        }
        let wanted = Set(metadata.topics.keys).union(names).sorted()
        let task = background("metadata", throwing: { try await self.askOnce(wanted) })
        refreshing = task
        return try await task.valueUnlessCancelled()
    }

    private func askOnce(_ topics: [String]) async throws -> [String: ErrorCode] {
        // By the task itself, since those who wait for it may be cancelled.
        defer { refreshing = nil }
        return try await ask(topics)
    }

    /// Asks about topics; where that fails for too long, or a broker says so, the bootstrap servers are next (KIP-1102).
    private func ask(_ topics: [String]) async throws -> [String: ErrorCode] {
        do {
            var response = try await question(topics)
            if ErrorCode(rawValue: response.errorCode) == .rebootstrapRequired, mayRebootstrap {
                rebootstrap("a broker said that what is known of the cluster is out of date")
                response = try await question(topics)
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
                rebootstrap("no question about the cluster has been answered since \(timing.now() - since)")
                metadataFailsSince = nil
            }
            throw error
        }
    }

    /// Has a broker create topics that don't exist, if its `auto.create.topics.enable` permits that.
    ///
    /// Only for topics that the application sends to or subscribes to by name. A broker creates a topic beside its answer,
    /// so the topic has mostly to be asked for again.
    package func createMissing(topics names: [String]) async throws {
        _ = metadata.merge(try await question(names, createsMissing: true))
    }

    private func question(_ topics: [String], createsMissing: Bool = false) async throws -> MetadataResponse {
        let request = MetadataRequest(
            topics: topics.map { MetadataRequest.Topic(name: $0) }, allowAutoTopicCreation: createsMissing)
        return try await askAnyBroker { _ in request }.response
    }

    var mayRebootstrap: Bool {
        configuration.metadataRecoveryStrategy == .rebootstrap && !metadata.brokers.isEmpty && !isClosed
    }

    /// Forgets brokers and connections, so that only the bootstrap servers are left to be asked. Calls under way fail, and
    /// are tried again where they would be after any lost connection.
    private func rebootstrap(_ reason: String) {
        forgetBrokers(reason)
        connections.closeAll()
        connectReporters = [:]
        lost = []
        silent = []
    }

    /// Forgets who is where, since what was known leads nowhere any more.
    func forgetBrokers(_ reason: String) {
        observer?.rebootstraps(reason)
        metadata.forget()
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
