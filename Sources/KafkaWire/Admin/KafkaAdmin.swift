/// What there is in a cluster, and to change it.
public struct KafkaAdmin: Sendable {
    let cluster: Cluster

    /// Topics with their partitions and leaders.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION naming the first topic that doesn't exist.
    public func describe(topics: [String]) async throws -> [TopicDescription] {
        // Retriable as a broker means it, which is right while a topic is being made; who asks wants to know now.
        try await cluster.retrying(topics: topics, final: [.unknownTopicOrPartition]) {
            let errors = try await cluster.refresh(topics: topics)
            for topic in topics {
                if let code = errors[topic] { throw KafkaError.ofTopic(code, topic) }
            }
            return try await cluster.describe(topics: topics)
        }
    }

    /// Offsets of partitions: the first, the end, or by timestamp.
    public func listOffsets(_ specs: [TopicPartition: OffsetSpec]) async throws -> [TopicPartition: ListedOffset] {
        try await cluster.listOffsets(specs)
    }

    /// Makes a topic and waits until every partition of it has a leader that serves it.
    ///
    /// - Parameters:
    ///   - partitions: -1 for the cluster's default (from Kafka 2.4 on).
    ///   - replicationFactor: -1 for the cluster's default (from Kafka 2.4 on).
    ///   - configs: Settings of the topic by Kafka's names.
    /// - Throws: TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR and what else the broker finds.
    public func createTopic(
        _ name: String, partitions: Int32 = -1, replicationFactor: Int16 = -1, configs: [String: String] = [:]
    ) async throws {
        let request = CreateTopicsRequest(
            topics: [
                CreateTopicsRequest.CreatableTopic(
                    name: name, numPartitions: partitions, replicationFactor: replicationFactor,
                    configs: configs.sorted { $0.key < $1.key }.map {
                        CreateTopicsRequest.CreatableTopicConfig(name: $0.key, value: $0.value)
                    })
            ], timeoutMs: Int32(clamping: Int(cluster.configuration.requestTimeout / .milliseconds(1))))
        try await cluster.retrying {
            let response = try await cluster.controllerConnection().call(
                request, timeout: cluster.configuration.requestTimeout + .seconds(5))
            for topic in response.topics {
                try check(topic.errorCode, topic.errorMessage ?? "the topic \(name) can't be made", topic: name)
            }
        }
        try await cluster.retrying(topics: [name]) {
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

    /// Deletes a topic with all its records. The brokers do it in their own time after this returns.
    public func deleteTopic(_ name: String) async throws {
        let timeoutMs = Int32(clamping: Int(cluster.configuration.requestTimeout / .milliseconds(1)))
        try await cluster.retrying(final: [.unknownTopicOrPartition]) {
            let connection = try await cluster.controllerConnection()
            let takesStates = try connection.version(for: DeleteTopicsRequest.self) >= 6
            let request =
                takesStates
                ? DeleteTopicsRequest(
                    topics: [DeleteTopicsRequest.DeleteTopicState(name: name)], timeoutMs: timeoutMs)
                : DeleteTopicsRequest(topicNames: [name], timeoutMs: timeoutMs)
            let response = try await connection.call(
                request, timeout: cluster.configuration.requestTimeout + .seconds(5))
            for topic in response.responses {
                try check(topic.errorCode, topic.errorMessage ?? "the topic \(name) can't be deleted", topic: name)
            }
        }
    }

    private func check(_ code: Int16, _ message: String, topic: String) throws(KafkaError) {
        let code = ErrorCode(rawValue: code)
        if code != .none { throw KafkaError(code, message, isFromBroker: true, topic: topic) }
    }
}
