extension KafkaAdmin {
    /// Deletes the records of partitions up to an offset (KIP-107).
    ///
    /// - Parameter offsets: For each partition the first offset to keep; -1 for the high watermark, which keeps nothing.
    /// - Returns: For each partition its new first offset, or OFFSET_OUT_OF_RANGE for an offset beyond the end,
    ///   POLICY_VIOLATION if the topic is only compacted, or another error of the leader.
    public nonisolated(nonsending) func deleteRecords(
        before offsets: [TopicPartition: Int64]
    ) async throws -> [TopicPartition: Result<Int64, KafkaError>] {
        let topics = Set(offsets.keys.map(\.topic)).sorted()
        let end = deadline
        let errors = try await learn(topics)
        return try await outcomes(
            of: offsets.keys, operation: "delete records of", topics: topics, limit: timeLeft(until: end)
        ) { partitions in
            let leaders = await cluster.leaders(of: partitions)
            var outcomes: [TopicPartition: Result<Int64, KafkaError>] = [:]
            for (node, partitions) in Dictionary(grouping: partitions, by: { leaders[$0]?.node }) {
                do {
                    guard let node else {
                        for partition in partitions {
                            outcomes[partition] = .failure(await leaderless(partition, errors[partition.topic]))
                        }
                        continue
                    }
                    outcomes.merge(try await deleteRecords(partitions, offsets, at: node)) { $1 }
                } catch let error as KafkaError {
                    for partition in partitions { outcomes[partition] = .failure(error) }
                }
            }
            return outcomes
        }
    }

    private func deleteRecords(
        _ partitions: [TopicPartition], _ offsets: [TopicPartition: Int64], at node: Int32
    ) async throws -> [TopicPartition: Result<Int64, KafkaError>] {
        let request = DeleteRecordsRequest(
            topics: Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
                DeleteRecordsRequest.Topic(
                    name: topic,
                    partitions: partitions.map {
                        DeleteRecordsRequest.Partition(partitionIndex: $0.partition, offset: offsets[$0] ?? 0)
                    })
            }, timeoutMs: timeoutMs)
        let response = try await cluster.connection(to: node, role: .general).call(request, timeout: patience)
        var outcomes: [TopicPartition: Result<Int64, KafkaError>] = [:]
        for topic in response.topics {
            for partition in topic.partitions {
                outcomes[TopicPartition(topic: topic.name, partition: partition.partitionIndex)] = Self.outcome(
                    partition.errorCode, nil, else: "the records cannot be deleted", topic: topic.name,
                    partition: partition.partitionIndex, success: partition.lowWatermark)
            }
        }
        return outcomes
    }

    /// Looks up the leaders of topics.
    ///
    /// - Returns: The error codes of the topics that have one.
    private func learn(_ topics: [String]) async throws -> [String: ErrorCode] {
        try await cluster.retrying(operation: "find the leaders of \(topics.briefly)") {
            try await cluster.refresh(topics: topics)
        }
    }

    /// The error for a partition without a known leader. It is permanent if the partition does not exist.
    ///
    /// - Parameter code: The topic's error code in the metadata; nil if it had none.
    private func leaderless(_ partition: TopicPartition, _ code: ErrorCode?) async -> KafkaError {
        guard let topic = await cluster.topic(partition.topic) else {
            if let code, code != .unknownTopicOrPartition { return .ofTopic(code, partition.topic) }
            return KafkaError(
                .unknownTopicOrPartition, "the topic \(partition.topic) does not exist", isRetriable: false,
                topic: partition.topic, partition: partition.partition)
        }
        guard topic.partition(partition.partition) != nil else {
            return KafkaError(
                .unknownTopicOrPartition, "the topic has no such partition", isRetriable: false,
                topic: partition.topic, partition: partition.partition)
        }
        return KafkaError(
            .leaderNotAvailable, "the partition has no leader at the moment", topic: partition.topic,
            partition: partition.partition)
    }
}
