import Concurrency

/// What both kinds of members do with partitions: take them over and give them up, with their offsets.
///
/// The order of things is what keeps work from being lost or done twice: see `giveUp`.
final class GroupPartitions: Sendable {
    let cluster: Cluster
    let configuration: GroupConfiguration
    let offsets: GroupOffsets
    private let fetcher: Fetcher
    let buffer: FetchBuffer
    private let handler: Lock<RebalanceHandler>
    /// What the group has of each partition, as far as this member knows.
    private let committed = Lock<[TopicPartition: Int64]>([:])
    /// Partitions whose topic was deleted and created again, with the id of the topic that was read.
    private let recreated = Lock<[TopicPartition: KafkaUUID]>([:])
    /// Ends with the commit that was begun last.
    private let lastCommit = Lock<Task<Void, Never>?>(nil)

    init(
        cluster: Cluster, offsets: GroupOffsets, fetcher: Fetcher, buffer: FetchBuffer,
        handler: @escaping RebalanceHandler
    ) {
        self.cluster = cluster
        configuration = cluster.configuration.group
        self.offsets = offsets
        self.fetcher = fetcher
        self.buffer = buffer
        self.handler = Lock(handler)
    }

    var coordinator: GroupCoordinator { offsets.coordinator }

    func setHandler(_ handler: @escaping RebalanceHandler) {
        self.handler.withLock { $0 = handler }
    }

    private func tell(_ rebalance: Rebalance) async {
        let (change, partitions): (RebalanceEvent.Change, Set<TopicPartition>) =
            switch rebalance {
            case .assigned(let partitions): (.assigned, partitions)
            case .revoked(let partitions): (.revoked, partitions)
            case .lost(let partitions): (.lost, partitions)
            }
        cluster.observer?.rebalanced(
            group: offsets.groupID, generation: offsets.identity.metadata.generationID, change, partitions.sorted())
        let handler = handler.withLock { $0 }
        await handler(rebalance)
    }

    /// Gives partitions up while the application is kept waiting: commits what was processed, then tells the handler,
    /// then has them read no more. Only when this has returned may another member get them.
    ///
    /// - Parameter areLost: Whether they may be another's already: then nothing is committed.
    func giveUp(_ partitions: Set<TopicPartition>, areLost: Bool) async {
        guard !partitions.isEmpty else { return }
        var areLost = areLost
        if !areLost, configuration.commitsAutomatically {
            do {
                try await commitProcessed(limit: cluster.configuration.requestTimeout, of: partitions)
            } catch {
                // What can't be committed is read again by whoever comes next: that is no reason to keep the group
                // waiting. It may be how a member hears that it was put out.
                areLost = (error as? KafkaError)?.meansLostMembership ?? false
            }
        }
        await tell(areLost ? .lost(partitions) : .revoked(partitions))
        offsets.identity.gaveUp(partitions)
        // The application isn't waited for here: a batch that it hasn't come back from isn't processed.
        await fetcher.giveUp(partitions)
        committed.withLock { committed in
            for partition in partitions { committed[partition] = nil }
        }
        recreated.withLock { recreated in
            for partition in partitions { recreated[partition] = nil }
        }
    }

    /// From where partitions are read that come to this member: from where the group is, or as `auto.offset.reset` says.
    ///
    /// - Throws: OFFSET_OUT_OF_RANGE where there is neither; errors of the coordinator.
    func starts(of partitions: Set<TopicPartition>, asMember: Bool) async throws -> [TopicPartition: ConsumerStart] {
        guard !partitions.isEmpty else { return [:] }
        let found = try await offsets.fetch(partitions, asMember: asMember)
        var starts: [TopicPartition: ConsumerStart] = [:]
        for partition in partitions {
            if let offset = found[partition] {
                starts[partition] = ConsumerStart(.offset(offset.offset), leaderEpoch: offset.leaderEpoch)
            } else {
                starts[partition] = ConsumerStart(try resetSpec(partition))
            }
        }
        committed.withLock { $0.merge(found.mapValues(\.offset)) { $1 } }
        return starts
    }

    /// Takes partitions over while the application is kept waiting.
    func takeOver(_ starts: [TopicPartition: ConsumerStart]) async {
        guard !starts.isEmpty else { return }
        offsets.identity.tookOver(starts.keys)
        await fetcher.add(starts)
        await tell(.assigned(Set(starts.keys)))
    }

    private func resetSpec(_ partition: TopicPartition) throws(KafkaError) -> OffsetSpec {
        if let place = fetcher.offsetReset.place(now: fetcher.cluster.timing.wallClock()) { return place }
        throw KafkaError(
            .offsetOutOfRange,
            "group \(offsets.groupID) has no offset for the partition, and auto.offset.reset is none",
            topic: partition.topic, partition: partition.partition)
    }

    // MARK: Commits

    /// What the application has processed and the group has not committed yet.
    private var processed: [TopicPartition: TopicOffset] {
        let (known, recreated) = (committed.withLock { $0 }, recreated.withLock { $0 })
        return buffer.collect(\.commit).filter { partition, commit in
            known[partition] != commit.offset.offset && recreated[partition] != commit.topicID
        }
    }

    /// Commits everything that was handed out, which the caller has processed.
    func commitAll() async throws {
        try await commit {
            guard let done = self.buffer.finishHandout() else { throw self.offsets.notAMember }
            return done
        }.check()
    }

    /// Commits offsets that the application names.
    func commit(_ offsets: [TopicPartition: OffsetAndMetadata]) async throws {
        let ids = self.offsets.identity.topicIDs(of: offsets.keys)
        let commits = offsets.reduce(into: [:]) { commits, entry in
            commits[entry.key] = TopicOffset(offset: entry.value, topicID: ids[entry.key] ?? .zero)
        }
        try await commit { commits }.check()
    }

    /// Commits what was processed, without being asked to. Offsets of a topic that was deleted or created again are
    /// skipped.
    private func commitProcessed(limit: Duration, of partitions: Set<TopicPartition>? = nil) async throws {
        let outcome = try await commit(limit: limit, final: [.unknownTopicOrPartition]) {
            self.processed.filter { partitions?.contains($0.key) ?? true }
        }
        for (partition, error) in outcome.recreated {
            let id = buffer.collect { $0.topicID }[partition]
            recreated.withLock { $0[partition] = id }
            cluster.observer?.skippedCommit(group: offsets.groupID, error)
        }
        if let failure = outcome.failure { throw failure }
    }

    /// Commits offsets as a member, one commit after the other: an earlier one that arrived later would set the group
    /// back.
    ///
    /// - Parameter offsets: Called when it is this commit's turn.
    /// - Throws: UNKNOWN_MEMBER_ID if the consumer is not a member: the coordinator would accept the offsets, and overwrite
    ///   those of the partitions' owners.
    private func commit(
        limit: Duration? = nil, final: Set<ErrorCode> = [],
        _ offsets: @escaping @Sendable () throws -> [TopicPartition: TopicOffset]
    ) async throws -> CommitOutcome {
        // Not cancellable: otherwise the caller would not know which offsets were committed.
        let commit = lastCommit.withLock { last in
            let commit = Task { [last] in
                await last?.value
                // Read before the offsets: those of an earlier membership must not be committed in the next one.
                let membership = self.offsets.identity.membership
                return try await self.commitNow(try offsets(), membership, limit, final)
            }
            last = Task { _ = await commit.result }
            return commit
        }
        return try await commit.value
    }

    private func commitNow(
        _ offsets: [TopicPartition: TopicOffset], _ membership: Int, _ limit: Duration?, _ final: Set<ErrorCode>
    ) async throws -> CommitOutcome {
        guard !offsets.isEmpty else { return CommitOutcome() }
        guard self.offsets.identity.metadata.generationID >= 0 else { throw self.offsets.notAMember }
        let outcome = await self.offsets.commit(offsets, limit: limit, membership: membership, final: final) {
            let owned = self.buffer.collect { _ in true }
            return offsets.keys.allSatisfy { owned[$0] != nil }
        }
        committed.withLock { committed in
            for partition in outcome.committed { committed[partition] = offsets[partition]?.offset.offset }
        }
        return outcome
    }

    /// Commits what was processed every `auto.commit.interval.ms`.
    func commitAtIntervals() async {
        guard configuration.commitsAutomatically else { return }
        while (try? await cluster.timing.sleep(configuration.autoCommitInterval)) != nil {
            // A failed commit is part of the next one.
            try? await commitProcessed(limit: .zero)
        }
    }

    // MARK: The end

    /// Gives everything up for good.
    ///
    /// The application may be amidst a batch, or be the one who closes: it isn't waited for, and what it isn't done
    /// with isn't committed.
    func giveUpAll(_ partitions: Set<TopicPartition>, areLost: Bool) async {
        buffer.stopHandingOut()
        await giveUp(partitions, areLost: areLost)
        await fetcher.assign([:])
        buffer.release()
    }

    /// Has the consumer's next step throw an error, after everything was given up.
    func fail(_ error: KafkaError) {
        buffer.fail(error)
        buffer.release()
    }
}

extension FetchPosition {
    var asCommit: OffsetAndMetadata { OffsetAndMetadata(offset, leaderEpoch: lastFetchedEpoch) }
}
