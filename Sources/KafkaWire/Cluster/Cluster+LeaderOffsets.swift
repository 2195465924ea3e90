extension Cluster {
    /// Looks up offsets of partitions at their leader, without retries.
    ///
    /// - Parameter epochs: The known leader epochs. Partitions without one may be omitted.
    /// - Returns: For each partition its offset or an error. A timestamp after all records gives the end of the log.
    /// - Throws: `KafkaError` if the broker doesn't answer.
    nonisolated func offsets(
        of specs: [TopicPartition: OffsetSpec], ledBy node: Int32, _ isolation: IsolationLevel,
        _ epochs: [TopicPartition: Int32]
    ) async throws -> [TopicPartition: Result<ListedOffset, KafkaError>] {
        let answers = try await leaderOffsets(of: specs, ledBy: node, isolation, epochs)
        let beyondEnd = answers.filter { entry in
            if case .success(let listed) = entry.value { listed.offset < 0 } else { false }
        }.mapValues { _ in OffsetSpec.latest }
        guard !beyondEnd.isEmpty else { return answers }
        return answers.merging(try await leaderOffsets(of: beyondEnd, ledBy: node, isolation, epochs)) { $1 }
    }

    /// Like `offsets(of:ledBy:_:_:)`, but returns -1 for a timestamp after all records.
    nonisolated func leaderOffsets(
        of specs: [TopicPartition: OffsetSpec], ledBy node: Int32, _ isolation: IsolationLevel,
        _ epochs: [TopicPartition: Int32]
    ) async throws -> [TopicPartition: Result<ListedOffset, KafkaError>] {
        let connection = try await connection(to: node, role: .general)
        let topics = Dictionary(grouping: specs.keys, by: \.topic).map { topic, partitions in
            ListOffsetsRequest.Topic(
                name: topic,
                partitions: partitions.map { partition in
                    ListOffsetsRequest.Partition(
                        partitionIndex: partition.partition, currentLeaderEpoch: epochs[partition] ?? -1,
                        timestamp: specs[partition]?.timestampOnWire ?? -1)
                })
        }
        let response = try await connection.call(
            ListOffsetsRequest(replicaId: -1, isolationLevel: isolation.rawValue, topics: topics),
            timeout: configuration.requestTimeout)
        var answers: [TopicPartition: Result<ListedOffset, KafkaError>] = [:]
        for topic in response.topics {
            for partition in topic.partitions {
                let key = TopicPartition(topic: topic.name, partition: partition.partitionIndex)
                guard let spec = specs[key] else { continue }
                answers[key] = Self.listedOffset(partition, spec, key, connection.address)
            }
        }
        for key in specs.keys where answers[key] == nil {
            answers[key] = .failure(
                KafkaError(
                    .unknownServerError, "\(connection.address) returned no offset for the partition",
                    topic: key.topic, partition: key.partition))
        }
        return answers
    }

    /// A partition's offset from the response, or the error.
    static func listedOffset(
        _ answer: ListOffsetsResponse.PartitionResponse, _ spec: OffsetSpec, _ key: TopicPartition,
        _ broker: BrokerAddress
    ) -> Result<ListedOffset, KafkaError> {
        let code = ErrorCode(rawValue: answer.errorCode)
        guard code == .none else {
            return .failure(
                KafkaError(
                    code, "the broker refused to look up an offset", isFromBroker: true, topic: key.topic,
                    partition: key.partition))
        }
        // Only a lookup by timestamp may return -1 (no such offset).
        var smallest: Int64 = 0
        if case .timestamp = spec { smallest = -1 }
        guard answer.offset >= smallest else {
            return .failure(
                KafkaError(
                    .corruptMessage, "\(broker) returned the invalid offset \(answer.offset)", isRetriable: false,
                    topic: key.topic, partition: key.partition))
        }
        return .success(
            ListedOffset(
                offset: answer.offset, timestamp: KafkaTimestamp(millisecondsSince1970: answer.timestamp),
                leaderEpoch: answer.leaderEpoch))
    }
}
