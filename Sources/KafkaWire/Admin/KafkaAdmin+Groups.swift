extension KafkaAdmin {
    /// Lists the groups of all brokers.
    ///
    /// - Parameters:
    ///   - states: The states to list (KIP-518), from Kafka 2.6 on; empty for all.
    ///   - types: The types to list (KIP-848); empty for all.
    /// - Returns: The groups, and the brokers that did not list theirs.
    /// - Throws: An error that all brokers have in common, such as UNSUPPORTED_VERSION for `states` before Kafka 2.6.
    public nonisolated(nonsending) func listGroups(states: Set<GroupState> = [], types: Set<GroupType> = [])
        async throws -> GroupListing
    {
        let end = deadline
        try await cluster.retrying(operation: "find the brokers of the cluster") {
            _ = try await cluster.refresh(topics: [])
        }
        let brokers = await cluster.brokers.keys.sorted()
        // Each broker separately, so that a silent one does not hide the responses of the others.
        let answers = try await withThrowingTaskGroup { group in
            for node in brokers {
                group.addTask {
                    do {
                        let outcome = try await outcomes(
                            of: [node], operation: "list the groups of broker", limit: timeLeft(until: end)
                        ) { _ in
                            [node: await listGroups(of: node, states, types)]
                        }
                        return (node, outcome[node] ?? .failure(Self.leftOut))
                    } catch let error as KafkaError {
                        return (node, .failure(error))
                    }
                }
            }
            return try await group.reduce(into: [Int32: Result<[ListedGroup], KafkaError>]()) { $0[$1.0] = $1.1 }
        }
        var groups: [String: ListedGroup] = [:]
        var failures: [Int32: KafkaError] = [:]
        for (node, answer) in answers {
            switch answer {
            case .success(let listed): for group in listed { groups[group.groupID] = group }
            case .failure(let error): failures[node] = error
            }
        }
        if let error = failures.values.first, failures.count == brokers.count { throw error }
        return GroupListing(groups: groups.values.sorted { $0.groupID < $1.groupID }, failures: failures)
    }

    private func listGroups(
        of node: Int32, _ states: Set<GroupState>, _ types: Set<GroupType>
    ) async -> Result<[ListedGroup], KafkaError> {
        do {
            let connection = try await cluster.connection(to: node, role: .general)
            let version = try connection.version(for: ListGroupsRequest.self)
            guard states.isEmpty || version >= 4 else {
                return .failure(
                    KafkaError(.unsupportedVersion, "\(connection.address) does not report the states of its groups"))
            }
            // Brokers without group types have classic groups only.
            if version < 5, !types.isEmpty, !types.contains(.classic) { return .success([]) }
            let response = try await connection.call(
                ListGroupsRequest(
                    statesFilter: states.map(\.rawValue).sorted(),
                    typesFilter: version >= 5 ? types.map(\.rawValue).sorted() : []), timeout: requestTimeout)
            return Self.outcome(
                response.errorCode, nil, else: "broker \(node) cannot list its groups",
                success: response.groups.map { group in
                    ListedGroup(
                        groupID: group.groupId, protocolType: group.protocolType,
                        state: version >= 4 ? GroupState(rawValue: group.groupState) : nil,
                        type: version >= 5 ? GroupType(rawValue: group.groupType.lowercased()) : nil)
                })
        } catch let error as KafkaError {
            return .failure(error)
        } catch {
            return .failure(KafkaError(.networkException, "the request to broker \(node) was interrupted: \(error)"))
        }
    }

    /// Returns groups with their members, both KIP-848 and classic ones.
    ///
    /// - Returns: For each group its description, or GROUP_ID_NOT_FOUND or another error of its coordinator.
    public nonisolated(nonsending) func describeGroups(_ groups: [String]) async throws -> [String: Result<
        GroupDescription, KafkaError
    >] {
        try await outcomes(of: groups, operation: "describe the groups") { groups in
            try await byCoordinator(groups) { connection, groups in
                var outcomes = try await describeConsumerGroups(groups, connection)
                // The other groups may be classic ones.
                let others = groups.filter { outcomes[$0] == nil }
                if !others.isEmpty {
                    outcomes.merge(try await describeClassicGroups(others, connection)) { $1 }
                }
                return outcomes
            }
        }
    }

    /// Describes the KIP-848 groups; other groups are omitted.
    private func describeConsumerGroups(
        _ groups: [String], _ connection: NegotiatedConnection
    ) async throws -> [String: Result<GroupDescription, KafkaError>] {
        guard (try? connection.version(for: ConsumerGroupDescribeRequest.self)) != nil else { return [:] }
        let response = try await connection.call(
            ConsumerGroupDescribeRequest(groupIds: groups), timeout: requestTimeout)
        var outcomes: [String: Result<GroupDescription, KafkaError>] = [:]
        for group in response.groups {
            // A broker that has only classic groups refuses the request.
            let code = ErrorCode(rawValue: group.errorCode)
            if code == .groupIdNotFound || code == .unsupportedVersion { continue }
            outcomes[group.groupId] = Self.outcome(
                group.errorCode, group.errorMessage, else: "the group \(group.groupId) cannot be described",
                success: GroupDescription(group, coordinator: connection.address))
        }
        return outcomes
    }

    private func describeClassicGroups(
        _ groups: [String], _ connection: NegotiatedConnection
    ) async throws -> [String: Result<GroupDescription, KafkaError>] {
        let response = try await connection.call(DescribeGroupsRequest(groups: groups), timeout: requestTimeout)
        var outcomes: [String: Result<GroupDescription, KafkaError>] = [:]
        for group in response.groups {
            let description = GroupDescription(group, coordinator: connection.address)
            if group.errorCode == ErrorCode.none.rawValue, description.state == .dead, description.members.isEmpty {
                // Before version 6 a group that does not exist is reported as dead (KIP-1043).
                outcomes[group.groupId] = .failure(
                    KafkaError(
                        .groupIdNotFound, "the group \(group.groupId) does not exist", isFromBroker: true))
            } else {
                outcomes[group.groupId] = Self.outcome(
                    group.errorCode, group.errorMessage, else: "the group \(group.groupId) cannot be described",
                    success: description)
            }
        }
        return outcomes
    }

    /// Deletes groups without members, and their offsets (KIP-229).
    ///
    /// - Returns: For each group success, or NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND or another error of its coordinator.
    public nonisolated(nonsending) func deleteGroups(_ groups: [String]) async throws -> [String: Result<
        Void, KafkaError
    >] {
        try await outcomes(of: groups, operation: "delete the groups") { groups in
            try await byCoordinator(groups) { connection, groups in
                let response = try await connection.call(
                    DeleteGroupsRequest(groupsNames: groups), timeout: requestTimeout)
                var outcomes: [String: Result<Void, KafkaError>] = [:]
                for group in response.results {
                    outcomes[group.groupId] = Self.outcome(
                        group.errorCode, nil, else: Self.deletionFailure(group), success: ())
                }
                return outcomes
            }
        }
    }

    private static func deletionFailure(_ result: DeleteGroupsResponse.Result) -> String {
        switch ErrorCode(rawValue: result.errorCode) {
        case .nonEmptyGroup: "the group \(result.groupId) has members; stop them before you delete it"
        case .groupIdNotFound: "the group \(result.groupId) does not exist"
        default: "the group \(result.groupId) cannot be deleted"
        }
    }

    /// Sends the groups to their coordinators, with one request for each coordinator.
    private func byCoordinator<Value: Sendable>(
        _ groups: [String],
        _ call: (NegotiatedConnection, [String]) async throws -> [String: Result<Value, KafkaError>]
    ) async throws -> [String: Result<Value, KafkaError>] {
        var outcomes: [String: Result<Value, KafkaError>] = [:]
        var coordinated: [BrokerAddress: (connection: NegotiatedConnection, groups: [String])] = [:]
        for group in groups {
            do {
                let connection = try await cluster.connection(to: .group(group))
                coordinated[connection.address, default: (connection, [])].groups.append(group)
            } catch let error as KafkaError {
                outcomes[group] = .failure(error)
            }
        }
        for (connection, groups) in coordinated.values {
            do {
                outcomes.merge(try await call(connection, groups)) { $1 }
            } catch let error as KafkaError {
                for group in groups { outcomes[group] = .failure(error) }
            }
        }
        return outcomes
    }
}

extension KafkaAdmin {
    /// Returns whether the cluster serves groups of the protocol `consumer` (KIP-848): whether its feature `group.version`
    /// is at least 1, as from Kafka 4.0 on.
    ///
    /// - Throws: NETWORK_EXCEPTION or another error if no broker can be reached; `CancellationError`.
    public nonisolated(nonsending) func supportsConsumerProtocol() async throws -> Bool {
        let connection = try await cluster.anyConnection()
        let isSupported = (try? connection.version(for: ConsumerGroupHeartbeatRequest.self)) != nil
        return isSupported && connection.features["group.version", default: 0] >= 1
    }
}
