extension KafkaAdmin {
    /// Commits offsets for a group without members, from which tools compute its lag.
    ///
    /// - Parameters:
    ///   - group: The group's id. A group that does not exist is created.
    ///   - offsets: For each partition the offset of the next record to read.
    ///   - topicIDs: The ids of the topics, by name (`TopicDescription.id`). Offsets of a topic that was deleted and
    ///     recreated are not committed then. Topics without an id here are not checked.
    ///   - limit: How long to retry; nil for `default.api.timeout.ms`.
    /// - Throws: UNKNOWN_MEMBER_ID if the group has members, INCONSISTENT_TOPIC_ID if a topic's id differs from the one in
    ///   `topicIDs`, or another error of the coordinator. Offsets of other topics are committed.
    public nonisolated(nonsending) func commitOffsets(
        group: String, _ offsets: [TopicPartition: Int64], topicIDs: [String: KafkaUUID] = [:], limit: Duration? = nil
    ) async throws {
        let outcomes = try await alterGroupOffsets(
            group, offsets.mapValues { OffsetAndMetadata($0) }, topicIDs: topicIDs, limit: limit)
        for outcome in outcomes.values { try outcome.get() }
    }

    /// Sets the offsets of a group without members.
    ///
    /// - Parameters:
    ///   - group: The group's id. A group that does not exist is created.
    ///   - offsets: For each partition the offset of the next record to read.
    ///   - topicIDs: The ids of the topics, by name (`TopicDescription.id`). The client asks the coordinator for the current
    ///     ids right before it sets the offsets. Topics without an id here are not checked.
    ///   - limit: How long to retry; nil for `default.api.timeout.ms`.
    /// - Returns: For each partition success, or UNKNOWN_MEMBER_ID if the group has members, UNKNOWN_TOPIC_OR_PARTITION,
    ///   INCONSISTENT_TOPIC_ID if the topic's id differs from the one in `topicIDs`, or another error of the coordinator.
    public nonisolated(nonsending) func alterGroupOffsets(
        _ group: String, _ offsets: [TopicPartition: OffsetAndMetadata], topicIDs: [String: KafkaUUID] = [:],
        limit: Duration? = nil
    ) async throws -> [TopicPartition: Result<Void, KafkaError>] {
        try await outcomes(
            of: offsets.keys, operation: "set the offsets of group \(group) for", final: [.unknownTopicOrPartition],
            limit: limit
        ) { partitions in
            let connection = try await cluster.connection(to: .group(group))
            // From version 10 on requests contain topic ids, which the caller may not know.
            let version = min(try connection.version(for: OffsetCommitRequest.self), 9)
            let mismatches = try await TopicIdentity.mismatches(
                partitions.reduce(into: [:]) { $0[$1] = topicIDs[$1.topic] }, over: connection,
                timeout: requestTimeout)
            var outcomes = mismatches.mapValues { Result<Void, KafkaError>.failure($0) }
            let partitions = partitions.filter { mismatches[$0] == nil }
            guard !partitions.isEmpty else { return outcomes }
            let request = OffsetCommitRequest(
                groupId: group,
                topics: Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
                    OffsetCommitRequest.Topic(
                        name: topic,
                        partitions: partitions.compactMap { partition in
                            offsets[partition].map { OffsetCommitRequest.Partition(partition.partition, $0) }
                        })
                })
            let response = try await answer(connection, request, version: version)
            for topic in response.topics {
                for partition in topic.partitions {
                    outcomes[TopicPartition(topic: topic.name, partition: partition.partitionIndex)] = Self.outcome(
                        partition.errorCode, nil, else: "the group's offset cannot be set", topic: topic.name,
                        partition: partition.partitionIndex, success: ())
                }
            }
            return outcomes
        }
    }

    /// Returns the committed offsets of a group.
    ///
    /// - Parameters:
    ///   - group: The group's id.
    ///   - partitions: The partitions; nil for all with a committed offset. Partitions without one are omitted.
    ///   - requiresStable: Whether to wait for transactions in progress that commit offsets of the group (KIP-447), from
    ///     Kafka 2.5 on. The broker reports such offsets as UNSTABLE_OFFSET_COMMIT.
    /// - Throws: GROUP_AUTHORIZATION_FAILED or another error that concerns the whole group. A group that does not exist has
    ///   no offsets.
    public nonisolated(nonsending) func listGroupOffsets(
        _ group: String, of partitions: [TopicPartition]? = nil, requiresStable: Bool = false
    ) async throws -> [TopicPartition: Result<OffsetAndMetadata, KafkaError>] {
        if let partitions {
            let found = try await outcomes(of: partitions, operation: "list the offsets of group \(group) for") {
                partitions in
                try await fetchOffsets(group, partitions, requiresStable: requiresStable)
            }
            return found.compactMapValues { outcome in
                switch outcome {
                case .success(let offset): offset.map { .success($0) }
                case .failure(let error): .failure(error)
                }
            }
        }
        return try await cluster.retrying(operation: "list the offsets of group \(group)") {
            try await fetchOffsets(group, nil, requiresStable: requiresStable).compactMapValues { outcome in
                switch outcome {
                case .success(let offset): return offset.map { .success($0) }
                case .failure(let error):
                    if error.isRetriable { throw error }
                    return .failure(error)
                }
            }
        }
    }

    /// Asks the coordinator once. The offset is nil if the group has none for a partition.
    private func fetchOffsets(
        _ group: String, _ partitions: [TopicPartition]?, requiresStable: Bool
    ) async throws -> [TopicPartition: Result<OffsetAndMetadata?, KafkaError>] {
        let connection = try await cluster.connection(to: .group(group))
        // From version 10 on responses contain topic ids, whose names may be unknown.
        let version = min(try connection.version(for: OffsetFetchRequest.self), 9)
        let topics = partitions.map { Dictionary(grouping: $0, by: \.topic).mapValues { $0.map(\.partition) } }
        var request = OffsetFetchRequest(requireStable: requiresStable && version >= 7)
        if version >= 8 {
            request.groups = [
                OffsetFetchRequest.Group(
                    groupId: group,
                    topics: topics?.map { OffsetFetchRequest.GroupTopic(name: $0, partitionIndexes: $1) })
            ]
        } else {
            request.groupId = group
            request.topics = topics?.map { OffsetFetchRequest.Topic(name: $0, partitionIndexes: $1) }
        }
        let response = try await answer(connection, request, version: version)
        let code = ErrorCode(rawValue: response.groups.first?.errorCode ?? response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "the offsets of the group \(group) cannot be listed", isFromBroker: true)
        }
        var found: [TopicPartition: Result<OffsetAndMetadata?, KafkaError>] = [:]
        for topic in response.topics {
            for partition in topic.partitions {
                found[TopicPartition(topic: topic.name, partition: partition.partitionIndex)] = Self.stored(
                    partition.committedOffset, partition.committedLeaderEpoch, partition.metadata,
                    partition.errorCode, topic.name, partition.partitionIndex)
            }
        }
        for topic in response.groups.flatMap(\.topics) {
            for partition in topic.partitions {
                found[TopicPartition(topic: topic.name, partition: partition.partitionIndex)] = Self.stored(
                    partition.committedOffset, partition.committedLeaderEpoch, partition.metadata,
                    partition.errorCode, topic.name, partition.partitionIndex)
            }
        }
        return found
    }

    private static func stored(
        _ offset: Int64, _ leaderEpoch: Int32, _ metadata: String?, _ code: Int16, _ topic: String, _ partition: Int32
    ) -> Result<OffsetAndMetadata?, KafkaError> {
        outcome(
            code, nil, else: "the group's offset cannot be listed", topic: topic, partition: partition,
            success: offset < 0
                ? nil : OffsetAndMetadata(offset, leaderEpoch: leaderEpoch, metadata: metadata ?? ""))
    }

    /// Deletes offsets of a group, for topics that no member is subscribed to (KIP-496), from Kafka 2.4 on.
    ///
    /// - Returns: For each partition success, or GROUP_SUBSCRIBED_TO_TOPIC or another error of the coordinator.
    /// - Throws: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP or another error that concerns the whole group.
    public nonisolated(nonsending) func deleteGroupOffsets(
        _ group: String, of partitions: [TopicPartition]
    ) async throws -> [TopicPartition: Result<Void, KafkaError>] {
        try await outcomes(
            of: partitions, operation: "delete the offsets of group \(group) for", final: [.unknownTopicOrPartition]
        ) { partitions in
            let request = OffsetDeleteRequest(
                groupId: group,
                topics: Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
                    OffsetDeleteRequest.Topic(
                        name: topic,
                        partitions: partitions.map {
                            OffsetDeleteRequest.Partition(partitionIndex: $0.partition)
                        })
                })
            let response = try await cluster.connection(to: .group(group)).call(request, timeout: requestTimeout)
            let code = ErrorCode(rawValue: response.errorCode)
            guard code == .none else {
                throw KafkaError(code, "the offsets of the group \(group) cannot be deleted", isFromBroker: true)
            }
            var outcomes: [TopicPartition: Result<Void, KafkaError>] = [:]
            for topic in response.topics {
                for partition in topic.partitions {
                    outcomes[TopicPartition(topic: topic.name, partition: partition.partitionIndex)] = Self.outcome(
                        partition.errorCode, nil, else: "the group's offset cannot be deleted", topic: topic.name,
                        partition: partition.partitionIndex, success: ())
                }
            }
            return outcomes
        }
    }

    /// Sends a request with a version below the highest common one.
    private func answer<R: KafkaRequest>(
        _ connection: NegotiatedConnection, _ request: R, version: Int16
    ) async throws -> R.Response {
        guard
            let response = try await connection.call(
                request, version: version, timeout: requestTimeout, expectsResponse: true)
        else { throw KafkaError(.unknownServerError, "\(connection.address) sent no response to \(R.apiKey.name)") }
        return response
    }
}

extension OffsetCommitRequest.Partition {
    fileprivate init(_ partition: Int32, _ offset: OffsetAndMetadata) {
        self.init(
            partitionIndex: partition, committedOffset: offset.offset, committedLeaderEpoch: offset.leaderEpoch,
            committedMetadata: offset.metadata)
    }
}
