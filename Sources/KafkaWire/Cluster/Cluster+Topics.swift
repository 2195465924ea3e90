extension Cluster {
    /// All topics that the client may see, as a broker currently describes them. Doesn't change the client's own
    /// metadata.
    nonisolated func allTopics() async throws -> [TopicDescription] {
        let request = MetadataRequest(topics: nil, allowAutoTopicCreation: false)
        var metadata = ClusterMetadata()
        _ = metadata.merge(try await askAnyBroker { _ in request }.response)
        return Array(metadata.topics.values)
    }

    /// The sorted names of all topics except Kafka's internal ones, with retries.
    nonisolated func allTopicNames() async throws -> [String] {
        try await retrying(operation: "list the topics") {
            try await self.allTopics().filter { !$0.isInternal }.map(\.name).sorted()
        }
    }

    /// The names of topics by their ids (KIP-516). Unknown ids are omitted.
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
