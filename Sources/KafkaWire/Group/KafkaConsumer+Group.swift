/// What a consumer has to do with a group.
struct ConsumerGroupPart: Sendable {
    /// Nil where `group.id` isn't set.
    let offsets: GroupOffsets?
    let identity: GroupIdentity?
    var partitions: GroupPartitions?
    var membership: (any GroupMembership)?

    init(cluster: Cluster) {
        guard let groupID = cluster.configuration.group.groupID else {
            (offsets, identity) = (nil, nil)
            return
        }
        let identity = GroupIdentity(groupID: groupID, instanceID: cluster.configuration.group.instanceID)
        self.identity = identity
        offsets = GroupOffsets(
            cluster: cluster, coordinator: GroupCoordinator(cluster: cluster, groupID: groupID), groupID: groupID,
            identity: identity)
    }
}

extension KafkaConsumer {
    /// Becomes a member of the group `group.id`, and reads what the group gives it of these topics.
    ///
    /// ```swift
    /// let consumer = client.consumer()
    /// try await consumer.subscribe(to: .topics(["TFI"]))
    /// for try await batch in consumer { … }
    /// await consumer.close()
    /// ```
    /// The member reads each partition from the group's committed offset, or from where `auto.offset.reset` says. A
    /// batch counts as processed when the next one is asked for; what was processed is committed every
    /// `auto.commit.interval.ms`, and before its partition becomes another member's, unless `enable.auto.commit` is
    /// off. Before partitions are given up, the member waits until the application asks for the next batch, or record.
    ///
    /// An application that takes longer than `max.poll.interval.ms` for a batch loses its partitions, and gets some
    /// again when it comes back. An error that ends the membership is thrown by the next step of the sequence.
    ///
    /// Partitions that were assigned by hand are dropped. A consumer that is subscribed already changes its
    /// subscription.
    ///
    /// - Parameters:
    ///   - subscription: Topics by their names, or by a regular expression.
    ///   - onRebalance: Called when partitions come and go.
    /// - Throws: INVALID_GROUP_ID where `group.id` isn't set.
    public func subscribe(
        to subscription: Subscription, onRebalance: @escaping RebalanceHandler = { _ in }
    ) async throws(KafkaError) {
        let (offsets, identity) = try group()
        let known = groupPart.withLock { ($0.membership, $0.partitions) }
        if let membership = known.0, let partitions = known.1 {
            if await !membership.hasFailed {
                partitions.setHandler(onRebalance)
                return await membership.change(subscription)
            }
            await membership.leave()
        }
        let partitions = GroupPartitions(
            cluster: cluster, offsets: offsets, fetcher: fetcher, buffer: buffer, handler: onRebalance)
        let membership: any GroupMembership =
            switch cluster.configuration.group.groupProtocol {
            case .classic: ClassicGroup(partitions: partitions, identity: identity, subscription: subscription)
            case .consumer:
                ConsumerProtocolGroup(partitions: partitions, identity: identity, subscription: subscription)
            }
        await fetcher.assign([:])
        groupPart.withLock { part in
            part.membership = membership
            part.partitions = partitions
        }
        await membership.begin()
    }

    /// Leaves the group; nothing is read until the consumer subscribes or is assigned partitions again.
    ///
    /// What was processed is committed where `enable.auto.commit` is on.
    public func unsubscribe() async {
        guard let membership = groupPart.withLock({ $0.membership }) else { return }
        await membership.leave()
        groupPart.withLock { part in
            guard part.membership === membership else { return }
            (part.membership, part.partitions) = (nil, nil)
            part.identity?.become(memberID: "", generation: -1)
        }
    }

    /// Commits for the group everything that was handed out, the batch at hand among it: who calls this is done with it.
    ///
    /// - Throws: INVALID_GROUP_ID where `group.id` isn't set. ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID
    ///   and the like where the partitions may be another member's already, or the consumer is closed, so that what was
    ///   done may be done again. What else the coordinator refuses, after retries for `default.api.timeout.ms`.
    public func commit() async throws {
        let (group, _) = try group()
        if let partitions = groupPart.withLock({ $0.partitions }) {
            try await partitions.commitAll()
        } else {
            guard !buffer.isFinished, let done = buffer.finishHandout() else { throw group.notAMember }
            try await group.commit(done).check()
        }
    }

    /// Commits offsets for the group.
    ///
    /// Works without a subscription too, as long as the group has no members.
    ///
    /// - Parameter offsets: For each partition the offset to go on with: one after the last record that is done.
    /// - Throws: As `commit()` does.
    public func commit(_ offsets: [TopicPartition: OffsetAndMetadata]) async throws {
        let (group, identity) = try group()
        if let partitions = groupPart.withLock({ $0.partitions }) {
            try await partitions.commit(offsets)
        } else {
            let ids = identity.topicIDs(of: offsets.keys)
            let commits = offsets.reduce(into: [:]) { commits, entry in
                commits[entry.key] = TopicOffset(offset: entry.value, topicID: ids[entry.key] ?? .zero)
            }
            try await group.commit(commits).check()
        }
    }

    /// The group's committed offsets of partitions; those without one are left out.
    ///
    /// Where a transaction that commits any of them is under way its outcome is waited for (KIP-447), for
    /// `default.api.timeout.ms` at most.
    ///
    /// - Throws: INVALID_GROUP_ID where `group.id` isn't set, and what the coordinator refuses.
    public func committed(
        _ partitions: some Sequence<TopicPartition>
    ) async throws -> [TopicPartition: OffsetAndMetadata] {
        try await group().offsets.fetch(Array(partitions))
    }

    /// As what the coordinator knows this consumer: what a transaction carries that commits its offsets (KIP-447). Nil
    /// where `group.id` isn't set.
    ///
    /// The generation of a member that reads on may change meanwhile, so ask for it right before the offsets are sent.
    /// One that was put out, or has left, keeps the last that it had, which the coordinator refuses; so that a
    /// transaction doesn't commit over whoever has its partitions now.
    public var groupMetadata: ConsumerGroupMetadata? { groupPart.withLock { $0.identity }?.ofReader }

    private func group() throws(KafkaError) -> (offsets: GroupOffsets, identity: GroupIdentity) {
        let part = groupPart.withLock { $0 }
        guard let offsets = part.offsets, let identity = part.identity else {
            throw KafkaError(.invalidGroupId, "the consumer belongs to no group: set group.id")
        }
        return (offsets, identity)
    }
}
