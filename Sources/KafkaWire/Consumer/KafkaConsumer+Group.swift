/// A consumer's relation to its group: offsets, identity, and the membership if it has subscribed.
struct ConsumerGroupPart: Sendable {
    /// nil without a group.
    let offsets: GroupOffsets?
    let identity: GroupIdentity?
    var partitions: GroupPartitions?
    var membership: (any GroupMembership)?

    init(cluster: Cluster, configuration: GroupConfiguration) {
        guard let groupID = configuration.groupID else {
            (offsets, identity) = (nil, nil)
            return
        }
        let identity = GroupIdentity(groupID: groupID, instanceID: configuration.groupInstanceID)
        self.identity = identity
        offsets = GroupOffsets(
            cluster: cluster, coordinator: GroupCoordinator(cluster: cluster, groupID: groupID), groupID: groupID,
            identity: identity)
    }
}

extension KafkaConsumer {
    /// Joins the group `group.id`, and reads the partitions of these topics that the group assigns to it.
    ///
    /// ```swift
    /// let consumer = client.consumer()
    /// try await consumer.subscribe(to: .topics(["TFI"]))
    /// for try await batch in consumer { … }
    /// await consumer.close()
    /// ```
    /// The member reads each partition from the group's committed offset, or as `auto.offset.reset` says. A batch counts
    /// as processed when the application asks for the next one. Unless `enable.auto.commit` is off, processed offsets are
    /// committed every `auto.commit.interval.ms`, and before a partition is revoked. Before the member revokes partitions, it
    /// waits until the application asks for the next batch or record.
    ///
    /// If the application takes longer than `max.poll.interval.ms` for a batch, the member loses its partitions. It joins
    /// again when the application asks for the next batch. An error that ends the membership is thrown by the next step of
    /// the sequence.
    ///
    /// Partitions that were assigned by hand are dropped. If the consumer is subscribed already, this changes the
    /// subscription.
    ///
    /// - Parameters:
    ///   - subscription: Topics by their names, or by a regular expression.
    ///   - onRebalance: Called when partitions are assigned, revoked or lost.
    /// - Throws: INVALID_CONFIG if the consumer's settings are invalid. INVALID_GROUP_ID if it has no group.
    ///   OPERATION_NOT_ATTEMPTED if a rebalance handler calls this after the membership has failed, or while the consumer
    ///   leaves its group.
    public nonisolated(nonsending) func subscribe(
        to subscription: Subscription, onRebalance: @escaping RebalanceHandler = { _ in }
    ) async throws(KafkaError) {
        let (offsets, identity) = try group()
        let known = groupPart.withLock { ($0.membership, $0.partitions) }
        if let membership = known.0, let partitions = known.1 {
            if await membership.change(subscription, onRebalance) { return }
            if partitions.isInHandler { throw inHandler("subscribe") }
            _ = await leave(membership, within: CloseReport.defaultLimit)
        }
        let partitions = GroupPartitions(
            cluster: cluster, configuration: settings.group, offsets: offsets, fetcher: fetcher, buffer: buffer,
            handler: onRebalance)
        let membership: any GroupMembership =
            switch settings.group.groupProtocol {
            case .consumer:
                ConsumerProtocolGroup(partitions: partitions, identity: identity, subscription: subscription)
            default: ClassicGroup(partitions: partitions, identity: identity, subscription: subscription)
            }
        await fetcher.assign([:])
        groupPart.withLock { part in
            part.membership = membership
            part.partitions = partitions
        }
        await membership.begin()
    }

    /// Leaves the group. The consumer reads nothing until it subscribes or is assigned partitions again.
    ///
    /// If `enable.auto.commit` is on, commits what was processed before.
    ///
    /// A rebalance handler must not call this, since the group waits for the handler: nothing is done then, and the report
    /// has OPERATION_NOT_ATTEMPTED.
    ///
    /// - Parameter limit: The longest time that this may take, even if no broker answers. After that the member continues to
    ///   leave in the background.
    /// - Returns: The errors of what could not be done in time: a commit, the request to leave, or a rebalance handler that
    ///   did not return.
    @discardableResult
    public nonisolated(nonsending) func unsubscribe(within limit: Duration = .seconds(25)) async -> CloseReport {
        let known = groupPart.withLock { ($0.membership, $0.partitions) }
        guard let membership = known.0 else { return CloseReport() }
        if known.1?.isInHandler == true {
            let error = inHandler("unsubscribe")
            cluster.observer?.refused(error)
            return CloseReport(errors: [error])
        }
        let report = await leave(membership, within: limit)
        groupPart.withLock { part in
            guard part.membership === membership else { return }
            (part.membership, part.partitions) = (nil, nil)
            part.identity?.become(memberID: "", generation: -1)
        }
        return report
    }

    private func leave(_ membership: any GroupMembership, within limit: Duration) async -> CloseReport {
        let deadline = cluster.timing.now() + limit
        // A little longer, so that the membership's own report comes first.
        let errors = await cluster.timing.wait(atMost: limit + .milliseconds(200)) {
            await membership.leave(by: deadline)
        }
        let late = KafkaError(
            .requestTimedOut,
            "the consumer could not leave its group within \(limit), since its rebalance handler or a commit has not "
                + "ended: offsets may not be committed")
        return CloseReport(errors: errors ?? [late])
    }

    /// Whether the current task is running this consumer's rebalance handler.
    var isInHandler: Bool { groupPart.withLock { $0.partitions }?.isInHandler ?? false }

    func inHandler(_ call: String) -> KafkaError {
        KafkaError(
            .operationNotAttempted,
            "\(call) was called in a rebalance handler of the same consumer, which the group waits for: call it after the "
                + "handler has returned, or in a task that the handler does not wait for",
            isRetriable: false)
    }

    /// Commits for the group everything that was returned so far, including the current batch: call it once that is
    /// processed.
    ///
    /// Takes at most `default.api.timeout.ms`, also if no broker answers.
    ///
    /// - Throws: `CancellationError`; INVALID_GROUP_ID if the consumer has no group. ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID and
    ///   the like if the partitions may be another member's already, or the consumer is closed, so that the records may
    ///   be processed again. INCONSISTENT_TOPIC_ID if a topic was deleted and created again after its records were read:
    ///   its offsets are not committed, those of other topics are. Other errors of the coordinator, after retries.
    ///   REQUEST_TIMED_OUT if the time ended during an attempt.
    ///
    /// Brokers before Kafka 4.1 know the topics of a commit by their names only. The client then compares the topic ids
    /// right before it sends the commit. A topic that is created again within that moment is not noticed.
    public nonisolated(nonsending) func commit() async throws {
        let (group, _) = try group()
        if let partitions = groupPart.withLock({ $0.partitions }) {
            try await partitions.commitAll()
        } else {
            guard !buffer.isFinished, let done = buffer.finishCurrent() else { throw group.notAMember }
            try await group.commit(done).check()
        }
    }

    /// Commits offsets for the group.
    ///
    /// Works without a subscription too, as long as the group has no members.
    ///
    /// - Parameter offsets: For each partition the offset of the next record to read: one after the last processed one.
    /// - Throws: As `commit()` does.
    public nonisolated(nonsending) func commit(_ offsets: [TopicPartition: OffsetAndMetadata]) async throws {
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

    /// Commits for the group that a record, and all before it in its partition, are processed.
    ///
    /// - Throws: As `commit()` does.
    public nonisolated(nonsending) func commit(after record: ConsumerRecord) async throws {
        try await commit([record.topicPartition: record.nextOffsetAndMetadata])
    }

    /// Commits for the group that all records of a batch are processed.
    ///
    /// - Throws: As `commit()` does.
    public nonisolated(nonsending) func commit(after batch: RecordBatch) async throws {
        try await commit([batch.topicPartition: batch.nextOffsetAndMetadata])
    }

    /// Returns the group's committed offsets. Partitions without a committed offset are omitted.
    ///
    /// If a transaction that commits one of them is in progress, waits for its outcome (KIP-447), for
    /// `default.api.timeout.ms` at most.
    ///
    /// - Throws: INVALID_GROUP_ID if the consumer has no group; errors of the coordinator; `CancellationError`.
    public nonisolated(nonsending) func committed(
        _ partitions: some Sequence<TopicPartition>
    ) async throws -> [TopicPartition: OffsetAndMetadata] {
        try await group().offsets.fetch(Array(partitions))
    }

    /// The consumer's identity in its group, for a transaction that commits its offsets (KIP-447); nil without a group.
    ///
    /// Read it after the records and before the offsets are sent. If the group moves to another generation meanwhile,
    /// `KafkaProducer.sendOffsets` follows as long as this consumer keeps the partitions. A consumer that lost its membership
    /// or has left keeps its last identity, which the coordinator refuses. So a transaction cannot overwrite the offsets of
    /// the next owner.
    public var groupMetadata: ConsumerGroupMetadata? { groupPart.withLock { $0.identity }?.ofReader }

    private func group() throws(KafkaError) -> (offsets: GroupOffsets, identity: GroupIdentity) {
        if let settingsError { throw settingsError }
        let part = groupPart.withLock { $0 }
        guard let offsets = part.offsets, let identity = part.identity else {
            throw KafkaError(
                .invalidGroupId, "the consumer has no group; set group.id, or create the consumer with a group")
        }
        return (offsets, identity)
    }
}
