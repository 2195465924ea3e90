import Concurrency

/// Assigns and revokes the partitions of a group member, and commits their offsets, in both group protocols.
///
/// The order of the steps in `revoke` prevents records from being lost or processed twice.
final class GroupPartitions: Sendable {
    let cluster: Cluster
    let configuration: GroupConfiguration
    let offsets: GroupOffsets
    private let fetcher: Fetcher
    let buffer: FetchBuffer
    /// Guards the rebalance handler and the task that runs it.
    private let handling: Lock<Handling>
    private struct Handling {
        var handler: RebalanceHandler
        /// The task that runs the handler at the moment.
        var task: Int?
    }

    /// Guards what is known of the group's committed offsets.
    private let progress = Lock(Progress())
    private struct Progress {
        var committed: [TopicPartition: Committed] = [:]
        /// Partitions whose topic was deleted and recreated, with the id of the topic that was read.
        var recreated: [TopicPartition: KafkaUUID] = [:]

        /// Whether this offset was committed already, or can't be committed any more.
        func isSettled(_ partition: TopicPartition, _ commit: TopicOffset) -> Bool {
            // The same offset of a recreated topic is another one.
            let isCommitted = committed[partition].map {
                $0.offset == commit.offset.offset && ($0.topicID == commit.topicID || $0.topicID == .zero)
            }
            return isCommitted == true || recreated[partition] == commit.topicID
        }
    }

    private struct Committed {
        let offset: Int64
        /// Zero if unknown.
        let topicID: KafkaUUID
    }

    /// Guards the order of commits: the task ends with the last one that was begun.
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
        handling = Lock(Handling(handler: handler))
    }

    var coordinator: GroupCoordinator { offsets.coordinator }

    func setHandler(_ handler: @escaping RebalanceHandler) {
        handling.withLock { $0.handler = handler }
    }

    private func notifyHandler(of rebalance: Rebalance) async {
        let (change, partitions): (RebalanceEvent.Change, Set<TopicPartition>) =
            switch rebalance {
            case .assigned(let partitions): (.assigned, partitions)
            case .revoked(let partitions): (.revoked, partitions)
            case .lost(let partitions): (.lost, partitions)
            }
        cluster.observer?.rebalanced(
            group: offsets.groupID, generation: offsets.identity.metadata.generationID, change, partitions.sorted())
        let task = Self.currentTask
        let handler = handling.withLock { handling in
            handling.task = task
            return handling.handler
        }
        await handler(rebalance)
        handling.withLock { $0.task = nil }
    }

    /// Whether the current task is running this consumer's rebalance handler.
    ///
    /// The handler must not wait for the membership to end: the membership waits for the handler, so both would wait
    /// forever.
    var isInHandler: Bool {
        let task = Self.currentTask
        return task != nil && handling.withLock { $0.task == task }
    }

    /// A number that identifies the current task while it runs; nil outside a task.
    private static var currentTask: Int? {
        // Safe: the reference isn't kept.
        unsafe withUnsafeCurrentTask { unsafe $0?.hashValue }
    }

    /// Revokes partitions: commits the processed offsets, then calls the handler, then stops fetching.
    ///
    /// The application must be blocked meanwhile. Another member may get the partitions only after this has returned.
    ///
    /// - Parameters:
    ///   - areLost: Whether other members may already own the partitions. If so, nothing is committed.
    ///   - limit: The time limit of the commit; `request.timeout.ms` if nil.
    /// - Returns: The error of the commit; nil if it succeeded or was not needed.
    @discardableResult
    func revoke(
        _ partitions: Set<TopicPartition>, areLost: Bool, limit: Duration? = nil
    ) async -> KafkaError? {
        guard !partitions.isEmpty else { return nil }
        var areLost = areLost
        var failure: KafkaError?
        await offsets.identity.prepareRevocation(
            of: partitions, areLost: areLost, within: limit ?? configuration.maximumPollInterval)
        if !areLost, configuration.commitsAutomatically {
            do {
                try await commitProcessed(limit: limit ?? cluster.configuration.requestTimeout, of: partitions)
            } catch {
                // The group must not wait for this member: the next owner reads the uncommitted records again. The
                // error may be the first sign that the member lost its membership.
                let error = error as? KafkaError ?? KafkaError(.unknownServerError, "\(error)")
                areLost = error.meansLostMembership
                failure = error
                cluster.observer?.failedCommit(group: offsets.groupID, error)
            }
        }
        await notifyHandler(of: areLost ? .lost(partitions) : .revoked(partitions))
        offsets.identity.released(partitions)
        // This does not wait for the application: a batch that it still holds does not count as processed.
        await fetcher.revoke(partitions)
        progress.withLock { progress in
            for partition in partitions {
                progress.committed[partition] = nil
                progress.recreated[partition] = nil
            }
        }
        return failure
    }

    /// Determines the start offsets of newly assigned partitions: the committed offset, or as `auto.offset.reset` says.
    ///
    /// - Parameters:
    ///   - asMember: Whether to send the member's epoch, which KIP-848 groups require.
    ///   - topicIDs: The topic ids from the assignment; nil if it has none.
    /// - Throws: Errors of the coordinator that affect all partitions.
    func prepareTakeover(
        of partitions: Set<TopicPartition>, asMember: Bool, _ topicIDs: [String: KafkaUUID]? = nil
    ) async throws -> Takeover {
        var takeover = Takeover()
        guard !partitions.isEmpty else { return takeover }
        let fetched = try await offsets.fetchOnce(
            partitions, asMember: asMember, topicIDs: topicIDs, identifies: true)
        let outdated = fetched.errors.filter { $0.value.meansStaleMetadata }.keys
        if !outdated.isEmpty {
            // The coordinator may know a different topic with this name. The caller retries and reports the error.
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
        progress.withLock { progress in
            for (partition, offset) in fetched.offsets {
                progress.committed[partition] = Committed(
                    offset: offset.offset, topicID: fetched.topicIDs[partition.topic] ?? .zero)
            }
        }
        return takeover
    }

    /// Starts fetching newly assigned partitions and calls the handler. The application must be blocked meanwhile.
    func takeOver(_ takeover: Takeover) async {
        guard !takeover.isEmpty else { return }
        offsets.identity.tookOver(takeover.partitions)
        await fetcher.add(takeover.starts)
        await fetcher.add(failed: takeover.failed)
        await notifyHandler(of: .assigned(takeover.partitions))
    }

    // MARK: Commits

    /// Offsets that the application has processed and the group has not committed yet.
    private var processed: [TopicPartition: TopicOffset] {
        let known = progress.withLock { $0 }
        return buffer.collect(\.commit).filter { !known.isSettled($0.key, $0.value) }
    }

    /// Commits the offsets of all records that the application has received; the caller has processed them.
    func commitAll() async throws {
        try await commit {
            guard let done = self.buffer.finishCurrent() else { throw self.offsets.notAMember }
            return done
        }.check()
    }

    /// Commits offsets that the application passes.
    func commit(_ offsets: [TopicPartition: OffsetAndMetadata]) async throws {
        let ids = self.offsets.identity.topicIDs(of: offsets.keys)
        let commits = offsets.reduce(into: [:]) { commits, entry in
            commits[entry.key] = TopicOffset(offset: entry.value, topicID: ids[entry.key] ?? .zero)
        }
        try await commit { commits }.check()
    }

    /// Commits the processed offsets automatically. Skips offsets of topics that were deleted or recreated.
    private func commitProcessed(limit: Duration, of partitions: Set<TopicPartition>? = nil) async throws {
        let outcome = try await commit(limit: limit, final: [.unknownTopicOrPartition]) {
            self.processed.filter { partitions?.contains($0.key) ?? true }
        }
        for (partition, error) in outcome.recreated {
            let id = buffer.collect { $0.commit?.topicID }[partition]
            progress.withLock { $0.recreated[partition] = id }
            cluster.observer?.skippedCommit(group: offsets.groupID, error)
        }
        if let failure = outcome.failure { throw failure }
    }

    /// Commits offsets as a member.
    ///
    /// Commits run one at a time. Otherwise an older commit could arrive after a newer one and move the offsets back.
    ///
    /// - Parameters:
    ///   - limit: The time limit, including the wait for earlier commits; `default.api.timeout.ms` if nil.
    ///   - offsets: Called when all earlier commits have ended.
    /// - Throws: UNKNOWN_MEMBER_ID if the consumer is not a member: the coordinator would accept the offsets and
    ///   overwrite those of the partitions' owners. REQUEST_TIMED_OUT if the limit was reached during an attempt.
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
                // Read the membership before the offsets: offsets of one membership must not be committed in the next.
                let (membership, reader) = (self.offsets.identity.membership, self.offsets.identity.ofReader)
                return try await self.commitNow(try offsets(), membership, reader, remaining, final)
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
            "the coordinator of group \(offsets.groupID) did not answer a commit within \(limit): the offsets may or "
                + "may not have been committed")
    }

    /// - Parameters:
    ///   - membership: The `GroupIdentity.membership` that the offsets belong to.
    ///   - reader: The member's identity from before the offsets were read.
    private func commitNow(
        _ offsets: [TopicPartition: TopicOffset], _ membership: Int, _ reader: ConsumerGroupMetadata, _ limit: Duration,
        _ final: Set<ErrorCode>
    ) async throws -> CommitOutcome {
        guard !offsets.isEmpty else { return CommitOutcome() }
        guard self.offsets.identity.metadata.generationID >= 0 else { throw self.offsets.notAMember }
        let outcome = await self.offsets.commit(offsets, limit: limit, membership: membership, final: final) {
            reader.current(owning: offsets.keys) != nil
        }
        progress.withLock { progress in
            for partition in outcome.committed {
                progress.committed[partition] = offsets[partition].map {
                    Committed(offset: $0.offset.offset, topicID: $0.topicID)
                }
            }
        }
        return outcome
    }

    /// Commits the processed offsets every `auto.commit.interval.ms`, until the task is cancelled.
    func commitAtIntervals() async {
        guard configuration.commitsAutomatically else { return }
        let operation = "commit offsets of group \(offsets.groupID)"
        var retry = Retry(operation, in: cluster)
        while (try? await cluster.timing.sleep(configuration.autoCommitInterval)) != nil {
            do {
                try await commitProcessed(limit: cluster.configuration.requestTimeout)
                retry.succeeded(in: cluster)
            } catch let error as KafkaError where !error.meansLostMembership {
                // The next commit includes these offsets.
                retry.failed(error, repeatedAfter: configuration.autoCommitInterval, in: cluster)
            } catch {
                // The member is joining again and reports that itself, or the task was cancelled.
            }
        }
    }

    // MARK: Leaving

    /// The time limit for the coordinator's answer to a leave request.
    static let leaveLimit = Duration.seconds(5)

    /// Revokes all partitions when the membership ends.
    ///
    /// Does not wait for the application, which may be processing a batch or may itself have called `close`. That batch
    /// is not committed.
    ///
    /// - Parameter deadline: When the caller has to be done, including its leave request.
    /// - Returns: The errors of the steps that failed.
    func revokeAll(
        _ partitions: Set<TopicPartition>, areLost: Bool, by deadline: ContinuousClock.Instant
    ) async -> [KafkaError] {
        buffer.hold()
        let remaining = deadline - cluster.timing.now()
        let limit = max(remaining - Self.leaveLimit, remaining / 2)
        let failure = await revoke(
            partitions, areLost: areLost, limit: min(limit, cluster.configuration.requestTimeout))
        await fetcher.assign([:])
        buffer.release()
        return failure.map { [$0] } ?? []
    }

    /// Sends the leave request to the coordinator.
    ///
    /// - Parameters:
    ///   - deadline: The request gets at most `leaveLimit` until then, but at least 100 ms.
    ///   - farewell: Sends the request.
    /// - Returns: The error if the request failed or timed out; nil if it succeeded.
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

    /// Makes the consumer's next call throw an error. Call this after all partitions were revoked.
    func fail(_ error: KafkaError) {
        buffer.fail(error)
        buffer.release()
    }
}
