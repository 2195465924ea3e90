/// A topic to create.
public struct NewTopic: Sendable, Hashable {
    /// The name: up to 249 characters of ASCII letters, digits, `.`, `_` and `-`.
    public var name: String
    /// The number of partitions; -1 for the cluster's default (from Kafka 2.4 on). Ignored with `assignments`.
    public var partitions: Int32
    /// The number of replicas; -1 for the cluster's default (from Kafka 2.4 on). Ignored with `assignments`.
    public var replicationFactor: Int16
    /// Configs of the topic by their names in Kafka. The others have the brokers' defaults.
    public var configs: [String: String]
    /// For each partition, from 0, the node ids of its replicas; empty to let the controller choose.
    public var assignments: [[Int32]]

    /// Creates a topic to create. Everything but the name may be left to the cluster's `num.partitions` and
    /// `default.replication.factor` (KIP-464).
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

/// A topic that was created.
public struct CreatedTopic: Sendable, Hashable {
    /// The topic's id (KIP-516); `KafkaUUID.zero` before Kafka 2.8.
    public let id: KafkaUUID
    /// The number of partitions; -1 before Kafka 2.4, and if the client may not describe the topic.
    public let partitions: Int32
    /// The number of replicas; -1 before Kafka 2.4, and if the client may not describe the topic.
    public let replicationFactor: Int16

    /// Creates a value, for example in a test.
    public init(
        id: KafkaUUID, partitions: Int32, replicationFactor: Int16
    ) {
        self.id = id
        self.partitions = partitions
        self.replicationFactor = replicationFactor
    }
}

extension KafkaAdmin {
    /// Returns topics with their partitions and leaders, in the given order.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION with the first topic that does not exist. `describeTopics` returns a result
    ///   for each topic instead.
    public nonisolated(nonsending) func describe(topics: [String]) async throws -> [TopicDescription] {
        // The code is retriable, since the topic may be being created; but the caller wants to know now.
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

    /// Returns topics with their partitions and leaders.
    ///
    /// - Returns: For each topic its description, or UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED or another
    ///   error of the broker.
    public nonisolated(nonsending) func describeTopics(_ names: [String]) async throws -> [String: Result<
        TopicDescription, KafkaError
    >] {
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

    /// Returns all topics that the client may see, by name.
    ///
    /// - Parameter includingInternal: Whether to include Kafka's own topics, such as `__consumer_offsets`.
    public nonisolated(nonsending) func listTopics(includingInternal: Bool = false) async throws -> [TopicDescription] {
        try await cluster.listTopics(includingInternal: includingInternal)
    }

    /// Creates topics (KIP-4). They have leaders a moment after this returns; `createTopic` waits for that.
    ///
    /// - Parameters:
    ///   - topics: The topics. If several have the same name, the first is used.
    ///   - validateOnly: Whether the brokers only validate the request.
    /// - Returns: For each topic what was created, or TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR or another error of
    ///   the broker. If the response to a request is lost, its topics are reported as TOPIC_ALREADY_EXISTS.
    public nonisolated(nonsending) func createTopics(
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
                    topic.errorCode, topic.errorMessage, else: "the topic \(topic.name) cannot be created",
                    topic: topic.name,
                    success: CreatedTopic(
                        id: topic.topicId, partitions: topic.numPartitions, replicationFactor: topic.replicationFactor))
            }
            return outcomes
        }
    }

    /// Creates a topic and waits until each of its partitions has a leader that serves it.
    ///
    /// - Parameters:
    ///   - name: The name: up to 249 characters of ASCII letters, digits, `.`, `_` and `-`.
    ///   - partitions: The number of partitions; -1 for the cluster's default (from Kafka 2.4 on).
    ///   - replicationFactor: The number of replicas; -1 for the cluster's default (from Kafka 2.4 on).
    ///   - configs: Configs of the topic by their names in Kafka.
    /// - Throws: TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR or another error of the broker.
    public nonisolated(nonsending) func createTopic(
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
            // The named leader may not know that it leads; if it returns offsets, it does.
            _ = try await cluster.listOffsets(
                Dictionary(
                    uniqueKeysWithValues: topic.partitions.map {
                        (TopicPartition(topic: name, partition: $0.partition), .latest)
                    }))
        }
    }

    /// Deletes topics with all their records (KIP-4). The brokers complete it after this returns.
    ///
    /// - Returns: For each topic success, or UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED or another error of the
    ///   broker.
    public nonisolated(nonsending) func deleteTopics(_ names: [String]) async throws -> [String: Result<
        Void, KafkaError
    >] {
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
                    topic.errorCode, topic.errorMessage, else: "the topic \(name) cannot be deleted", topic: name,
                    success: ())
            }
            return outcomes
        }
    }

    /// Deletes a topic with all its records. The brokers complete it after this returns.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION or another error of the broker.
    public nonisolated(nonsending) func deleteTopic(_ name: String) async throws {
        try await deleteTopics([name])[name]?.get()
    }

    /// Adds partitions to topics (KIP-195).
    ///
    /// - Parameters:
    ///   - counts: The new number of partitions of each topic, including the existing ones.
    ///   - validateOnly: Whether the brokers only validate the request.
    /// - Returns: For each topic success, or INVALID_PARTITIONS if it has as many or more, or another error of the broker.
    public nonisolated(nonsending) func createPartitions(
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
                    topic.errorCode, topic.errorMessage, else: "the topic \(topic.name) cannot get more partitions",
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
