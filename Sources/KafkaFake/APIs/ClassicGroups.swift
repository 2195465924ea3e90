import KafkaWire

// JoinGroup, SyncGroup, Heartbeat and LeaveGroup.
extension APICall {
    // MARK: JoinGroup

    func joinGroup(_ request: JoinGroupRequest) -> Reply<JoinGroupResponse> {
        func answer(_ answer: ClassicGroup.JoinAnswer) -> Reply<JoinGroupResponse> {
            .response(
                JoinGroupResponse(
                    errorCode: answer.error.rawValue, generationId: answer.generation,
                    protocolType: version >= 7 && answer.error == .none ? request.protocolType : nil,
                    protocolName: answer.strategy ?? (version >= 7 ? nil : ""), leader: answer.leader,
                    skipAssignment: answer.skipsAssignment, memberId: answer.memberID,
                    members: answer.members.map {
                        JoinGroupResponse.JoinGroupResponseMember(
                            memberId: $0.id, groupInstanceId: version >= 5 ? $0.instanceID : nil,
                            metadata: $0.metadata)
                    }))
        }
        func refused(_ code: ErrorCode) -> Reply<JoinGroupResponse> {
            answer(ClassicGroup.JoinAnswer(error: code, memberID: request.memberId))
        }
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        let reply = state.withLock { join(request, &$0) }
        state.notifyAll()
        switch reply {
        case .now(let now): return refusal.map { refused($0.code) } ?? answer(now)
        case .later(let ticket):
            let later = waitForAnswer(in: request.groupId) {
                $0.joinAnswers.removeValue(forKey: ticket)
            } isAwaited: {
                $0.members.contains { $0.joinTicket == ticket }
            }
            guard let later else { return .hangUp }
            return refusal.map { refused($0.code) } ?? answer(later)
        }
    }

    private func join(_ request: JoinGroupRequest, _ state: inout ClusterState)
        -> ClassicGroup.Reply<
            ClassicGroup.JoinAnswer
        >
    {
        func refused(_ code: ErrorCode) -> ClassicGroup.Reply<ClassicGroup.JoinAnswer> {
            .now(ClassicGroup.JoinAnswer(error: code, memberID: request.memberId))
        }
        if request.groupId.isEmpty { return refused(.invalidGroupId) }
        if let error = coordinationError(.group(request.groupId), state) { return refused(error) }
        let settings = state.groups.settings
        let sessionTimeout = Duration.milliseconds(request.sessionTimeoutMs)
        guard settings.sessionTimeouts.contains(sessionTimeout) else { return refused(.invalidSessionTimeout) }
        let join = ClassicGroup.Join(
            memberID: request.memberId, instanceID: request.groupInstanceId, clientID: clientID ?? "",
            sessionTimeout: sessionTimeout,
            // Version 0 has only one timeout.
            rebalanceTimeout: version >= 1 ? .milliseconds(request.rebalanceTimeoutMs) : sessionTimeout,
            protocolType: request.protocolType,
            strategies: request.protocols.map { ClassicGroup.Strategy(name: $0.name, metadata: $0.metadata) },
            requiresMemberID: version >= 4, canSkipAssignment: version >= 9, settings: settings)
        // An unknown member does not create a group.
        let makes = request.memberId.isEmpty
        let id = KafkaUUID.random().description
        let now = state.clock.now
        let reply = state.groups.classic(request.groupId, makes: makes) { $0.join(join, freshID: id, at: now) }
        return reply ?? refused(makes ? .inconsistentGroupProtocol : .unknownMemberId)
    }

    /// Waits for the answer to a JoinGroup or SyncGroup that the group has deferred.
    ///
    /// - Parameters:
    ///   - take: Takes the answer if it is ready.
    ///   - isAwaited: Whether the answer can still come.
    /// - Returns: Nil if no answer will come: the broker stops, or the member has sent another request.
    private func waitForAnswer<Answer>(
        in group: String, take: (inout ClassicGroup) -> Answer?, isAwaited: (ClassicGroup) -> Bool
    ) -> Answer? {
        let answer: Answer? = state.wait { state in
            if isStopping() { return .result(nil) }
            state.expire()
            let look = state.groups.classic(group) { group -> Monitor<ClusterState>.Look<Answer?> in
                if let answer = take(&group) { return .result(answer) }
                guard isAwaited(group) else { return .result(nil) }
                return .again(state.clock.wakeUp(for: group.nextDeadline))
            }
            return look ?? .result(nil)
        }
        // A timeout handled here may concern other waiting requests.
        state.notifyAll()
        return answer
    }

    // MARK: SyncGroup

    func syncGroup(_ request: SyncGroupRequest) -> Reply<SyncGroupResponse> {
        func refused(_ code: ErrorCode) -> Reply<SyncGroupResponse> {
            .response(SyncGroupResponse(errorCode: code.rawValue))
        }
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        let sync = ClassicGroup.Sync(
            memberID: request.memberId, instanceID: request.groupInstanceId, generation: request.generationId,
            protocolType: request.protocolType, strategy: request.protocolName,
            assignments: Dictionary(
                request.assignments.map { ($0.memberId, $0.assignment) }, uniquingKeysWith: { _, last in last }))
        var reply = state.withLock { state -> ClassicGroup.Reply<ClassicGroup.SyncAnswer> in
            if request.groupId.isEmpty { return .now(ClassicGroup.SyncAnswer(error: .invalidGroupId)) }
            if let error = coordinationError(.group(request.groupId), state) {
                return .now(ClassicGroup.SyncAnswer(error: error))
            }
            let now = state.clock.now
            return state.groups.classic(request.groupId) { $0.sync(sync, at: now) }
                ?? .now(ClassicGroup.SyncAnswer(error: .unknownMemberId))
        }
        state.notifyAll()
        if case .later(let ticket) = reply {
            let later = waitForAnswer(in: request.groupId) {
                $0.syncAnswers.removeValue(forKey: ticket)
            } isAwaited: {
                $0.members.contains { $0.syncTicket == ticket }
            }
            guard let later else { return .hangUp }
            reply = .now(later)
        }
        guard case .now(let answer) = reply else { return .hangUp }
        if let refusal { return refused(refusal.code) }
        guard answer.error == .none else { return refused(answer.error) }
        let (type, name) = state.withLock { state in
            state.groups.classic(request.groupId) { ($0.protocolType, $0.strategy) } ?? (nil, nil)
        }
        return .response(
            SyncGroupResponse(
                protocolType: version >= 5 ? type : nil, protocolName: version >= 5 ? name : nil,
                assignment: answer.assignment))
    }

    // MARK: Heartbeat and LeaveGroup

    func heartbeat(_ request: HeartbeatRequest) -> Reply<HeartbeatResponse> {
        if let refusal, !refusal.isAfterwards { return .response(HeartbeatResponse(errorCode: refusal.code.rawValue)) }
        return state.withLock { state in
            var error = request.groupId.isEmpty ? ErrorCode.invalidGroupId : .none
            if error == .none { error = coordinationError(.group(request.groupId), state) ?? .none }
            let now = state.clock.now
            if error == .none {
                error =
                    state.groups.classic(request.groupId) {
                        $0.heartbeat(
                            request.memberId, instanceID: request.groupInstanceId, generation: request.generationId,
                            at: now)
                    } ?? .unknownMemberId
            }
            return .response(HeartbeatResponse(errorCode: (refusal?.code ?? error).rawValue))
        }
    }

    func leaveGroup(_ request: LeaveGroupRequest) -> Reply<LeaveGroupResponse> {
        func refused(_ code: ErrorCode) -> Reply<LeaveGroupResponse> {
            .response(LeaveGroupResponse(errorCode: code.rawValue))
        }
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        defer { state.notifyAll() }
        return state.withLock { state in
            if request.groupId.isEmpty { return refused(.invalidGroupId) }
            if let error = coordinationError(.group(request.groupId), state) { return refused(error) }
            let leaving =
                version >= 3 ? request.members.map { ($0.memberId, $0.groupInstanceId) } : [(request.memberId, nil)]
            let now = state.clock.now
            let members = leaving.map { id, instance in
                let error = state.groups.leave(request.groupId, id, instanceID: instance, at: now)
                return LeaveGroupResponse.MemberResponse(
                    memberId: id, groupInstanceId: instance, errorCode: error.rawValue)
            }
            if let refusal { return refused(refusal.code) }
            guard version < 3 else { return .response(LeaveGroupResponse(members: members)) }
            return .response(LeaveGroupResponse(errorCode: members.first?.errorCode ?? 0))
        }
    }
}
