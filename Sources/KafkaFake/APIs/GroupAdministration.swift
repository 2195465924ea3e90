import KafkaWire

// ListGroups, DescribeGroups, ConsumerGroupDescribe, DeleteGroups and OffsetDelete.
extension APICall {
    // MARK: ListGroups

    func listGroups(_ request: ListGroupsRequest) -> Reply<ListGroupsResponse> {
        if let refusal { return .response(ListGroupsResponse(errorCode: refusal.code.rawValue)) }
        let states = Set(request.statesFilter.map { $0.lowercased() })
        let types = Set(request.typesFilter.map { $0.lowercased() })
        return state.withLock { state in
            // Each broker lists the groups that it coordinates.
            let names = state.groups.groups.keys.sorted().filter { coordinationError(.group($0), state) == nil }
            let groups = names.compactMap { name -> ListGroupsResponse.Group? in
                guard let group = state.groups.groups[name] else { return nil }
                guard states.isEmpty || states.contains(group.stateName.lowercased()) else { return nil }
                guard types.isEmpty || types.contains(group.typeName) else { return nil }
                return ListGroupsResponse.Group(
                    groupId: name, protocolType: group.protocolType, groupState: version >= 4 ? group.stateName : "",
                    groupType: version >= 5 ? group.typeName : "")
            }
            return .response(ListGroupsResponse(groups: groups))
        }
    }

    // MARK: DescribeGroups

    func describeGroups(_ request: DescribeGroupsRequest) -> Reply<DescribeGroupsResponse> {
        state.withLock { state in
            .response(DescribeGroupsResponse(groups: request.groups.map { describe($0, state) }))
        }
    }

    private func describe(_ name: String, _ state: ClusterState) -> DescribeGroupsResponse.Group {
        if let error = refusal?.code ?? coordinationError(.group(name), state) {
            return DescribeGroupsResponse.Group(errorCode: error.rawValue, groupId: name)
        }
        guard case .classic(let group) = state.groups.groups[name] else {
            // Before version 6 a group that does not exist is reported as dead.
            guard version >= 6 else { return DescribeGroupsResponse.Group(groupId: name, groupState: "Dead") }
            return DescribeGroupsResponse.Group(
                errorCode: ErrorCode.groupIdNotFound.rawValue, errorMessage: "there is no classic group \(name)",
                groupId: name, groupState: "Dead")
        }
        let isStable = group.phase == .stable
        return DescribeGroupsResponse.Group(
            groupId: name, groupState: group.phase.rawValue, protocolType: group.protocolType ?? "",
            protocolData: isStable ? group.strategy ?? "" : "",
            members: group.members.map { member in
                DescribeGroupsResponse.Member(
                    memberId: member.id, groupInstanceId: version >= 4 ? member.instanceID : nil,
                    clientId: member.clientID, clientHost: "/127.0.0.1",
                    memberMetadata: isStable ? member.metadata(for: group.strategy) : ByteSlice([]),
                    memberAssignment: isStable || versions.hasGroupVersion ? member.assignment : ByteSlice([]))
            })
    }

    // MARK: ConsumerGroupDescribe

    func consumerGroupDescribe(_ request: ConsumerGroupDescribeRequest) -> Reply<ConsumerGroupDescribeResponse> {
        state.withLock { state in
            .response(ConsumerGroupDescribeResponse(groups: request.groupIds.map { describeConsumers($0, state) }))
        }
    }

    private func describeConsumers(_ name: String, _ state: ClusterState) -> ConsumerGroupDescribeResponse.Group {
        if let error = refusal?.code ?? coordinationError(.group(name), state) {
            return ConsumerGroupDescribeResponse.Group(errorCode: error.rawValue, groupId: name)
        }
        guard case .consumer(let group) = state.groups.groups[name] else {
            return ConsumerGroupDescribeResponse.Group(
                errorCode: ErrorCode.groupIdNotFound.rawValue, errorMessage: "there is no consumer group \(name)",
                groupId: name)
        }
        return ConsumerGroupDescribeResponse.Group(
            groupId: name, groupState: group.stateName, groupEpoch: group.epoch, assignmentEpoch: group.targetEpoch,
            assignorName: group.assignor.rawValue,
            members: group.members.map { member in
                ConsumerGroupDescribeResponse.Member(
                    memberId: member.id, instanceId: member.instanceID, rackId: member.rackID,
                    memberEpoch: member.epoch, clientId: member.clientID, clientHost: "/127.0.0.1",
                    subscribedTopicNames: member.names, subscribedTopicRegex: member.pattern,
                    assignment: assignment(member.assigned, state),
                    targetAssignment: assignment(group.target[member.id] ?? [], state),
                    memberType: version >= 1 ? 1 : -1)
            })
    }

    private func assignment(
        _ slots: Set<ConsumerGroup.Slot>, _ state: ClusterState
    ) -> ConsumerGroupDescribeResponse.Assignment {
        let topics = Dictionary(grouping: slots.sorted(), by: \.topicID)
        return ConsumerGroupDescribeResponse.Assignment(
            topicPartitions: topics.map { id, slots in
                ConsumerGroupDescribeResponse.TopicPartitions(
                    topicId: id, topicName: state.topic(id: id)?.name ?? "", partitions: slots.map(\.partition))
            })
    }

    // MARK: DeleteGroups and OffsetDelete

    func deleteGroups(_ request: DeleteGroupsRequest) -> Reply<DeleteGroupsResponse> {
        state.withLock { state in
            let results = request.groupsNames.map { name in
                let error = refusal?.code ?? coordinationError(.group(name), state) ?? state.deleteGroup(name)
                return DeleteGroupsResponse.Result(groupId: name, errorCode: error.rawValue)
            }
            return .response(DeleteGroupsResponse(results: results))
        }
    }

    func offsetDelete(_ request: OffsetDeleteRequest) -> Reply<OffsetDeleteResponse> {
        state.withLock { state in
            var error = refusal?.code ?? coordinationError(.group(request.groupId), state)
            let group = state.groups.groups[request.groupId]
            if error == nil, group == nil { error = .groupIdNotFound }
            if let error { return .response(OffsetDeleteResponse(errorCode: error.rawValue)) }
            let topics = request.topics.map { topic in
                OffsetDeleteResponse.Topic(
                    name: topic.name,
                    partitions: topic.partitions.map { partition in
                        let key = TopicPartition(topic: topic.name, partition: partition.partitionIndex)
                        var code = ErrorCode.none
                        if state.partition(key) == nil {
                            code = .unknownTopicOrPartition
                        } else if group?.isSubscribed(to: topic.name) == true {
                            code = .groupSubscribedToTopic
                        } else {
                            state.offsets.remove(group: request.groupId, key)
                        }
                        return OffsetDeleteResponse.Partition(
                            partitionIndex: partition.partitionIndex, errorCode: code.rawValue)
                    })
            }
            return .response(OffsetDeleteResponse(topics: topics))
        }
    }
}

extension ClusterState {
    fileprivate mutating func deleteGroup(_ name: String) -> ErrorCode {
        guard let group = groups.groups[name] else { return .groupIdNotFound }
        guard group.isEmpty else { return .nonEmptyGroup }
        groups.remove(name)
        offsets.remove(group: name)
        return .none
    }
}

extension GroupCoordinator.Group {
    fileprivate var typeName: String {
        switch self {
        case .classic: "classic"
        case .consumer: "consumer"
        }
    }

    var stateName: String {
        switch self {
        case .classic(let group): group.phase.rawValue
        case .consumer(let group): group.stateName
        }
    }

    fileprivate var protocolType: String {
        switch self {
        case .classic(let group): group.protocolType ?? ""
        case .consumer: "consumer"
        }
    }

    fileprivate var isEmpty: Bool {
        switch self {
        case .classic(let group): group.members.isEmpty
        case .consumer(let group): group.members.isEmpty
        }
    }

    fileprivate func isSubscribed(to topic: String) -> Bool {
        switch self {
        case .consumer(let group): return group.members.contains { $0.wants(topic) }
        case .classic(let group):
            guard group.protocolType == "consumer" else { return !group.members.isEmpty }
            return group.members.contains { member in
                member.strategies.contains { strategy in
                    (try? ConsumerProtocolSubscription.decode(strategy.metadata))?.topics.contains(topic) ?? true
                }
            }
        }
    }
}
