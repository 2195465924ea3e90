/// A topic that is to be made.
public struct NewTopic: Sendable, Hashable {
    /// Up to 249 characters: ASCII letters, digits, `.`, `_` and `-`.
    public var name: String
    /// -1 for the cluster's default (from Kafka 2.4 on), and where `assignments` tells.
    public var partitions: Int32
    /// -1 for the cluster's default (from Kafka 2.4 on), and where `assignments` tells.
    public var replicationFactor: Int16
    /// Settings of the topic by Kafka's names; what isn't set has the brokers' default.
    public var configs: [String: String]
    /// For each partition, from 0 on, the node ids of its replicas; empty where the controller is to choose.
    public var assignments: [[Int32]]

    /// All but the name may be left to the cluster: `num.partitions` and `default.replication.factor` (KIP-464).
    public init(
        _ name: String, partitions: Int32 = -1, replicationFactor: Int16 = -1, configs: [String: String] = [:],
        assignments: [[Int32]] = []
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.configs = configs
        self.assignments = assignments
    }
}

/// A topic as it was made.
public struct CreatedTopic: Sendable, Hashable {
    /// `KafkaUUID.zero` before Kafka 2.8 (KIP-516).
    public let id: KafkaUUID
    /// -1 where the broker doesn't say: before Kafka 2.4, and to who may not describe the topic.
    public let partitions: Int32
    /// -1 as for `partitions`.
    public let replicationFactor: Int16
}

extension KafkaAdmin {
    /// Topics with their partitions and leaders, in the order of their names here.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION naming the first topic that doesn't exist; `describeTopics` has a result
    ///   for each instead.
    public func describe(topics: [String]) async throws -> [TopicDescription] {
        // Retriable as a broker means it, which is right while a topic is being made; who asks wants to know now.
        try await cluster.retrying(
            operation: "describe the topics \(topics.briefly)", topics: topics, final: [.unknownTopicOrPartition]
        ) {
            let errors = try await cluster.refresh(topics: topics)
            for topic in topics {
                if let code = errors[topic] { throw KafkaError.ofTopic(code, topic) }
            }
            return try await cluster.describe(topics: topics)
        }
    }

    /// Topics with their partitions and leaders.
    ///
    /// - Returns: For each topic what it is, or UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED and what else
    ///   the broker finds.
    public func describeTopics(_ names: [String]) async throws -> [String: Result<TopicDescription, KafkaError>] {
        try await outcomes(of: names, operation: "describe the topics", final: [.unknownTopicOrPartition]) { names in
            let request = MetadataRequest(
                topics: names.map { MetadataRequest.Topic(name: $0) }, allowAutoTopicCreation: false)
            let (found, errors) = try await cluster.described(by: request)
            return Dictionary(
                uniqueKeysWithValues: names.map { name in
                    (
                        name,
                        found.topics[name].map { .success($0) }
                            ?? .failure(errors[name].map { .ofTopic($0, name) } ?? Self.leftOut)
                    )
                })
        }
    }

    /// All topics that the client may see, by name.
    ///
    /// - Parameter includingInternal: Whether `__consumer_offsets` and its like are among them.
    public func listTopics(includingInternal: Bool = false) async throws -> [TopicDescription] {
        try await cluster.listTopics(includingInternal: includingInternal)
    }

    /// Makes topics (KIP-4). They have leaders a moment after this returns; `createTopic` waits for that.
    ///
    /// - Parameters:
    ///   - topics: Of those with the same name the first counts.
    ///   - validateOnly: Whether the brokers only say whether they could.
    /// - Returns: For each topic what it is now, or TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR and what else the
    ///   broker finds. A topic that was made by a request whose answer was lost is one that exists already.
    public func createTopics(
        _ topics: [NewTopic], validateOnly: Bool = false
    ) async throws -> [String: Result<CreatedTopic, KafkaError>] {
        let byName = Dictionary(topics.map { ($0.name, $0) }) { first, _ in first }
        return try await outcomes(of: byName.keys, operation: "create the topics") { names in
            let request = CreateTopicsRequest(
                topics: names.compactMap { byName[$0].map(CreateTopicsRequest.CreatableTopic.init) },
                timeoutMs: timeoutMs, validateOnly: validateOnly)
            let response = try await cluster.controllerConnection().call(request, timeout: patience)
            var outcomes: [String: Result<CreatedTopic, KafkaError>] = [:]
            for topic in response.topics {
                outcomes[topic.name] = Self.outcome(
                    topic.errorCode, topic.errorMessage, else: "the topic \(topic.name) can't be made",
                    topic: topic.name,
                    success: CreatedTopic(
                        id: topic.topicId, partitions: topic.numPartitions, replicationFactor: topic.replicationFactor))
            }
            return outcomes
        }
    }

    /// Makes a topic and waits until every partition of it has a leader that serves it.
    ///
    /// - Parameters:
    ///   - name: Up to 249 characters: ASCII letters, digits, `.`, `_` and `-`.
    ///   - partitions: -1 for the cluster's default (from Kafka 2.4 on).
    ///   - replicationFactor: -1 for the cluster's default (from Kafka 2.4 on).
    ///   - configs: Settings of the topic by Kafka's names.
    /// - Throws: TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR and what else the broker finds.
    public func createTopic(
        _ name: String, partitions: Int32 = -1, replicationFactor: Int16 = -1, configs: [String: String] = [:]
    ) async throws {
        let topic = NewTopic(
            name, partitions: partitions, replicationFactor: replicationFactor, configs: configs)
        let end = deadline
        _ = try await createTopics([topic])[name]?.get()
        let operation = "find the leaders of the new topic \(name)"
        try await cluster.retrying(operation: operation, topics: [name], limit: timeLeft(until: end)) {
            try await cluster.refresh(topics: [name])
            let topic = try await cluster.describe(topics: [name])[0]
            if topic.partitions.isEmpty || topic.partitions.contains(where: { $0.leader == nil }) {
                throw KafkaError(.leaderNotAvailable, "the topic has a partition without a leader", topic: name)
            }
            // A leader that is named may not know it yet; one that tells its offsets does.
            _ = try await cluster.listOffsets(
                Dictionary(
                    uniqueKeysWithValues: topic.partitions.map {
                        (TopicPartition(topic: name, partition: $0.index), .latest)
                    }))
        }
    }

    /// Deletes topics with all their records (KIP-4). The brokers do it in their own time after this returns.
    ///
    /// - Returns: For each topic success, or UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED and what else the
    ///   broker finds.
    public func deleteTopics(_ names: [String]) async throws -> [String: Result<Void, KafkaError>] {
        try await outcomes(of: names, operation: "delete the topics", final: [.unknownTopicOrPartition]) { names in
            let connection = try await cluster.controllerConnection()
            let takesStates = try connection.version(for: DeleteTopicsRequest.self) >= 6
            let request =
                takesStates
                ? DeleteTopicsRequest(
                    topics: names.map { DeleteTopicsRequest.DeleteTopicState(name: $0) }, timeoutMs: timeoutMs)
                : DeleteTopicsRequest(topicNames: names, timeoutMs: timeoutMs)
            let response = try await connection.call(request, timeout: patience)
            var outcomes: [String: Result<Void, KafkaError>] = [:]
            for topic in response.responses {
                guard let name = topic.name else { continue }
                outcomes[name] = Self.outcome(
                    topic.errorCode, topic.errorMessage, else: "the topic \(name) can't be deleted", topic: name,
                    success: ())
            }
            return outcomes
        }
    }

    /// Deletes a topic with all its records. The brokers do it in their own time after this returns.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION and what else the broker finds.
    public func deleteTopic(_ name: String) async throws {
        try await deleteTopics([name])[name]?.get()
    }

    /// Gives topics more partitions (KIP-195).
    ///
    /// - Parameters:
    ///   - counts: For each topic how many it is to have, those counted that it has.
    ///   - validateOnly: Whether the brokers only say whether they could.
    /// - Returns: For each topic success, or INVALID_PARTITIONS where it has as many or more, and what else the broker
    ///   finds.
    public func createPartitions(
        _ counts: [String: Int32], validateOnly: Bool = false
    ) async throws -> [String: Result<Void, KafkaError>] {
        try await outcomes(
            of: counts.keys, operation: "add partitions to the topics", final: [.unknownTopicOrPartition]
        ) { names in
            let request = CreatePartitionsRequest(
                topics: names.map {
                    CreatePartitionsRequest.Topic(name: $0, count: counts[$0] ?? 0, assignments: nil)
                }, timeoutMs: timeoutMs, validateOnly: validateOnly)
            let response = try await cluster.controllerConnection().call(request, timeout: patience)
            var outcomes: [String: Result<Void, KafkaError>] = [:]
            for topic in response.results {
                outcomes[topic.name] = Self.outcome(
                    topic.errorCode, topic.errorMessage, else: "the topic \(topic.name) can't get more partitions",
                    topic: topic.name, success: ())
            }
            return outcomes
        }
    }
}

extension CreateTopicsRequest.CreatableTopic {
    fileprivate init(_ topic: NewTopic) {
        self.init(
            name: topic.name, numPartitions: topic.assignments.isEmpty ? topic.partitions : -1,
            replicationFactor: topic.assignments.isEmpty ? topic.replicationFactor : -1,
            assignments: topic.assignments.enumerated().map { index, brokers in
                CreateTopicsRequest.CreatableReplicaAssignment(
                    partitionIndex: Int32(clamping: index), brokerIds: brokers)
            },
            configs: topic.configs.sorted { $0.key < $1.key }.map {
                CreateTopicsRequest.CreatableTopicConfig(name: $0.key, value: $0.value)
            })
    }
}
