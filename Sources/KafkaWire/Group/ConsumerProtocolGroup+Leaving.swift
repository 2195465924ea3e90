// Leaving the group, and the state of the membership.
extension ConsumerProtocolGroup {
    func leave(by deadline: ContinuousClock.Instant) async -> [KafkaError] {
        if let leaving { return await leaving.value }
        let task = background("leaving the group") { await self.leaveOnce(by: deadline) }
        leaving = task
        return await task.value
    }

    private func leaveOnce(by deadline: ContinuousClock.Instant) async -> [KafkaError] {
        // The coordinator may already know this member even if the first heartbeat was not answered yet.
        let isMember = machine.sendsHeartbeats && mayHaveJoined
        leavesBy = deadline
        handle(.closing)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        var errors = await partitions.revokeAll(Set(owned.keys), areLost: machine.epoch == 0, by: deadline)
        owned = [:]
        if !hasFailed { handle(.closed) }
        heartbeats?.cancel()
        await heartbeats?.value
        if isMember, let error = await sendLeave(by: deadline) { errors.append(error) }
        return errors
    }

    var isLeaving: Bool { leavesBy != nil }

    var state: MembershipState {
        switch machine.state {
        case .failed(let error): .failed(error)
        case .joining, .fenced, .left: .joining
        case .stable, .reconciling, .leaving: .member
        }
    }

    func fail(_ error: KafkaError) async {
        let deadline = cluster.timing.now() + CloseReport.defaultLimit
        _ = await partitions.revokeAll(Set(owned.keys), areLost: true, by: deadline)
        owned = [:]
        if mayHaveJoined { await sendLeave(by: deadline) }
        partitions.fail(error)
    }

    /// Leaves the group with a heartbeat of epoch -1, or -2 for a static member, which may return.
    ///
    /// - Returns: The error if the coordinator did not confirm. The member's session then times out. nil on success.
    @discardableResult
    func sendLeave(by deadline: ContinuousClock.Instant) async -> KafkaError? {
        let request = ConsumerGroupHeartbeatRequest(
            groupId: groupID, memberId: machine.memberID, memberEpoch: configuration.groupInstanceID == nil ? -1 : -2,
            instanceId: configuration.groupInstanceID)
        return await partitions.leave(by: deadline) { coordinator in
            _ = try await coordinator.call(request, within: GroupPartitions.leaveLimit)
        }
    }
}
