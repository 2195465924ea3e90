import KafkaWire

// OffsetCommit and OffsetFetch, for groups without members.
extension APICall {
    func offsetCommit(_ request: OffsetCommitRequest) -> Reply<OffsetCommitResponse> {
        state.withLock { state in
            let topics = request.topics.map { topic in
                let known = state.topic(name: topic.name, id: topic.topicId)
                let partitions = topic.partitions.map { partition in
                    let code = commit(partition, of: known, request, &state)
                    return OffsetCommitResponse.Partition(
                        partitionIndex: partition.partitionIndex, errorCode: code.rawValue)
                }
                return OffsetCommitResponse.Topic(name: topic.name, topicId: topic.topicId, partitions: partitions)
            }
            return .response(OffsetCommitResponse(topics: topics))
        }
    }

    private func commit(
        _ partition: OffsetCommitRequest.Partition, of topic: ClusterState.Topic?, _ request: OffsetCommitRequest,
        _ state: inout ClusterState
    ) -> ErrorCode {
        guard let topic else { return version >= 10 ? .unknownTopicId : .unknownTopicOrPartition }
        guard topic.partition(partition.partitionIndex) != nil else { return .unknownTopicOrPartition }
        // No group has members here, so nobody can be one.
        guard request.memberId.isEmpty, request.generationIdOrMemberEpoch < 0 else { return .unknownMemberId }
        let key = TopicPartition(topic: topic.name, partition: partition.partitionIndex)
        let refusal = refusal(.offsetCommit, key, &state)
        if let refusal, !refusal.isAfterwards { return refusal.code }
        state.offsets.commit(
            group: request.groupId, key,
            GroupOffsets.Committed(
                offset: partition.committedOffset, leaderEpoch: partition.committedLeaderEpoch,
                metadata: partition.committedMetadata))
        return refusal?.code ?? .none
    }

    func offsetFetch(_ request: OffsetFetchRequest) -> Reply<OffsetFetchResponse> {
        state.withLock { state in
            guard version >= 8 else {
                let wanted = request.topics?.map { ($0.name, $0.partitionIndexes) }
                let found = committed(group: request.groupId, wanted, state)
                var response = OffsetFetchResponse(
                    topics: found.map { name, partitions in
                        OffsetFetchResponse.Topic(
                            name: name,
                            partitions: partitions.map { index, committed in
                                OffsetFetchResponse.Partition(
                                    partitionIndex: index, committedOffset: committed?.offset ?? -1,
                                    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
                                    metadata: committed?.metadata ?? "")
                            })
                    })
                if let refusal { response.errorCode = refusal.code.rawValue }
                return .response(response)
            }
            return .response(OffsetFetchResponse(groups: request.groups.map { fetch($0, state) }))
        }
    }

    private func fetch(_ group: OffsetFetchRequest.Group, _ state: ClusterState) -> OffsetFetchResponse.Group {
        if let refusal { return OffsetFetchResponse.Group(groupId: group.groupId, errorCode: refusal.code.rawValue) }
        let wanted = group.topics?.map { topic in
            (state.topic(name: topic.name, id: topic.topicId)?.name ?? topic.name, topic.partitionIndexes)
        }
        let topics = committed(group: group.groupId, wanted, state).map { name, partitions in
            OffsetFetchResponse.GroupTopic(
                name: name, topicId: state.topics[name]?.id ?? .zero,
                partitions: partitions.map { index, committed in
                    OffsetFetchResponse.GroupPartition(
                        partitionIndex: index, committedOffset: committed?.offset ?? -1,
                        committedLeaderEpoch: committed?.leaderEpoch ?? -1, metadata: committed?.metadata ?? "")
                })
        }
        return OffsetFetchResponse.Group(groupId: group.groupId, topics: topics)
    }

    /// - Parameter wanted: Topics with partitions; nil for all that the group has.
    private func committed(
        group: String, _ wanted: [(String, [Int32])]?, _ state: ClusterState
    ) -> [(String, [(Int32, GroupOffsets.Committed?)])] {
        let known = state.offsets.groups[group] ?? [:]
        let all = Dictionary(grouping: known.keys.sorted(), by: \.topic).mapValues { $0.map(\.partition) }
        let asked = wanted ?? all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return asked.map { name, partitions in
            (name, partitions.map { ($0, known[TopicPartition(topic: name, partition: $0)]) })
        }
    }
}
