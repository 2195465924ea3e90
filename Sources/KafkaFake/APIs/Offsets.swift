import KafkaWire

// OffsetCommit and OffsetFetch.
extension APICall {
    func offsetCommit(_ request: OffsetCommitRequest) -> Reply<OffsetCommitResponse> {
        state.withLock { state in
            let committer = GroupCoordinator.Committer(
                memberID: request.memberId, instanceID: request.groupInstanceId,
                generation: request.generationIdOrMemberEpoch)
            let error =
                coordinationError(.group(request.groupId), state)
                ?? state.groups.checkCommit(
                    request.groupId, committer, version: versions.hasGroupVersion ? version : min(version, 8),
                    at: state.clock.now)
            let topics = request.topics.map { topic in
                let known = state.topic(name: topic.name, id: topic.topicId)
                let partitions = topic.partitions.map { partition in
                    let code = commit(partition, of: known, request, error, &state)
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
        _ groupError: ErrorCode, _ state: inout ClusterState
    ) -> ErrorCode {
        guard let topic else { return version >= 10 ? .unknownTopicId : .unknownTopicOrPartition }
        guard topic.partition(partition.partitionIndex) != nil else { return .unknownTopicOrPartition }
        guard groupError == .none else { return groupError }
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
                let error = refusal?.code ?? coordinationError(.group(request.groupId), state) ?? .none
                let found = error == .none ? committed(group: request.groupId, wanted, request, state) : []
                return .response(
                    OffsetFetchResponse(
                        topics: found.map { OffsetFetchResponse.Topic(name: $0, partitions: $1.map(\.early)) },
                        errorCode: error.rawValue))
            }
            return .response(OffsetFetchResponse(groups: request.groups.map { fetch($0, request, state) }))
        }
    }

    private func fetch(
        _ group: OffsetFetchRequest.Group, _ request: OffsetFetchRequest, _ state: ClusterState
    ) -> OffsetFetchResponse.Group {
        let error =
            refusal?.code ?? coordinationError(.group(group.groupId), state)
            ?? state.groups.checkFetch(group.groupId, memberID: group.memberId, epoch: group.memberEpoch)
        guard error == .none else {
            return OffsetFetchResponse.Group(groupId: group.groupId, errorCode: error.rawValue)
        }
        func isUnknown(_ topic: OffsetFetchRequest.GroupTopic) -> Bool {
            version >= 10 && state.topic(name: topic.name, id: topic.topicId) == nil
        }
        let wanted = group.topics?.filter { !isUnknown($0) }.map { topic in
            (state.topic(name: topic.name, id: topic.topicId)?.name ?? topic.name, topic.partitionIndexes)
        }
        var topics = committed(group: group.groupId, wanted, request, state).map { name, partitions in
            OffsetFetchResponse.GroupTopic(
                name: name, topicId: state.topics[name]?.id ?? .zero, partitions: partitions)
        }
        topics += (group.topics ?? []).filter(isUnknown).map { topic in
            OffsetFetchResponse.GroupTopic(
                name: "", topicId: topic.topicId,
                partitions: topic.partitionIndexes.map {
                    OffsetFetchResponse.GroupPartition(
                        partitionIndex: $0, committedOffset: -1, committedLeaderEpoch: -1, metadata: "",
                        errorCode: ErrorCode.unknownTopicId.rawValue)
                })
        }
        return OffsetFetchResponse.Group(groupId: group.groupId, topics: topics)
    }

    /// - Parameter wanted: Topics with partitions; nil for all partitions of the group.
    private func committed(
        group: String, _ wanted: [(String, [Int32])]?, _ request: OffsetFetchRequest, _ state: ClusterState
    ) -> [(String, [OffsetFetchResponse.GroupPartition])] {
        let known = state.offsets.groups[group] ?? [:]
        let all = Dictionary(grouping: known.keys.sorted(), by: \.topic).mapValues { $0.map(\.partition) }
        let asked = wanted ?? all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return asked.map { name, partitions in
            let found = partitions.map { index in
                let partition = TopicPartition(topic: name, partition: index)
                var answer = OffsetFetchResponse.GroupPartition(
                    partitionIndex: index, committedOffset: -1, committedLeaderEpoch: -1, metadata: "")
                if request.requireStable, state.offsets.isUnstable(group: group, partition) {
                    answer.errorCode = ErrorCode.unstableOffsetCommit.rawValue
                } else if let committed = known[partition] {
                    answer.committedOffset = committed.offset
                    answer.committedLeaderEpoch = committed.leaderEpoch
                    answer.metadata = committed.metadata
                }
                return answer
            }
            return (name, found)
        }
    }
}

extension OffsetFetchResponse.GroupPartition {
    /// The same in the form of versions before 8.
    fileprivate var early: OffsetFetchResponse.Partition {
        OffsetFetchResponse.Partition(
            partitionIndex: partitionIndex, committedOffset: committedOffset,
            committedLeaderEpoch: committedLeaderEpoch, metadata: metadata, errorCode: errorCode)
    }
}
