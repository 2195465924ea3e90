import Concurrency

/// A member of a classic group: does what `ClassicMember` says, and tells it what came of it.
///
/// One task goes from step to step, one sends heartbeats, one looks whether there are other topics or partitions, and
/// one commits at intervals.
actor ClassicGroup: GroupMembership {
    let partitions: GroupPartitions
    let identity: GroupIdentity
    var subscription: Subscription
    private(set) var machine = ClassicMember()
    /// The topics that `subscription` stands for, as of the last look.
    var topics: [String] = []
    /// What this member has.
    var owned: Set<TopicPartition> = []
    /// What it was assigned last, which a sticky assignor wants to know.
    private var previous: (partitions: Set<TopicPartition>, generation: Int32) = ([], -1)
    /// Whether partitions were given up for the assignment at hand, which others wait for.
    private var hasGivenUp = false
    private var joined: JoinGroupResponse?
    /// How many partitions the topics had when this member divided them; nil where another one did.
    var dividedCounts: [String: Int32]?
    private var failures = 0
    /// How many assignments in a row could not be decoded.
    private var unreadableAssignments = 0
    /// One for each step that is retried, by its description.
    var reporters: [String: RetryReporter] = [:]
    private let missing: MissingTopics
    private let wake = Signal()
    var steps: Task<Void, Never>?
    var heartbeats: Task<Void, Never>?
    /// All other tasks.
    var tasks: [Task<Void, Never>] = []
    /// When a member that is leaving stops sending heartbeats in any case; nil if it is not leaving.
    var leavesBy: ContinuousClock.Instant?
    var leaving: Task<[KafkaError], Never>?

    init(partitions: GroupPartitions, identity: GroupIdentity, subscription: Subscription) {
        self.partitions = partitions
        self.identity = identity
        self.subscription = subscription
        missing = MissingTopics(cluster: partitions.cluster)
    }

    var cluster: Cluster { partitions.cluster }
    var configuration: GroupConfiguration { partitions.configuration }
    var groupID: String { partitions.offsets.groupID }
    private var isCooperative: Bool { configuration.assignors.allSatisfy(\.isCooperative) }

    func begin() {
        identity.onRefusal { [weak self] error, member in
            await self?.commitWasRefused(error, member) ?? false
        }
        let partitions = partitions
        steps = background("group steps") { await self.run() }
        heartbeats = background("group heartbeats") { await self.beat() }
        tasks = [
            background("group topics") { await self.watchTopics() },
            background("commits at intervals") { await partitions.commitAtIntervals() },
            background("missing topics") { await self.watchForMissingTopics() },
        ]
    }

    private func watchForMissingTopics() async {
        await missing.watch { [weak self] in await self?.subscription }
    }

    func change(_ subscription: Subscription, _ handler: @escaping RebalanceHandler) -> Bool {
        guard !hasFailed, !isLeaving else { return false }
        partitions.setHandler(handler)
        self.subscription = subscription
        missing.subscriptionChanged()
        handle(.outdated)
        return true
    }

    private func commitWasRefused(_ error: KafkaError, _ member: ConsumerGroupMetadata) -> Bool {
        guard error.meansLostMembership else { return false }
        let sender = ClassicMember.Identity(memberID: member.memberID, generation: member.generationID)
        handle(.notified(error, sender))
        // The coordinator is at the next generation, of which the answer to JoinGroup will tell.
        return machine.state == .joining && machine.identity == sender && error.code == .illegalGeneration
    }

    func handle(_ event: ClassicMember.Event) {
        machine.handle(event)
        identity.become(memberID: machine.identity.memberID, generation: machine.identity.generation)
        wake.notify()
    }

    // MARK: The steps

    private func run() async {
        while !Task.isCancelled {
            switch machine.state {
            // The last commit needs the generation of the rebalance that is in progress, and nothing after that.
            case .preparing where isLeaving, .adopting where isLeaving, .stable where isLeaving,
                .failed where isLeaving:
                return
            case .preparing: await attempt("find the topics to subscribe to for group \(groupID)", prepare)
            case .joining: await attempt("join group \(groupID)", join)
            case .syncing: await attempt("get the assignment from group \(groupID)", sync)
            case .adopting(let assigned):
                await attempt("fetch the committed offsets of group \(groupID)") { try await adopt(assigned) }
            case .stable: await wake.wait()
            case .failed(let error): return await fail(error)
            case .left: return
            }
        }
    }

    /// - Parameter operation: What the step does, as an infinitive.
    private func attempt(_ operation: String, _ step: () async throws -> Void) async {
        do {
            try await step()
            failures = 0
            reporters[operation]?.succeeded(at: cluster.timing.now(), observer: cluster.observer)
        } catch let error as KafkaError {
            // Nothing is changing hands while a step waits for its next attempt.
            if !isLeaving { partitions.buffer.release() }
            guard error.isRetriable else { return handle(.refused(error)) }
            failures += 1
            let delay = cluster.configuration.backoff.delay(
                afterFailures: max(failures, unreadableAssignments), random: cluster.timing.random())
            reporters[operation, default: RetryReporter(operation)].failed(
                error, at: cluster.timing.now(), retryingAfter: delay, observer: cluster.observer)
            try? await cluster.timing.sleep(delay)
        } catch let error as ProtocolError {
            handle(
                .refused(
                    KafkaError(
                        .inconsistentGroupProtocol, "group \(groupID) can't be given the subscription: \(error)")))
        } catch {
            // Cancelled: the loop ends.
        }
    }

    private func prepare() async throws {
        // What is lost can't wait for an answer about topics.
        let areLost = machine.hasLost
        if areLost || !isCooperative { try await giveUp(owned, areLost: areLost) }
        topics = try await currentTopics()
        try await giveUp(owned.filter { !topics.contains($0.topic) }, areLost: false)
        handle(.prepared(asLost: areLost))
    }

    private func giveUp(_ leaving: Set<TopicPartition>, areLost: Bool) async throws {
        guard !leaving.isEmpty else { return }
        guard await partitions.buffer.pin() else { throw CancellationError() }
        // Lost while the application was waited for: the next step gives them up as such.
        guard machine.hasLost == areLost else { return partitions.buffer.release() }
        owned.subtract(leaving)
        await partitions.giveUp(leaving, areLost: areLost)
        partitions.buffer.unpin()
        if !owned.isEmpty { partitions.buffer.release() }
    }

    private func join() async throws {
        let rebalanceTimeout = configuration.maximumPollInterval
        let subscriptions = try configuration.assignors.map { assignor in
            JoinGroupRequest.JoinGroupRequestProtocol(
                name: assignor.rawValue, metadata: try subscriptionData(assignor))
        }
        let request = JoinGroupRequest(
            groupId: groupID, sessionTimeoutMs: configuration.sessionTimeout.asMilliseconds,
            rebalanceTimeoutMs: rebalanceTimeout.asMilliseconds, memberId: machine.identity.memberID,
            groupInstanceId: configuration.groupInstanceID, protocolType: Self.protocolType, protocols: subscriptions)
        let response = try await reportingHold("join group \(groupID)") {
            try await partitions.coordinator.call(request, role: .group, wait: rebalanceTimeout + .seconds(5))
        }
        if response.errorCode == ErrorCode.memberIdRequired.rawValue { return handle(.named(response.memberId)) }
        try await partitions.coordinator.check(response.errorCode, "the group \(groupID) can't be joined")
        joined = response
        handle(
            .joined(ClassicMember.Identity(memberID: response.memberId, generation: response.generationId)))
    }

    private func subscriptionData(_ assignor: PartitionAssignor) throws(ProtocolError) -> ByteSlice {
        try ConsumerProtocolSubscription(
            topics: topics,
            userData: try PartitionAssignment.userData(
                of: assignor,
                previous: previous.partitions.sorted(), generation: previous.generation),
            ownedPartitions: [ConsumerProtocolTopicPartition](owned), generationId: machine.identity.generation,
            rackId: cluster.configuration.consumer.rackOfMember
        ).encoded()
    }

    private func sync() async throws {
        guard let joined else { return }
        dividedCounts = nil
        let assignments = joined.leader == joined.memberId ? try await divide(joined) : []
        let request = SyncGroupRequest(
            groupId: groupID, generationId: joined.generationId, memberId: joined.memberId,
            groupInstanceId: configuration.groupInstanceID, protocolType: Self.protocolType,
            protocolName: joined.protocolName, assignments: joined.skipAssignment ? [] : assignments)
        let response = try await reportingHold("get the assignment from group \(groupID)") {
            try await partitions.coordinator.call(
                request, role: .group, wait: configuration.maximumPollInterval + .seconds(5))
        }
        try await partitions.coordinator.check(
            response.errorCode, "the group \(groupID) gave no assignment")
        let assigned = try decoded(response.assignment)
        previous = (Set(assigned), joined.generationId)
        hasGivenUp = false
        handle(.synced(Set(assigned)))
    }

    /// - Throws: INCONSISTENT_GROUP_PROTOCOL for an assignment that can't be decoded. Retriable, and the member joins again:
    ///   the group may have another leader next time.
    private func decoded(_ assignment: ByteSlice) throws(KafkaError) -> [TopicPartition] {
        do throws(ProtocolError) {
            let assigned =
                assignment.isEmpty
                ? [] : try ConsumerProtocolAssignment.decode(assignment).assignedPartitions.topicPartitions
            unreadableAssignments = 0
            return assigned
        } catch {
            unreadableAssignments += 1
            handle(.unreadable)
            throw KafkaError(
                .inconsistentGroupProtocol,
                "the leader of group \(groupID) sent this member an assignment that can't be decoded: \(error)",
                isRetriable: true)
        }
    }

    private func adopt(_ assigned: Set<TopicPartition>) async throws {
        let (revoked, added) = (owned.subtracting(assigned), assigned.subtracting(owned))
        // What an eager member had it has given up before it joined.
        try await giveUp(revoked, areLost: false)
        // Said here, since what comes next may fail, and be tried again when nothing is left to give up.
        hasGivenUp = hasGivenUp || !revoked.isEmpty
        let takeover = try await partitions.prepareTakeover(of: added, asMember: false)
        if !takeover.isEmpty {
            guard await partitions.buffer.pin() else { throw CancellationError() }
            // The member may have lost its membership while it waited for the application.
            if case .adopting = machine.state {
                owned.formUnion(takeover.partitions)
                await partitions.takeOver(takeover)
            }
        }
        partitions.buffer.release()
        // The partitions that are taken over are read while the others are retried.
        if let error = takeover.retriable { throw error }
        handle(.adopted(hasGivenUp: hasGivenUp))
    }

    // MARK: Heartbeats

    private func beat() async {
        let beginning = cluster.timing.now()
        var reporter = RetryReporter("send a heartbeat to group \(groupID)")
        while (try? await cluster.timing.sleep(configuration.heartbeatInterval)) != nil {
            let now = cluster.timing.now()
            if let leavesBy, now >= leavesBy { return }
            guard machine.sendsHeartbeats else { continue }
            let (sender, isSyncing) = (machine.identity, machine.state == .syncing)
            if !isSyncing, !isLeaving, let since = partitions.buffer.absence(since: beginning),
                now - since > configuration.maximumPollInterval
            {
                handle(.applicationAway)
                await sendLeave(
                    sender, reason: "the application takes longer than max.poll.interval.ms",
                    by: cluster.timing.now() + GroupPartitions.leaveLimit)
                continue
            }
            do {
                let response = try await partitions.coordinator.call(
                    HeartbeatRequest(
                        groupId: groupID, generationId: sender.generation, memberId: sender.memberID,
                        groupInstanceId: configuration.groupInstanceID))
                try await partitions.coordinator.check(
                    response.errorCode, "the coordinator removed this member from group \(groupID)")
                reporter.succeeded(at: cluster.timing.now(), observer: cluster.observer)
            } catch let error as KafkaError where !error.isRetriable {
                // Before Kafka 2.7 the coordinator also gives this answer to members that have yet to send SyncGroup.
                if isSyncing, error.code == .rebalanceInProgress { continue }
                handle(.notified(error, sender))
            } catch let error as KafkaError {
                // The next heartbeat is the next attempt; a session is several heartbeats long.
                reporter.failed(
                    error, at: cluster.timing.now(), retryingAfter: configuration.heartbeatInterval,
                    observer: cluster.observer)
            } catch {
                // Cancelled: the loop ends.
            }
        }
    }

    static let protocolType = "consumer"
}
