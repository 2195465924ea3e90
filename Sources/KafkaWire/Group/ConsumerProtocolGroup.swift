import Concurrency

/// A member of a KIP-848 group: does what `ConsumerMember` says, and tells it what came of it.
///
/// One task sends heartbeats, one gives partitions up and takes them over, and one commits at intervals.
actor ConsumerProtocolGroup: GroupMembership {
    let partitions: GroupPartitions
    private let identity: GroupIdentity
    private var subscription: Subscription
    var machine: ConsumerMember
    /// The names of the topics that were ever assigned.
    private var names: [KafkaUUID: String] = [:]
    /// What this member has.
    var owned: [TopicPartition: TopicIDPartition] = [:]
    /// Whether the coordinator has a pattern that has to be taken back with another subscription.
    private var toldPattern = false
    private(set) var heartbeatInterval: Duration
    private var earlyHeartbeatsLeft = 0
    /// Whether a coordinator may know this member, though it hasn't answered yet.
    var hasSpoken = false
    private var failures = 0
    /// One for each step that is retried, by its description.
    private var reporters: [String: RetryReporter] = [:]
    private let missing: MissingTopics
    private let wake = Signal()
    private let beatNow = Signal()
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
        // Epoch 0 is that of one who is about to join.
        identity.become(memberID: machine.memberID, generation: machine.epoch > 0 ? machine.epoch : -1)
        wake.notify()
    }

    // MARK: The steps

    private func run() async {
        while !Task.isCancelled {
            switch machine.state {
            case .joining, .stable: await wake.wait()
            case .reconciling: await attempt("take over the partitions that group \(groupID) assigns", reconcile)
            case .fenced: await attempt("give up the partitions of group \(groupID)", drop)
            case .failed(let error): return await fail(error)
            case .leaving, .left: return
            }
        }
    }

    /// - Parameter operation: What the step does, as an infinitive.
    private func attempt(_ operation: String, _ step: () async throws -> Void) async {
        let epoch = machine.epoch
        do {
            try await step()
            succeeded(operation)
        } catch let error as KafkaError {
            partitions.buffer.release()
            guard error.isRetriable else { return handle(.refused(error, epoch: epoch)) }
            await wait(after: error, operation)
        } catch {
            // Cancelled: the loop ends.
        }
    }

    private func succeeded(_ operation: String) {
        failures = 0
        reporters[operation]?.succeeded(at: cluster.timing.now(), observer: cluster.observer)
    }

    private func wait(after error: KafkaError, _ operation: String) async {
        failures += 1
        let delay = cluster.configuration.backoff.delay(afterFailures: failures, random: cluster.timing.random())
        reporters[operation, default: RetryReporter(operation)].failed(
            error, at: cluster.timing.now(), retryingAfter: delay, observer: cluster.observer)
        try? await cluster.timing.sleep(delay)
    }

    private func reconcile() async throws {
        machine.handle(.reconciling)
        let target = try await named(machine.target)
        // A topic that was deleted and created again has the same name and another id: another partition.
        let revoked = Set(owned.filter { target[$0.key] != $0.value }.keys)
        if !revoked.isEmpty {
            guard await partitions.buffer.pin() else { throw CancellationError() }
            // The member may have been fenced while it waited for the application.
            guard machine.state == .reconciling else { return partitions.buffer.release() }
            for partition in revoked { owned[partition] = nil }
            await partitions.giveUp(revoked, areLost: false)
            partitions.buffer.unpin()
        }
        let takeover = try await partitions.prepareTakeover(
            of: Set(target.keys).subtracting(owned.keys), asMember: true,
            Dictionary(target.map { ($0.key.topic, $0.value.topicID) }) { first, _ in first })
        if !takeover.isEmpty {
            guard await partitions.buffer.pin() else { throw CancellationError() }
            guard machine.state == .reconciling else { return partitions.buffer.release() }
            // The coordinator may want some of them back already.
            let wanted = takeover.filter { target[$0].map(machine.target.contains) ?? false }
            for partition in wanted.partitions { owned[partition] = target[partition] }
            await partitions.takeOver(wanted)
        }
        partitions.buffer.release()
        // The partitions that are taken over are read while the others are retried.
        if let error = takeover.retriable { throw error }
        let hasChanged = machine.owned != Set(owned.values)
        handle(.reconciled(Set(owned.values)))
        // A topic of which no broker knows the name yet is asked for again with the next heartbeat.
        if hasChanged { beatNow.notify() }
    }

    private func drop() async throws {
        guard await partitions.buffer.pin() else { throw CancellationError() }
        let lost = Set(owned.keys)
        owned = [:]
        await partitions.giveUp(lost, areLost: true)
        partitions.buffer.release()
        handle(.dropped)
        beatNow.notify()
    }

    /// The partitions by their topics' names; those whose topic isn't known are left out.
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
            reporters[operation]?.succeeded(at: cluster.timing.now(), observer: cluster.observer)
            return
        }
        reporters[operation, default: RetryReporter(operation)].failed(
            KafkaError(
                .unknownTopicId, "no broker knows the topic ids \(topics.briefly): their partitions are not read",
                isFromBroker: true),
            at: cluster.timing.now(), retryingAfter: heartbeatInterval, observer: cluster.observer)
    }

    // MARK: Heartbeats

    private func beat() async {
        let beginning = cluster.timing.now()
        while !Task.isCancelled {
            let now = cluster.timing.now()
            if let leavesBy, now >= leavesBy { return }
            if machine.sendsHeartbeats {
                if machine.state != .leaving, let since = partitions.buffer.absence(since: beginning),
                    now - since > configuration.maximumPollInterval
                {
                    handle(.applicationAway)
                    await sendLeave(by: cluster.timing.now() + GroupPartitions.leaveLimit)
                } else {
                    await beatOnce()
                }
            }
            await beatNow.wait(until: cluster.timing.now() + pauseBeforeHeartbeat())
        }
    }

    /// How often a member that has joined asks early, and after how long each time: at first any member, then one that still
    /// has no partitions.
    private static let earlyHeartbeats = 50
    private static let heartbeatsOfMembersWithoutPartitions = 30
    private static let earlyInterval = Duration.milliseconds(200)
    private static let intervalOfMembersWithoutPartitions = Duration.seconds(1)

    /// The coordinator may assign partitions only some time after a member has joined (`group.consumer.assignment.interval.ms`,
    /// 1 s), and other members have to give them up first. Members often start together, so that the first of them gets all
    /// partitions and has to give most of them up. A member learns of all this by heartbeats alone, so the first ones follow
    /// soon.
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
            if case .pattern = subscription { toldPattern = true }
            _ = try await partitions.coordinator.connection(role: .general)
            hasSpoken = true
            let response = try await partitions.coordinator.call(request)
            try await partitions.coordinator.check(
                response.errorCode, response.errorMessage ?? "the group \(groupID) doesn't take this member")
            if response.heartbeatIntervalMs > 0 { adopt(interval: .milliseconds(Int(response.heartbeatIntervalMs))) }
            succeeded(operation)
            if report.epoch == 0 { earlyHeartbeatsLeft = Self.earlyHeartbeats }
            handle(.accepted(response, to: report))
        } catch let error as KafkaError {
            guard error.isRetriable else { return handle(.refused(error, epoch: report.epoch)) }
            handle(.unheard)
            await wait(after: error, operation)
            beatNow.notify()
        } catch {
            // Cancelled: the loop ends.
        }
    }

    /// The heartbeat intervals that a coordinator may ask for. A shorter one would be a flood; with a longer one the member
    /// would not learn of another assignment for as long, nor the coordinator that the member is gone.
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
        if machine.tellsPartitions {
            request.topicPartitions = Dictionary(grouping: machine.report.owned, by: \.topicID).map { id, partitions in
                ConsumerGroupHeartbeatTopicPartitions(
                    topicId: id, partitions: partitions.map(\.partition).sorted())
            }
        }
        guard machine.tellsEverything else { return request }
        request.instanceId = configuration.groupInstanceID
        request.rackId = cluster.configuration.consumer.rackOfMember
        request.rebalanceTimeoutMs = configuration.maximumPollInterval.asMilliseconds
        request.serverAssignor = configuration.remoteAssignor
        switch subscription {
        case .topics(let topics):
            request.subscribedTopicNames = Set(topics).sorted()
            if toldPattern { request.subscribedTopicRegex = "" }
        case .pattern(let pattern):
            let version = try await partitions.coordinator.connection(role: .general).version(
                for: ConsumerGroupHeartbeatRequest.self)
            guard version >= 1 else {
                throw KafkaError(
                    .unsupportedVersion,
                    "the broker takes no pattern for topics in groups of the protocol 'consumer'; name the topics, or use group.protocol=classic"
                )
            }
            request.subscribedTopicNames = []
            request.subscribedTopicRegex = pattern
        }
        return request
    }
}
