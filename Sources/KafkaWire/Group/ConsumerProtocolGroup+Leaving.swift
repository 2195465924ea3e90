// How a member leaves, and what it reports of itself.
extension ConsumerProtocolGroup {
    func leave(by deadline: ContinuousClock.Instant) async -> [KafkaError] {
        if let leaving { return await leaving.value }
        let task = background("leaving the group") { await self.leaveOnce(by: deadline) }
        leaving = task
        return await task.value
    }

    private func leaveOnce(by deadline: ContinuousClock.Instant) async -> [KafkaError] {
        // If the answer to the first heartbeat is still on its way, the coordinator may know this member already.
        let isMember = machine.sendsHeartbeats && hasSpoken
        leavesBy = deadline
        handle(.closing)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        var errors = await partitions.giveUpAll(Set(owned.keys), areLost: machine.epoch == 0, by: deadline)
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
        _ = await partitions.giveUpAll(Set(owned.keys), areLost: true, by: deadline)
        owned = [:]
        if hasSpoken { await sendLeave(by: deadline) }
        partitions.fail(error)
    }

    /// Leaves the group. A static member tells that it will be back (epoch -2).
    ///
    /// - Returns: The reason why the coordinator does not know that the member has left; its session ends later.
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
