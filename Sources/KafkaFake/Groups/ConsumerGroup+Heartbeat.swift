import KafkaWire

// ConsumerGroupHeartbeat, which joins, keeps up and leaves a group.
extension ConsumerGroup {
    struct Answer {
        var error = ErrorCode.none
        var message: String?
        var memberID: String
        var epoch: Int32 = 0
        /// Nil if the member already has this assignment.
        var assignment: Set<Slot>?
    }

    /// The error of a request that is invalid for any group; nil if it is valid.
    static func problem(_ request: ConsumerGroupHeartbeatRequest, version: Int16) -> (ErrorCode, String)? {
        func invalid(_ message: String) -> (ErrorCode, String) { (.invalidRequest, message) }
        if request.groupId.isEmpty { return invalid("the group has no name") }
        if request.instanceId?.isEmpty == true { return invalid("the static member has no name") }
        if request.rackId?.isEmpty == true { return invalid("the rack has no name") }
        if request.memberId.isEmpty, version >= 1 || request.memberEpoch != 0 {
            return invalid("the member has no id")
        }
        if request.memberEpoch < awayEpoch { return invalid("there is no member epoch \(request.memberEpoch)") }
        if request.memberEpoch == awayEpoch, request.instanceId == nil {
            return invalid("only a static member can leave temporarily")
        }
        if request.memberEpoch == 0 {
            if request.rebalanceTimeoutMs == -1 { return invalid("a joining member must send a rebalance timeout") }
            if request.topicPartitions?.isEmpty != true { return invalid("a joining member must not own partitions") }
            if request.subscribedTopicNames == nil, request.subscribedTopicRegex == nil {
                return invalid("a joining member must subscribe to topics")
            }
        }
        if let pattern = request.subscribedTopicRegex, !pattern.isEmpty, TopicPattern(pattern) == nil {
            return (.invalidRegularExpression, "'\(pattern)' isn't a regular expression")
        }
        if let assignor = request.serverAssignor, ServerAssignor(rawValue: assignor) == nil {
            return (.unsupportedAssignor, "there is no assignor '\(assignor)'")
        }
        return nil
    }

    /// - Parameters:
    ///   - clientID: The client's own name.
    ///   - topics: All existing topics.
    mutating func heartbeat(
        _ request: ConsumerGroupHeartbeatRequest, clientID: String, topics: [String: Topic], settings: GroupSettings,
        at now: ContinuousClock.Instant
    ) -> Answer {
        if request.memberEpoch < 0 { return leave(request) }
        let id = request.memberId
        var isNew = false
        switch find(request, clientID: clientID, limit: settings.maximumSize, at: now) {
        case .failure(let refusal): return Answer(error: refusal.code, message: refusal.message, memberID: id)
        case .success(let created): isNew = created
        }
        guard let index = index(of: id) else { return Answer(error: .unknownMemberId, memberID: id) }
        let before = members[index].assigned
        let hasChanged = update(index, request)
        members[index].deadline = now + settings.consumerSessionTimeout
        assignIfNeeded(isNew || hasChanged, topics: topics)
        let owned = request.topicPartitions.map { topics in
            Set(topics.flatMap { topic in topic.partitions.map { Slot(topicID: topic.topicId, partition: $0) } })
        }
        reconcile(index, owned: owned, at: now)
        // A full request gets a full answer.
        let isFull = request.memberEpoch == 0 || request.subscribedTopicNames != nil || request.rebalanceTimeoutMs >= 0
        let isNews = isFull || members[index].assigned != before
        return Answer(
            memberID: id, epoch: members[index].epoch, assignment: isNews ? members[index].assigned : nil)
    }

    private struct Refusal: Error {
        let code: ErrorCode
        let message: String
    }

    /// Finds the member of a request, or creates it.
    ///
    /// - Returns: Whether the group has to compute a new assignment.
    private mutating func find(
        _ request: ConsumerGroupHeartbeatRequest, clientID: String, limit: Int, at now: ContinuousClock.Instant
    ) -> Result<Bool, Refusal> {
        let isJoining = request.memberEpoch == 0
        func unknown() -> Result<Bool, Refusal> {
            .failure(Refusal(code: .unknownMemberId, message: "the group has no member \(request.memberId)"))
        }
        func created() -> Member {
            Member(
                id: request.memberId, instanceID: request.instanceId, clientID: clientID,
                rebalanceTimeout: .milliseconds(request.rebalanceTimeoutMs), deadline: now)
        }
        if let instance = request.instanceId {
            let known = members.firstIndex { $0.instanceID == instance }
            guard let known else {
                guard isJoining else { return unknown() }
                members.append(created())
                return .success(true)
            }
            if members[known].id != request.memberId {
                guard isJoining else {
                    return .failure(
                        Refusal(code: .fencedInstanceId, message: "another member has the name \(instance)"))
                }
                guard members[known].epoch == Self.awayEpoch else {
                    return .failure(
                        Refusal(
                            code: .unreleasedInstanceId,
                            message: "another member still uses the instance id \(instance)"))
                }
                var successor = members[known]
                successor = Member(
                    id: request.memberId, instanceID: instance, clientID: clientID, rackID: successor.rackID,
                    rebalanceTimeout: successor.rebalanceTimeout, names: successor.names, pattern: successor.pattern,
                    assignor: successor.assignor, assigned: successor.assigned, deadline: now)
                replace(known, by: successor)
                return .success(false)
            }
        } else if index(of: request.memberId) == nil {
            guard isJoining else { return unknown() }
            guard members.count < limit else {
                return .failure(Refusal(code: .groupMaxSizeReached, message: "the group is full"))
            }
            members.append(created())
            return .success(true)
        }
        guard let index = index(of: request.memberId) else { return unknown() }
        return checkEpoch(index, request).map { .failure($0) } ?? .success(false)
    }

    private func checkEpoch(_ index: Int, _ request: ConsumerGroupHeartbeatRequest) -> Refusal? {
        let member = members[index]
        let asked = request.memberEpoch
        // A member that joins again has lost its previous assignment.
        if asked == member.epoch || asked == 0 { return nil }
        if asked == member.previousEpoch, let owned = request.topicPartitions {
            // The answer with the next epoch may have been lost.
            let slots = owned.flatMap { topic in
                topic.partitions.map { Slot(topicID: topic.topicId, partition: $0) }
            }
            if member.assigned.isSuperset(of: slots) { return nil }
        }
        return Refusal(
            code: .fencedMemberEpoch, message: "the member is at epoch \(member.epoch), not at \(asked)")
    }

    /// - Returns: Whether the subscription has changed.
    private mutating func update(_ index: Int, _ request: ConsumerGroupHeartbeatRequest) -> Bool {
        var member = members[index]
        if let rack = request.rackId { member.rackID = rack }
        if request.rebalanceTimeoutMs >= 0 { member.rebalanceTimeout = .milliseconds(request.rebalanceTimeoutMs) }
        if let assignor = request.serverAssignor { member.assignor = assignor }
        if let names = request.subscribedTopicNames { member.names = names.sorted() }
        if let pattern = request.subscribedTopicRegex { member.pattern = pattern.isEmpty ? nil : pattern }
        let former = members[index]
        members[index] = member
        return former.names != member.names || former.pattern != member.pattern || former.assignor != member.assignor
    }

    private mutating func leave(_ request: ConsumerGroupHeartbeatRequest) -> Answer {
        let instance = request.instanceId
        let known =
            instance.flatMap { name in members.firstIndex { $0.instanceID == name } } ?? index(of: request.memberId)
        guard let index = known else {
            return Answer(
                error: .unknownMemberId, message: "the group has no member \(request.memberId)",
                memberID: request.memberId)
        }
        guard members[index].id == request.memberId else {
            return Answer(
                error: .fencedInstanceId, message: "another member has this name", memberID: request.memberId)
        }
        if request.memberEpoch == Self.awayEpoch {
            members[index].epoch = Self.awayEpoch
            members[index].revoking = []
            members[index].revocationDeadline = nil
        } else {
            remove(request.memberId)
        }
        return Answer(memberID: request.memberId, epoch: request.memberEpoch)
    }
}
