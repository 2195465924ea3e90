import KafkaWire

// The requests of a classic group's members.
extension ClassicGroup {
    struct Join {
        /// Empty if the client is not a member yet.
        let memberID: String
        let instanceID: String?
        let clientID: String
        let sessionTimeout: Duration
        let rebalanceTimeout: Duration
        let protocolType: String
        let strategies: [Strategy]
        /// Whether a client first gets an id and then joins with it (KIP-394).
        let requiresMemberID: Bool
        /// Whether the answer can make the leader keep the existing assignment (KIP-814).
        let canSkipAssignment: Bool
        let settings: GroupSettings
    }

    // MARK: JoinGroup

    /// - Parameter freshID: A unique id for a new member.
    mutating func join(_ join: Join, freshID: String, at now: ContinuousClock.Instant) -> Reply<JoinAnswer> {
        func refused(_ error: ErrorCode) -> Reply<JoinAnswer> {
            .now(JoinAnswer(error: error, memberID: join.memberID))
        }
        guard supports(join.protocolType, join.strategies) else { return refused(.inconsistentGroupProtocol) }
        guard !join.memberID.isEmpty else { return joinAnew(join, freshID, at: now) }
        if promised.removeValue(forKey: join.memberID) != nil { return add(join, id: join.memberID, at: now) }
        let error = check(join.memberID, instanceID: join.instanceID)
        guard error == .none, let index = index(of: join.memberID) else { return refused(error) }
        let hasChanged = members[index].strategies != join.strategies
        switch phase {
        case .preparingRebalance: return update(index, join, at: now)
        // The previous answer may have been lost.
        case .completingRebalance where !hasChanged: break
        // A leader that joins again requests a new assignment.
        case .stable where !hasChanged && leader != join.memberID: break
        case .completingRebalance, .stable:
            let reply = update(index, join, at: now)
            prepareRebalance(at: now)
            return reply
        case .empty: return refused(.unknownMemberId)
        }
        extendSession(of: index, at: now)
        return .now(currentAnswer(for: join.memberID))
    }

    private mutating func joinAnew(_ join: Join, _ freshID: String, at now: ContinuousClock.Instant) -> Reply<
        JoinAnswer
    > {
        let id = "\(join.instanceID ?? join.clientID)-\(freshID)"
        if let index = index(ofInstance: join.instanceID) { return replace(index, join, id: id, at: now) }
        guard members.count + promised.count < join.settings.maximumSize else {
            return .now(JoinAnswer(error: .groupMaxSizeReached))
        }
        guard join.requiresMemberID, join.instanceID == nil else { return add(join, id: id, at: now) }
        promised[id] = now + join.sessionTimeout
        return .now(JoinAnswer(error: .memberIdRequired, memberID: id))
    }

    private mutating func add(_ join: Join, id: String, at now: ContinuousClock.Instant) -> Reply<JoinAnswer> {
        let ticket = nextTicket()
        if members.isEmpty { protocolType = join.protocolType }
        members.append(
            Member(
                id: id, instanceID: join.instanceID, clientID: join.clientID, sessionTimeout: join.sessionTimeout,
                rebalanceTimeout: join.rebalanceTimeout, strategies: join.strategies,
                deadline: now + join.sessionTimeout, joinTicket: ticket))
        if leader == nil { leader = id }
        if phase == .preparingRebalance {
            if initialDelayEnd != nil {
                let latest = joinDeadline ?? now
                initialDelayEnd = min(now + join.settings.initialRebalanceDelay, latest)
            }
            completeJoinIfAll(at: now)
        } else {
            prepareRebalance(at: now, initialDelay: join.settings.initialRebalanceDelay)
        }
        return .later(ticket: ticket)
    }

    private mutating func update(_ index: Int, _ join: Join, at now: ContinuousClock.Instant) -> Reply<JoinAnswer> {
        let ticket = nextTicket()
        members[index].strategies = join.strategies
        members[index].sessionTimeout = join.sessionTimeout
        members[index].rebalanceTimeout = join.rebalanceTimeout
        members[index].joinTicket = ticket
        completeJoinIfAll(at: now)
        return .later(ticket: ticket)
    }

    /// Replaces a static member with its restarted successor. The old member id becomes invalid.
    private mutating func replace(
        _ index: Int, _ join: Join, id: String, at now: ContinuousClock.Instant
    ) -> Reply<JoinAnswer> {
        let former = members[index]
        if let ticket = former.joinTicket {
            joinAnswers[ticket] = JoinAnswer(error: .fencedInstanceId, memberID: former.id)
        }
        if let ticket = former.syncTicket { syncAnswers[ticket] = SyncAnswer(error: .fencedInstanceId) }
        members[index] = Member(
            id: id, instanceID: former.instanceID, clientID: join.clientID, sessionTimeout: join.sessionTimeout,
            rebalanceTimeout: join.rebalanceTimeout, strategies: join.strategies, assignment: former.assignment,
            deadline: now + join.sessionTimeout)
        let wasLeader = leader == former.id
        if wasLeader { leader = id }
        guard phase == .stable, selectedStrategy == strategy else {
            let ticket = nextTicket()
            members[index].joinTicket = ticket
            if phase == .preparingRebalance { completeJoinIfAll(at: now) } else { prepareRebalance(at: now) }
            return .later(ticket: ticket)
        }
        // Nothing changes for the other members: the successor continues with the same assignment.
        var answer = currentAnswer(for: id)
        if wasLeader {
            answer.skipsAssignment = join.canSkipAssignment
            if !join.canSkipAssignment {
                // A client that does not know KIP-814 must not consider itself the leader, or it would assign.
                answer.leader = former.id
                answer.members = []
            }
        }
        return .now(answer)
    }

    // MARK: SyncGroup

    struct Sync {
        let memberID: String
        let instanceID: String?
        let generation: Int32
        /// Nil before version 5.
        let protocolType: String?
        let strategy: String?
        /// The assignment of each member; only the leader sends it.
        let assignments: [String: ByteSlice]
    }

    mutating func sync(_ sync: Sync, at now: ContinuousClock.Instant) -> Reply<SyncAnswer> {
        func refused(_ error: ErrorCode) -> Reply<SyncAnswer> { .now(SyncAnswer(error: error)) }
        let error = check(sync.memberID, instanceID: sync.instanceID)
        guard error == .none, let index = index(of: sync.memberID) else { return refused(error) }
        guard sync.generation == generation else { return refused(.illegalGeneration) }
        guard sync.protocolType ?? protocolType == protocolType, sync.strategy ?? strategy == strategy else {
            return refused(.inconsistentGroupProtocol)
        }
        switch phase {
        case .empty: return refused(.unknownMemberId)
        case .preparingRebalance: return refused(.rebalanceInProgress)
        case .stable:
            members[index].hasToSync = false
            extendSession(of: index, at: now)
            return .now(SyncAnswer(assignment: members[index].assignment))
        case .completingRebalance: break
        }
        let ticket = nextTicket()
        members[index].syncTicket = ticket
        members[index].hasToSync = false
        guard sync.memberID == leader else { return .later(ticket: ticket) }
        phase = .stable
        for index in members.indices {
            members[index].assignment = sync.assignments[members[index].id] ?? ByteSlice([])
            guard let ticket = members[index].syncTicket else { continue }
            members[index].syncTicket = nil
            syncAnswers[ticket] = SyncAnswer(assignment: members[index].assignment)
            extendSession(of: index, at: now)
        }
        return .later(ticket: ticket)
    }

    // MARK: Heartbeat, LeaveGroup and commits

    mutating func heartbeat(
        _ id: String, instanceID: String?, generation: Int32, at now: ContinuousClock.Instant
    ) -> ErrorCode {
        let error = check(id, instanceID: instanceID)
        guard error == .none, let index = index(of: id) else { return error }
        guard generation == self.generation else { return .illegalGeneration }
        extendSession(of: index, at: now)
        return phase == .preparingRebalance ? .rebalanceInProgress : .none
    }

    /// - Parameter id: May be empty for a static member.
    mutating func leave(_ id: String, instanceID: String?, at now: ContinuousClock.Instant) -> ErrorCode {
        if let instanceID {
            guard let index = index(ofInstance: instanceID) else { return .unknownMemberId }
            guard id.isEmpty || members[index].id == id else { return .fencedInstanceId }
            remove(members[index].id, at: now)
            return .none
        }
        guard promised[id] != nil || index(of: id) != nil else { return .unknownMemberId }
        remove(id, at: now)
        return .none
    }

    /// Checks whether this member may commit offsets.
    mutating func checkCommit(
        _ id: String, instanceID: String?, generation: Int32, isTransactional: Bool, at now: ContinuousClock.Instant
    ) -> ErrorCode {
        if generation < 0, phase == .empty { return .none }
        if generation >= 0 || !id.isEmpty || instanceID != nil {
            let error = check(id, instanceID: instanceID)
            guard error == .none else { return error }
            guard generation == self.generation else { return .illegalGeneration }
        } else if !isTransactional, phase != .empty {
            return .unknownMemberId
        }
        guard !isTransactional else { return .none }
        if phase == .completingRebalance { return .rebalanceInProgress }
        if let index = index(of: id) { extendSession(of: index, at: now) }
        return .none
    }
}
