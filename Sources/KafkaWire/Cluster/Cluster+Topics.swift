extension Cluster {
    /// What a broker currently describes, with the error code of each topic that has one. Doesn't change the client's own
    /// metadata.
    nonisolated func described(
        by request: MetadataRequest
    ) async throws -> (metadata: ClusterMetadata, errors: [String: ErrorCode]) {
        var metadata = ClusterMetadata()
        let errors = metadata.merge(try await askAnyBroker { _ in request }.response)
        return (metadata, errors)
    }

    /// All topics that the client may see, sorted by name, with retries.
    ///
    /// - Parameter includingInternal: Whether to include Kafka's own topics, such as `__consumer_offsets`.
    nonisolated func listTopics(includingInternal: Bool = false) async throws -> [TopicDescription] {
        try await retrying(operation: "list the topics") {
            let request = MetadataRequest(topics: nil, allowAutoTopicCreation: false)
            let topics = try await self.described(by: request).metadata.topics.values
            return topics.filter { includingInternal || !$0.isInternal }.sorted { $0.name < $1.name }
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
