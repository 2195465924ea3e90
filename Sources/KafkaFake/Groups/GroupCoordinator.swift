import KafkaWire

/// The groups of the cluster.
struct GroupCoordinator {
    enum Group {
        case classic(ClassicGroup)
        case consumer(ConsumerGroup)
    }

    var settings = GroupSettings()
    private(set) var groups: [String: Group] = [:]

    mutating func remove(_ name: String) {
        groups[name] = nil
    }

    /// Changes a classic group. With `makes`, a missing group is created, and an empty group of the other type
    /// replaced.
    ///
    /// - Returns: Nil if the group has members of the other type, or does not exist and is not created.
    mutating func classic<Result>(
        _ name: String, makes: Bool = false, _ body: (inout ClassicGroup) -> Result
    ) -> Result? {
        var group: ClassicGroup
        switch groups[name] {
        case .classic(let known): group = known
        case .consumer(let other) where makes && other.members.isEmpty: group = ClassicGroup()
        case nil where makes: group = ClassicGroup()
        case .consumer, nil: return nil
        }
        defer { groups[name] = .classic(group) }
        return body(&group)
    }

    /// Does the same for a KIP-848 group.
    mutating func consumer<Result>(
        _ name: String, makes: Bool = false, _ body: (inout ConsumerGroup) -> Result
    ) -> Result? {
        var group: ConsumerGroup
        switch groups[name] {
        case .consumer(let known): group = known
        case .classic(let other) where makes && other.members.isEmpty: group = ConsumerGroup()
        case nil where makes: group = ConsumerGroup()
        case .classic, nil: return nil
        }
        defer { groups[name] = .consumer(group) }
        return body(&group)
    }

    /// Handles everything that has expired by `now`.
    mutating func expire(at now: ContinuousClock.Instant) {
        for (name, group) in groups {
            switch group {
            case .classic(var group):
                guard let deadline = group.nextDeadline, deadline <= now else { continue }
                group.expire(at: now)
                groups[name] = .classic(group)
            case .consumer(var group):
                guard let deadline = group.nextDeadline, deadline <= now else { continue }
                group.expire(at: now)
                groups[name] = .consumer(group)
            }
        }
    }

    /// Removes a member from a group of either type.
    mutating func leave(
        _ name: String, _ id: String, instanceID: String?, at now: ContinuousClock.Instant
    ) -> ErrorCode {
        switch groups[name] {
        case nil: return .unknownMemberId
        case .classic(var group):
            defer { groups[name] = .classic(group) }
            return group.leave(id, instanceID: instanceID, at: now)
        case .consumer(var group):
            defer { groups[name] = .consumer(group) }
            let index =
                instanceID.map { name in group.members.firstIndex { $0.instanceID == name } } ?? group.index(of: id)
            guard let index else { return .unknownMemberId }
            guard id.isEmpty || group.members[index].id == id else { return .fencedInstanceId }
            group.remove(group.members[index].id)
            return .none
        }
    }

    // MARK: Offsets

    struct Committer {
        let memberID: String
        let instanceID: String?
        /// The generation or the member epoch; negative if the client is not a member.
        let generation: Int32
        var isTransactional = false
    }

    /// Checks whether a client may commit offsets. The commit creates a group that holds only offsets.
    ///
    /// - Parameter version: The version of OffsetCommit, but at most 8 on brokers before Kafka 4, which do not return
    ///   GROUP_ID_NOT_FOUND here; nil for TxnOffsetCommit.
    mutating func checkCommit(
        _ name: String, _ committer: Committer, version: Int16?, at now: ContinuousClock.Instant
    ) -> ErrorCode {
        switch groups[name] {
        case nil:
            if committer.generation < 0 {
                groups[name] = .classic(ClassicGroup())
                return .none
            }
            return version.map { $0 >= 9 } == true ? .groupIdNotFound : .illegalGeneration
        case .classic(var group):
            defer { groups[name] = .classic(group) }
            return group.checkCommit(
                committer.memberID, instanceID: committer.instanceID, generation: committer.generation,
                isTransactional: committer.isTransactional, at: now)
        case .consumer(let group):
            let error = group.check(
                committer.memberID, epoch: committer.generation, isTransactional: committer.isTransactional)
            if error == .none, !committer.isTransactional, let version, version < 9, !group.members.isEmpty {
                return .unsupportedVersion
            }
            // TxnOffsetCommit has no error for a stale member epoch.
            return error == .staleMemberEpoch && committer.isTransactional ? .illegalGeneration : error
        }
    }

    /// Checks whether a member may fetch the group's offsets.
    func checkFetch(_ name: String, memberID: String?, epoch: Int32) -> ErrorCode {
        guard case .consumer(let group) = groups[name] else { return .none }
        return group.check(memberID ?? "", epoch: epoch, isFetch: true)
    }
}
