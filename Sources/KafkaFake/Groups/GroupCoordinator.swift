import KafkaWire

/// The groups that the brokers coordinate.
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

    /// Changes a classic group, which is made where there is none and in the place of an empty one of the other kind.
    ///
    /// - Returns: Nil where the group has members of the other kind, or there is none and none is to be made.
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

    /// The same for a group of KIP-848.
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

    /// Lets everything happen whose time has passed.
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

    /// Takes a member out of a group of either kind.
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
        /// Or the member epoch; negative for one who isn't a member.
        let generation: Int32
        var isTransactional = false
    }

    /// Whether offsets are taken from a committer; a group that has only offsets is made by that.
    ///
    /// - Parameter version: Of OffsetCommit, at most 8 before Kafka 4, which knows GROUP_ID_NOT_FOUND here; nil for TxnOffsetCommit.
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
            // TxnOffsetCommit has no word for a member epoch.
            return error == .staleMemberEpoch && committer.isTransactional ? .illegalGeneration : error
        }
    }

    /// Whether a group's member may see its offsets.
    func checkFetch(_ name: String, memberID: String?, epoch: Int32) -> ErrorCode {
        guard case .consumer(let group) = groups[name] else { return .none }
        return group.check(memberID ?? "", epoch: epoch, isFetch: true)
    }
}
