import Concurrency

/// A member of a classic group: performs the I/O for the state machine `ClassicMember`.
///
/// One task performs the steps, one sends heartbeats, one watches for new topics and partitions, one commits at
/// intervals, and one watches for missing topics.
actor ClassicGroup: GroupMembership {
    let partitions: GroupPartitions
    let identity: GroupIdentity
    var subscription: Subscription
    private(set) var machine = ClassicMember()
    /// The topics that `subscription` named or matched when they were last looked up.
    var topics: [String] = []
    /// The partitions that this member owns.
    var owned: Set<TopicPartition> = []
    /// The last assignment, for the user data of sticky assignors; generation -1 if there was none.
    private var previous: (partitions: Set<TopicPartition>, generation: Int32) = ([], -1)
    /// Whether the member revoked partitions for the current assignment. Other members wait for these.
    private var hasRevoked = false
    private var joined: JoinGroupResponse?
    /// The partition counts from which this member computed the assignment; nil if another member computed it.
    var dividedCounts: [String: Int32]?
    /// The number of consecutive assignments that could not be decoded.
    private var unreadableAssignments = 0
    /// The retry state of each step, by its description.
    var retries: [String: Retry] = [:]
    private let missing: MissingTopics
    private let wake = Signal()
    var steps: Task<Void, Never>?
    var heartbeats: Task<Void, Never>?
    /// All other tasks.
    var tasks: [Task<Void, Never>] = []
    /// The time after which a leaving member sends no more heartbeats; nil if it is not leaving.
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
        // The coordinator is at the next generation, which the answer to JoinGroup will carry.
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
            // While leaving, take only the steps that yield the generation of the current rebalance: the last commit
            // needs it.
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

    /// - Parameter operation: The step's description, as an infinitive.
    private func attempt(_ operation: String, _ step: () async throws -> Void) async {
        do {
            try await step()
            retries[operation]?.succeeded(in: cluster)
        } catch let error as KafkaError {
            // No partition changes owner during the pause, so the application may continue.
            if !isLeaving { partitions.buffer.release() }
            let pause = retries[operation, default: Retry(operation, in: cluster)].failed(
                error, earlier: unreadableAssignments, in: cluster)
            guard let pause else { return handle(.refused(error)) }
            try? await cluster.timing.sleep(pause)
        } catch let error as ProtocolError {
            handle(
                .refused(
                    KafkaError(
                        .inconsistentGroupProtocol, "could not encode a message to group \(groupID): \(error)")))
        } catch {
            // Cancelled: the loop ends.
        }
    }

    private func prepare() async throws {
        // Revoke lost partitions first, without waiting for the metadata of topics.
        let areLost = machine.hasLost
        if areLost || !isCooperative { try await revoke(owned, areLost: areLost) }
        topics = try await currentTopics()
        try await revoke(owned.filter { !topics.contains($0.topic) }, areLost: false)
        handle(.prepared(asLost: areLost))
    }

    private func revoke(_ leaving: Set<TopicPartition>, areLost: Bool) async throws {
        guard !leaving.isEmpty else { return }
        guard await partitions.buffer.quiesce() else { throw CancellationError() }
        // If they were lost while this waited for the application, the next step revokes them as lost.
        guard machine.hasLost == areLost else { return partitions.buffer.release() }
        owned.subtract(leaving)
        await partitions.revoke(leaving, areLost: areLost)
        partitions.buffer.permitTimeouts()
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
        try await partitions.coordinator.check(response.errorCode, "could not join group \(groupID)")
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
            response.errorCode, "could not get an assignment from group \(groupID)")
        let assigned = try decoded(response.assignment)
        previous = (Set(assigned), joined.generationId)
        hasRevoked = false
        handle(.synced(Set(assigned)))
    }

    /// Decodes the assignment. If that fails, the member rejoins: the group may have another leader next time.
    ///
    /// - Throws: INCONSISTENT_GROUP_PROTOCOL, retriable, if the assignment can't be decoded.
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
        // An eager member has already revoked all partitions before it joined.
        try await revoke(revoked, areLost: false)
        // Record this now: the rest may fail, and a retry finds nothing left to revoke.
        hasRevoked = hasRevoked || !revoked.isEmpty
        let takeover = try await partitions.prepareTakeover(of: added, asMember: false)
        if !takeover.isEmpty {
            guard await partitions.buffer.quiesce() else { throw CancellationError() }
            // The member may have lost its membership while it waited for the application.
            if case .adopting = machine.state {
                owned.formUnion(takeover.partitions)
                await partitions.takeOver(takeover)
            }
        }
        partitions.buffer.release()
        // The consumer reads the partitions that were taken over while the others are retried.
        if let error = takeover.retriable { throw error }
        handle(.adopted(hasRevoked: hasRevoked))
    }

    // MARK: Heartbeats

    private func beat() async {
        let beginning = cluster.timing.now()
        // A failed heartbeat is not retried earlier than the next one is due: a session spans several heartbeats.
        var retry = Retry("send a heartbeat to group \(groupID)", in: cluster)
        while (try? await cluster.timing.sleep(configuration.heartbeatInterval)) != nil {
            let now = cluster.timing.now()
            if let leavesBy, now >= leavesBy { return }
            guard machine.sendsHeartbeats else { continue }
            let (sender, isSyncing) = (machine.identity, machine.state == .syncing)
            if !isSyncing, !isLeaving, let since = partitions.buffer.absence(since: beginning, at: now),
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
                retry.succeeded(in: cluster)
            } catch let error as KafkaError {
                guard !error.isRetriable else {
                    retry.failed(error, repeatedAfter: configuration.heartbeatInterval, in: cluster)
                    continue
                }
                // Before Kafka 2.7 the coordinator also gives this answer to members that have yet to send SyncGroup.
                if isSyncing, error.code == .rebalanceInProgress { continue }
                handle(.notified(error, sender))
            } catch {
                // Cancelled: the loop ends.
            }
        }
    }

    static let protocolType = "consumer"
}
