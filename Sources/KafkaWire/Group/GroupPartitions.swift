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
    /// The task that runs the handler at the moment.
    private let handlerTask = Lock<Int?>(nil)
    /// What the group has of each partition, as far as this member knows.
    private let committed = Lock<[TopicPartition: Committed]>([:])
    private struct Committed {
        let offset: Int64
        /// Zero if unknown.
        let topicID: KafkaUUID
    }

    /// Partitions whose topic was deleted and created again, with the id of the topic that was read.
    private let recreated = Lock<[TopicPartition: KafkaUUID]>([:])
    /// Ends with the commit that was begun last.
    private let lastCommit = Lock<Task<Void, Never>?>(nil)

    init(
        cluster: Cluster, configuration: GroupConfiguration, offsets: GroupOffsets, fetcher: Fetcher,
        buffer: FetchBuffer, handler: @escaping RebalanceHandler
    ) {
        self.cluster = cluster
        self.configuration = configuration
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
        handlerTask.withLock { $0 = Self.currentTask }
        await handler(rebalance)
        handlerTask.withLock { $0 = nil }
    }

    /// Whether the current task is running this consumer's rebalance handler. If it waited there for the membership to
    /// end, neither would ever end.
    var isInHandler: Bool {
        let task = Self.currentTask
        return task != nil && handlerTask.withLock { $0 == task }
    }

    /// A number of the current task, which no other task has while it runs.
    private static var currentTask: Int? {
        // Safe: the reference isn't kept.
        unsafe withUnsafeCurrentTask { unsafe $0?.hashValue }
    }

    /// Gives partitions up while the application is kept waiting: commits what was processed, then calls the handler, then
    /// stops reading them. Only when this has returned may another member get them.
    ///
    /// - Parameters:
    ///   - areLost: Whether other members may own the partitions already: then nothing is committed.
    ///   - limit: How long the commit may take; `request.timeout.ms` if nil.
    /// - Returns: The error that kept offsets from being committed.
    @discardableResult
    func giveUp(
        _ partitions: Set<TopicPartition>, areLost: Bool, limit: Duration? = nil
    ) async -> KafkaError? {
        guard !partitions.isEmpty else { return nil }
        var areLost = areLost
        var failure: KafkaError?
        if !areLost, configuration.commitsAutomatically {
            do {
                try await commitProcessed(limit: limit ?? cluster.configuration.requestTimeout, of: partitions)
            } catch {
                // The next owner reads again what can't be committed, so the group is not kept waiting. The error may be
                // how a member learns that it lost its membership.
                let error = error as? KafkaError ?? KafkaError(.unknownServerError, "\(error)")
                areLost = error.meansLostMembership
                failure = error
                cluster.observer?.failedCommit(group: offsets.groupID, error)
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
        return failure
    }

    /// Finds out from where to read partitions that come to this member: from the committed offset, or as
    /// `auto.offset.reset` says.
    ///
    /// - Parameter topicIDs: The topics' ids as the assignment has them; nil if it has none.
    /// - Throws: Errors of the coordinator that concern all partitions.
    func prepareTakeover(
        of partitions: Set<TopicPartition>, asMember: Bool, _ topicIDs: [String: KafkaUUID]? = nil
    ) async throws -> Takeover {
        var takeover = Takeover()
        guard !partitions.isEmpty else { return takeover }
        let fetched = try await offsets.fetchOnce(
            partitions, asMember: asMember, topicIDs: topicIDs, identifies: true)
        let outdated = fetched.errors.filter { $0.value.meansStaleMetadata }.keys
        if !outdated.isEmpty {
            // The coordinator may know another topic of this name. The caller retries, and reports why.
            _ = try? await cluster.refresh(topics: Set(outdated.map(\.topic)).sorted())
        }
        for partition in partitions {
            let topicID = fetched.topicIDs[partition.topic] ?? .zero
            if let error = fetched.errors[partition] {
                if error.isRetriable {
                    takeover.retriable = takeover.retriable ?? error
                } else {
                    takeover.failed[partition] = error
                }
            } else if let offset = fetched.offsets[partition] {
                var start = ConsumerStart(.offset(offset.offset), leaderEpoch: offset.leaderEpoch)
                start.topicID = topicID
                takeover.starts[partition] = start
            } else if let place = fetcher.offsetReset.place(
                now: KafkaTimestamp(millisecondsSince1970: cluster.timing.wallClock()))
            {
                takeover.starts[partition] = ConsumerStart(place)
                takeover.starts[partition]?.topicID = topicID
            } else {
                takeover.failed[partition] = KafkaError(
                    .offsetOutOfRange,
                    "group \(offsets.groupID) has no offset for the partition, and auto.offset.reset is none",
                    topic: partition.topic, partition: partition.partition)
            }
        }
        committed.withLock { committed in
            for (partition, offset) in fetched.offsets {
                committed[partition] = Committed(
                    offset: offset.offset, topicID: fetched.topicIDs[partition.topic] ?? .zero)
            }
        }
        return takeover
    }

    /// Takes partitions over while the application is kept waiting.
    func takeOver(_ takeover: Takeover) async {
        guard !takeover.isEmpty else { return }
        offsets.identity.tookOver(takeover.partitions)
        await fetcher.add(takeover.starts)
        await fetcher.add(failed: takeover.failed)
        await tell(.assigned(takeover.partitions))
    }

    // MARK: Commits

    /// What the application has processed and the group has not committed yet.
    private var processed: [TopicPartition: TopicOffset] {
        let (known, recreated) = (committed.withLock { $0 }, recreated.withLock { $0 })
        return buffer.collect(\.commit).filter { partition, commit in
            // The same offset of a recreated topic is another one.
            let isCommitted = known[partition].map {
                $0.offset == commit.offset.offset && ($0.topicID == commit.topicID || $0.topicID == .zero)
            }
            return isCommitted != true && recreated[partition] != commit.topicID
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
            let id = buffer.collect { $0.commit?.topicID }[partition]
            recreated.withLock { $0[partition] = id }
            cluster.observer?.skippedCommit(group: offsets.groupID, error)
        }
        if let failure = outcome.failure { throw failure }
    }

    /// Commits offsets as a member, one commit after the other: an earlier one that arrived later would set the group
    /// back.
    ///
    /// - Parameters:
    ///   - limit: How long the commit may take, earlier ones included; `default.api.timeout.ms` if nil.
    ///   - offsets: Called when it is this commit's turn.
    /// - Throws: UNKNOWN_MEMBER_ID if the consumer is not a member: the coordinator would accept the offsets, and overwrite
    ///   those of the partitions' owners. REQUEST_TIMED_OUT if the limit was reached during an attempt.
    private func commit(
        limit: Duration? = nil, final: Set<ErrorCode> = [],
        _ offsets: @escaping @Sendable () throws -> [TopicPartition: TopicOffset]
    ) async throws -> CommitOutcome {
        let limit = limit ?? cluster.configuration.defaultAPITimeout
        let deadline = cluster.timing.now() + limit
        // Not cancellable: otherwise the caller would not know which offsets were committed.
        let commit = lastCommit.withLock { last in
            let commit = Task { [last] in
                await last?.value
                let remaining = deadline - self.cluster.timing.now()
                guard remaining > .zero else { throw self.timedOut(limit) }
                // Read before the offsets: those of an earlier membership must not be committed in the next one.
                let membership = self.offsets.identity.membership
                return try await self.commitNow(try offsets(), membership, remaining, final)
            }
            last = Task { _ = await commit.result }
            return commit
        }
        guard let result = await cluster.timing.wait(atMost: limit, for: { await commit.result }) else {
            throw timedOut(limit)
        }
        return try result.get()
    }

    private func timedOut(_ limit: Duration) -> KafkaError {
        KafkaError(
            .requestTimedOut,
            "the coordinator of group \(offsets.groupID) did not answer a commit within \(limit): the offsets may have "
                + "been committed or not")
    }

    private func commitNow(
        _ offsets: [TopicPartition: TopicOffset], _ membership: Int, _ limit: Duration, _ final: Set<ErrorCode>
    ) async throws -> CommitOutcome {
        guard !offsets.isEmpty else { return CommitOutcome() }
        guard self.offsets.identity.metadata.generationID >= 0 else { throw self.offsets.notAMember }
        let outcome = await self.offsets.commit(offsets, limit: limit, membership: membership, final: final) {
            let owned = self.buffer.collect { _ in true }
            return offsets.keys.allSatisfy { owned[$0] != nil }
        }
        committed.withLock { committed in
            for partition in outcome.committed {
                committed[partition] = offsets[partition].map {
                    Committed(offset: $0.offset.offset, topicID: $0.topicID)
                }
            }
        }
        return outcome
    }

    /// Commits what was processed every `auto.commit.interval.ms`.
    func commitAtIntervals() async {
        guard configuration.commitsAutomatically else { return }
        var reporter = RetryReporter("commit offsets of group \(offsets.groupID)")
        while (try? await cluster.timing.sleep(configuration.autoCommitInterval)) != nil {
            do {
                try await commitProcessed(limit: cluster.configuration.requestTimeout)
                reporter.succeeded(at: cluster.timing.now(), observer: cluster.observer)
            } catch let error as KafkaError where !error.meansLostMembership {
                // The next commit includes these offsets.
                reporter.failed(
                    error, at: cluster.timing.now(), retryingAfter: configuration.autoCommitInterval,
                    observer: cluster.observer)
            } catch {
                // The member is joining again and reports that itself, or the task was cancelled.
            }
        }
    }

    // MARK: The end

    /// How long the coordinator's answer to a farewell is waited for at most.
    static let leaveLimit = Duration.seconds(5)

    /// Gives everything up for good.
    ///
    /// The application may be processing a batch, or be the one that closes. It is not waited for, and the batch is not
    /// committed.
    ///
    /// - Parameter deadline: When the caller has to be done, a farewell to the coordinator included.
    /// - Returns: What could not be done.
    func giveUpAll(
        _ partitions: Set<TopicPartition>, areLost: Bool, by deadline: ContinuousClock.Instant
    ) async -> [KafkaError] {
        buffer.stopHandingOut()
        let remaining = deadline - cluster.timing.now()
        let limit = max(remaining - Self.leaveLimit, remaining / 2)
        let failure = await giveUp(
            partitions, areLost: areLost, limit: min(limit, cluster.configuration.requestTimeout))
        await fetcher.assign([:])
        buffer.release()
        return failure.map { [$0] } ?? []
    }

    /// Tells the coordinator that this member leaves.
    ///
    /// - Returns: The error if that failed, or took too long.
    func leave(
        by deadline: ContinuousClock.Instant, _ farewell: @escaping @Sendable (GroupCoordinator) async throws -> Void
    ) async -> KafkaError? {
        let remaining = max(min(deadline - cluster.timing.now(), Self.leaveLimit), .milliseconds(100))
        let coordinator = coordinator
        let result = await cluster.timing.wait(atMost: remaining) { () -> Result<Void, any Error> in
            do { return .success(try await farewell(coordinator)) } catch { return .failure(error) }
        }
        let reason: String
        switch result {
        case .success: return nil
        case .failure(let error): reason = "\(error)"
        case nil: reason = "no answer within \(remaining)"
        }
        return KafkaError(
            .coordinatorNotAvailable,
            "could not leave group \(offsets.groupID): \(reason); the group waits for this member until its session ends",
            isRetriable: false)
    }

    /// Has the consumer's next step throw an error, after everything was given up.
    func fail(_ error: KafkaError) {
        buffer.fail(error)
        buffer.release()
    }
}
