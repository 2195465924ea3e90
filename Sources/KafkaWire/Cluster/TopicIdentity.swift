/// Detects topics that were deleted or recreated since their records were read.
enum TopicIdentity {
    /// Compares the topic ids of read partitions with a broker's current ids (KIP-516).
    ///
    /// Brokers learn about a deleted topic at different times, so use the broker that receives the offset commit.
    ///
    /// - Parameter expected: The topic id that each partition was read from. Partitions with the id zero are not
    ///   checked.
    /// - Returns: An error for each partition whose offset must not be committed: INCONSISTENT_TOPIC_ID, not retriable,
    ///   if the topic was recreated; UNKNOWN_TOPIC_OR_PARTITION if the broker has no such topic.
    static func mismatches(
        _ expected: [TopicPartition: KafkaUUID], over connection: NegotiatedConnection, timeout: Duration
    ) async throws -> [TopicPartition: KafkaError] {
        let expected = expected.filter { $0.value != .zero }
        guard !expected.isEmpty else { return [:] }
        let topics = try await describe(Set(expected.keys.map(\.topic)), over: connection, timeout: timeout)
        var mismatches: [TopicPartition: KafkaError] = [:]
        for (partition, id) in expected {
            guard let topic = topics[partition.topic] else { continue }
            if ErrorCode(rawValue: topic.errorCode) == .unknownTopicOrPartition {
                mismatches[partition] = KafkaError(
                    .unknownTopicOrPartition, "the topic no longer exists", isFromBroker: true,
                    topic: partition.topic, partition: partition.partition)
            } else if topic.topicId != .zero, topic.topicId != id {
                mismatches[partition] = recreated(partition, from: id, to: topic.topicId)
            }
        }
        return mismatches
    }

    /// The current ids of topics according to a broker. Unknown topics are omitted.
    static func current(
        _ names: Set<String>, over connection: NegotiatedConnection, timeout: Duration
    ) async throws -> [String: KafkaUUID] {
        try await describe(names, over: connection, timeout: timeout).filter {
            $0.value.errorCode == ErrorCode.none.rawValue
        }.mapValues(\.topicId)
    }

    private static func describe(
        _ names: Set<String>, over connection: NegotiatedConnection, timeout: Duration
    ) async throws -> [String: MetadataResponse.Topic] {
        let response = try await connection.call(
            MetadataRequest(
                topics: names.sorted().map { MetadataRequest.Topic(name: $0) }, allowAutoTopicCreation: false),
            timeout: timeout)
        return Dictionary(response.topics.map { ($0.name ?? "", $0) }) { first, _ in first }
    }

    private static func recreated(_ partition: TopicPartition, from old: KafkaUUID, to new: KafkaUUID) -> KafkaError {
        KafkaError(
            .inconsistentTopicId,
            "the topic was deleted and created again after its records were read (its id was \(old) and is now \(new)): "
                + "the offset belongs to the old topic and was not committed",
            isRetriable: false, topic: partition.topic, partition: partition.partition)
    }
}
