extension Cluster {
    /// All topics that the client may see, as a broker describes them now; the client's own metadata stay as they are.
    nonisolated func allTopics() async throws -> [TopicDescription] {
        let request = MetadataRequest(topics: nil, allowAutoTopicCreation: false)
        var metadata = ClusterMetadata()
        _ = metadata.merge(try await askAnyBroker { _ in request }.response)
        return Array(metadata.topics.values)
    }

    /// The names of all topics but Kafka's own, sorted. Retried as a call of the application's is.
    nonisolated func allTopicNames() async throws -> [String] {
        try await retrying(operation: "list the topics") {
            try await self.allTopics().filter { !$0.isInternal }.map(\.name).sorted()
        }
    }

    /// The names of topics by their ids (KIP-516); topics that no broker knows are omitted.
    nonisolated func names(ofTopics ids: Set<KafkaUUID>) async throws -> [KafkaUUID: String] {
        let request = MetadataRequest(
            topics: ids.map { MetadataRequest.Topic(topicId: $0, name: nil) }, allowAutoTopicCreation: false)
        let response = try await askAnyBroker { _ in request }.response
        var names: [KafkaUUID: String] = [:]
        for topic in response.topics where topic.errorCode == ErrorCode.none.rawValue {
            if let name = topic.name { names[topic.topicId] = name }
        }
        return names
    }
}
