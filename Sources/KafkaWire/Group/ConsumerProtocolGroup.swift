import Concurrency

/// A member of a KIP-848 group: performs the I/O for the state machine `ConsumerMember`.
///
/// One task sends heartbeats, one revokes and takes over partitions, one commits at intervals, and one watches for
/// missing topics.
actor ConsumerProtocolGroup: GroupMembership {
    let partitions: GroupPartitions
    private let identity: GroupIdentity
    private var subscription: Subscription
    var machine: ConsumerMember
    /// The names of all topics that were ever assigned.
    private var names: [KafkaUUID: String] = [:]
    /// The partitions that this member owns.
    var owned: [TopicPartition: TopicIDPartition] = [:]
    /// Whether a pattern was sent. A later subscription by names then has to clear it.
    private var hasSentPattern = false
    private(set) var heartbeatInterval: Duration
    private var earlyHeartbeatsLeft = 0
    /// Whether a heartbeat may have reached a coordinator, answered or not.
    var mayHaveJoined = false
    /// The retry state of each operation, by its description.
    private var retries: [String: Retry] = [:]
    private let missing: MissingTopics
    private let wake = Signal()
    private let beatNow = Signal()
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
        heartbeatInterval = partitions.configuration.heartbeatInterval
        machine = ConsumerMember(memberID: KafkaUUID.random().description)
        missing = MissingTopics(cluster: partitions.cluster)
    }

    var cluster: Cluster { partitions.cluster }
    var configuration: GroupConfiguration { partitions.configuration }
    var groupID: String { partitions.offsets.groupID }

    func begin() {
        identity.onRefusal { [weak self] error, member in
            await self?.commitWasRefused(error, member) ?? false
        }
        let partitions = partitions
        heartbeats = background("group heartbeats") { await self.beat() }
        tasks = [
            background("group steps") { await self.run() },
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
        handle(.subscribed)
        beatNow.notify()
        return true
    }

    /// - Returns: Whether the member is about to learn its next epoch.
    private func commitWasRefused(_ error: KafkaError, _ member: ConsumerGroupMetadata) -> Bool {
        // The next heartbeat brings the new epoch. For TxnOffsetCommit the coordinator reports a stale epoch as
        // ILLEGAL_GENERATION.
        if error.code == .staleMemberEpoch || error.code == .illegalGeneration {
            beatNow.notify()
            return machine.sendsHeartbeats && machine.epoch > 0
        }
        handle(.refused(error, epoch: member.generationID))
        return false
    }

    func handle(_ event: ConsumerMember.Event) {
        machine.handle(event)
        // A member with epoch 0 has not joined yet.
        identity.become(memberID: machine.memberID, generation: machine.epoch > 0 ? machine.epoch : -1)
        wake.notify()
    }

    // MARK: The steps

    private func run() async {
        while !Task.isCancelled {
            switch machine.state {
            case .joining, .stable: await wake.wait()
            case .reconciling: await attempt("take over the partitions that group \(groupID) assigns", reconcile)
            case .fenced: await attempt("revoke the partitions of group \(groupID)", drop)
            case .failed(let error): return await fail(error)
            case .leaving, .left: return
            }
        }
    }

    /// - Parameter operation: The step's description, as an infinitive.
    private func attempt(_ operation: String, _ step: () async throws -> Void) async {
        let epoch = machine.epoch
        do {
            try await step()
            succeeded(operation)
        } catch let error as KafkaError {
            partitions.buffer.release()
            guard let pause = pause(after: error, operation) else { return handle(.refused(error, epoch: epoch)) }
            try? await cluster.timing.sleep(pause)
        } catch {
            // Cancelled: the loop ends.
        }
    }

    private func succeeded(_ operation: String) {
        retries[operation]?.succeeded(in: cluster)
    }

    /// - Returns: The pause before the next attempt; nil if the error must not be retried.
    private func pause(after error: KafkaError, _ operation: String) -> Duration? {
        retries[operation, default: Retry(operation, in: cluster)].failed(error, in: cluster)
    }

    private func reconcile() async throws {
        machine.handle(.reconciling)
        let target = try await named(machine.target)
        // A recreated topic has the same name and a new id, so its partitions are different ones.
        let revoked = Set(owned.filter { target[$0.key] != $0.value }.keys)
        if !revoked.isEmpty {
            guard await partitions.buffer.quiesce() else { throw CancellationError() }
            // The member may have been fenced while it waited for the application.
            guard machine.state == .reconciling else { return partitions.buffer.release() }
            for partition in revoked { owned[partition] = nil }
            await partitions.revoke(revoked, areLost: false)
            partitions.buffer.permitTimeouts()
        }
        let takeover = try await partitions.prepareTakeover(
            of: Set(target.keys).subtracting(owned.keys), asMember: true,
            Dictionary(target.map { ($0.key.topic, $0.value.topicID) }) { first, _ in first })
        if !takeover.isEmpty {
            guard await partitions.buffer.quiesce() else { throw CancellationError() }
            guard machine.state == .reconciling else { return partitions.buffer.release() }
            // The coordinator may have revoked some of them meanwhile.
            let wanted = takeover.filter { target[$0].map(machine.target.contains) ?? false }
            for partition in wanted.partitions { owned[partition] = target[partition] }
            await partitions.takeOver(wanted)
        }
        partitions.buffer.release()
        // The consumer reads the partitions that were taken over while the others are retried.
        if let error = takeover.retriable { throw error }
        let hasChanged = machine.owned != Set(owned.values)
        handle(.reconciled(Set(owned.values)))
        // If no broker knows a topic's name yet, the next heartbeat's answer triggers another lookup.
        if hasChanged { beatNow.notify() }
    }

    private func drop() async throws {
        guard await partitions.buffer.quiesce() else { throw CancellationError() }
        let lost = Set(owned.keys)
        owned = [:]
        await partitions.revoke(lost, areLost: true)
        partitions.buffer.release()
        handle(.dropped)
        beatNow.notify()
    }

    /// The partitions by topic name. Partitions whose topic name is unknown are omitted.
    private func named(_ target: Set<TopicIDPartition>) async throws -> [TopicPartition: TopicIDPartition] {
        let unknown = Set(target.map(\.topicID)).subtracting(names.keys)
        if !unknown.isEmpty { names.merge(try await cluster.names(ofTopics: unknown)) { $1 } }
        var named: [TopicPartition: TopicIDPartition] = [:]
        for one in target {
            if let name = names[one.topicID] { named[TopicPartition(topic: name, partition: one.partition)] = one }
        }
        reportUnnamed(unknown.subtracting(names.keys))
        return named
    }

    private func reportUnnamed(_ topics: Set<KafkaUUID>) {
        let operation = "find the topics that group \(groupID) assigns"
        guard !topics.isEmpty else {
            retries[operation]?.succeeded(in: cluster)
            return
        }
        retries[operation, default: Retry(operation, in: cluster)].failed(
            KafkaError(
                .unknownTopicId, "no broker knows the topic ids \(topics.briefly): their partitions are not read",
                isFromBroker: true),
            repeatedAfter: heartbeatInterval, in: cluster)
    }

    // MARK: Heartbeats

    private func beat() async {
        let beginning = cluster.timing.now()
        while !Task.isCancelled {
            let now = cluster.timing.now()
            if let leavesBy, now >= leavesBy { return }
            if machine.sendsHeartbeats {
                if machine.state != .leaving, let since = partitions.buffer.absence(since: beginning, at: now),
                    now - since > configuration.maximumPollInterval
                {
                    handle(.applicationAway)
                    await sendLeave(by: cluster.timing.now() + GroupPartitions.leaveLimit)
                } else {
                    await beatOnce()
                }
            }
            await beatNow.wait(until: cluster.timing.now() + pauseBeforeHeartbeat(), by: cluster.timing)
        }
    }

    /// The early heartbeats of a member that has joined: the first 20 at `earlyInterval`, and the next 30 at
    /// `intervalOfMembersWithoutPartitions` if it still has no partitions.
    private static let earlyHeartbeats = 50
    private static let heartbeatsOfMembersWithoutPartitions = 30
    private static let earlyInterval = Duration.milliseconds(200)
    private static let intervalOfMembersWithoutPartitions = Duration.seconds(1)

    /// The pause before the next heartbeat, which is short at first.
    ///
    /// The coordinator may assign partitions only some time after a member has joined
    /// (`group.consumer.assignment.interval.ms`, 1 s), and other members have to revoke them first. Members often start
    /// together: the first one gets all partitions and has to revoke most of them. A member learns its assignment only
    /// from heartbeats.
    private func pauseBeforeHeartbeat() -> Duration {
        guard machine.state == .stable, earlyHeartbeatsLeft > 0 else { return heartbeatInterval }
        let isAnyMember = earlyHeartbeatsLeft > Self.heartbeatsOfMembersWithoutPartitions
        guard isAnyMember || machine.target.isEmpty else { return heartbeatInterval }
        earlyHeartbeatsLeft -= 1
        return min(isAnyMember ? Self.earlyInterval : Self.intervalOfMembersWithoutPartitions, heartbeatInterval)
    }

    private func beatOnce() async {
        let report = machine.report
        let operation = report.epoch == 0 ? "join group \(groupID)" : "send a heartbeat to group \(groupID)"
        do {
            let request = try await heartbeat()
            if case .pattern = subscription { hasSentPattern = true }
            _ = try await partitions.coordinator.connection(role: .general)
            mayHaveJoined = true
            let response = try await partitions.coordinator.call(request)
            try await partitions.coordinator.check(
                response.errorCode, response.errorMessage ?? "group \(groupID) refused this member's heartbeat")
            if response.heartbeatIntervalMs > 0 { adopt(interval: .milliseconds(Int(response.heartbeatIntervalMs))) }
            succeeded(operation)
            if report.epoch == 0 { earlyHeartbeatsLeft = Self.earlyHeartbeats }
            handle(.accepted(response, to: report))
        } catch let error as KafkaError {
            guard let pause = pause(after: error, operation) else {
                return handle(.refused(error, epoch: report.epoch))
            }
            handle(.unanswered)
            try? await cluster.timing.sleep(pause)
            beatNow.notify()
        } catch {
            // Cancelled: the loop ends.
        }
    }

    /// The heartbeat intervals that this client accepts from a coordinator; others are clamped.
    ///
    /// A shorter interval would flood the coordinator. With a longer one the member would learn a new assignment late,
    /// and the coordinator would notice late that the member is gone.
    private static let intervals = Duration.milliseconds(10)...Duration.seconds(60)

    private func adopt(interval requested: Duration) {
        let interval = min(max(requested, Self.intervals.lowerBound), Self.intervals.upperBound)
        if interval < requested, interval != heartbeatInterval {
            cluster.observer?.longHeartbeatInterval(group: groupID, requested, using: interval)
        }
        heartbeatInterval = interval
    }

    private func heartbeat() async throws -> ConsumerGroupHeartbeatRequest {
        var request = ConsumerGroupHeartbeatRequest(
            groupId: groupID, memberId: machine.memberID, memberEpoch: machine.epoch)
        if machine.sendsPartitions {
            request.topicPartitions = Dictionary(grouping: machine.report.owned, by: \.topicID).map { id, partitions in
                ConsumerGroupHeartbeatTopicPartitions(
                    topicId: id, partitions: partitions.map(\.partition).sorted())
            }
        }
        guard machine.sendsAllFields else { return request }
        request.instanceId = configuration.groupInstanceID
        request.rackId = cluster.configuration.consumer.rackOfMember
        request.rebalanceTimeoutMs = configuration.maximumPollInterval.asMilliseconds
        request.serverAssignor = configuration.remoteAssignor
        switch subscription {
        case .topics(let topics):
            request.subscribedTopicNames = Set(topics).sorted()
            if hasSentPattern { request.subscribedTopicRegex = "" }
        case .pattern(let pattern):
            let version = try await partitions.coordinator.connection(role: .general).version(
                for: ConsumerGroupHeartbeatRequest.self)
            guard version >= 1 else {
                throw KafkaError(
                    .unsupportedVersion,
                    "the broker does not support topic patterns with group.protocol=consumer; name the topics, or use group.protocol=classic"
                )
            }
            request.subscribedTopicNames = []
            request.subscribedTopicRegex = pattern
        }
        return request
    }
}
