// Leaving the group, and the state of the membership.
extension ClassicGroup {
    func leave(by deadline: ContinuousClock.Instant) async -> [KafkaError] {
        if let leaving { return await leaving.value }
        let task = background("leaving the group") { await self.leaveOnce(by: deadline) }
        leaving = task
        return await task.value
    }

    private func leaveOnce(by deadline: ContinuousClock.Instant) async -> [KafkaError] {
        leavesBy = deadline
        for task in tasks { task.cancel() }
        if !needsGeneration { await stopSteps() }
        for task in tasks { await task.value }
        var errors = await partitions.revokeAll(owned, areLost: machine.hasLost, by: deadline)
        owned = []
        let sender = machine.identity
        if !hasFailed { handle(.closed) }
        await stopSteps()
        heartbeats?.cancel()
        await heartbeats?.value
        if let error = await sendLeave(sender, reason: "the consumer is being closed", by: deadline) {
            errors.append(error)
        }
        await partitions.coordinator.close()
        return errors
    }

    var isLeaving: Bool { leavesBy != nil }

    /// Whether a rebalance is in progress in which this member keeps its partitions.
    ///
    /// The coordinator may then be at a later generation than the member. It accepts a commit only after the member has
    /// joined and received its assignment.
    private var needsGeneration: Bool {
        switch machine.state {
        case .joining, .syncing: !owned.isEmpty && !machine.hasLost
        default: false
        }
    }

    private func stopSteps() async {
        steps?.cancel()
        await steps?.value
    }

    var state: MembershipState {
        switch machine.state {
        case .failed(let error): .failed(error)
        case .joining, .syncing, .left: .joining
        case .preparing, .adopting, .stable: machine.identity.generation < 0 ? .joining : .member
        }
    }

    func fail(_ error: KafkaError) async {
        let areLost = machine.hasLost || error.code == .fencedInstanceId
        let deadline = cluster.timing.now() + CloseReport.defaultLimit
        _ = await partitions.revokeAll(owned, areLost: areLost, by: deadline)
        owned = []
        await sendLeave(machine.identity, reason: "the member has failed", by: deadline)
        await partitions.coordinator.close()
        partitions.fail(error)
    }

    /// Sends LeaveGroup.
    ///
    /// A static member sends nothing: it keeps its partitions until it returns or its session times out (KIP-345).
    ///
    /// - Returns: The error if the coordinator did not confirm. The member's session then times out. nil on success.
    @discardableResult
    func sendLeave(
        _ sender: ClassicMember.Identity, reason: String, by deadline: ContinuousClock.Instant
    ) async -> KafkaError? {
        guard !sender.memberID.isEmpty, configuration.groupInstanceID == nil else { return nil }
        let groupID = groupID
        return await partitions.leave(by: deadline) { coordinator in
            let takesSeveral =
                try await coordinator.connection(role: .general).version(for: LeaveGroupRequest.self) >= 3
            let request =
                takesSeveral
                ? LeaveGroupRequest(
                    groupId: groupID,
                    members: [LeaveGroupRequest.MemberIdentity(memberId: sender.memberID, reason: reason)])
                : LeaveGroupRequest(groupId: groupID, memberId: sender.memberID)
            _ = try await coordinator.call(request, within: GroupPartitions.leaveLimit)
        }
    }
}
