extension Fetcher {
    /// Resolves leaders and offsets of partitions that lack them, and starts the loops of brokers that have none.
    func keepHouse() async {
        let backoff = cluster.configuration.backoff
        var failures = 0
        while !isClosed, !Task.isCancelled {
            do {
                if setbacks > 0 {
                    // A broker that has refused or failed a moment ago rarely succeeds at once.
                    let delay = backoff.delay(afterFailures: setbacks, random: cluster.timing.random())
                    try await cluster.timing.sleep(delay)
                }
                let isWaiting = [try await findLeaders(), try await findOffsets(), try await dispelDoubts()]
                startLoops()
                succeeded(.metadata)
                guard !isWaiting.contains(true) else {
                    failures += 1
                    let delay = backoff.delay(afterFailures: failures, random: cluster.timing.random())
                    try await cluster.timing.sleep(delay)
                    continue
                }
                failures = 0
                await attention.wait(until: knowledgeExpires)
                if cluster.timing.now() >= knowledgeExpires { try await refreshLeaders() }
            } catch is CancellationError {
                return
            } catch {
                let error =
                    error as? KafkaError ?? KafkaError(.unknownServerError, "the cluster can't be asked: \(error)")
                guard error.isRetriable else { return buffer.fail(error) }
                failures += 1
                startLoops()
                let delay = backoff.delay(afterFailures: failures, random: cluster.timing.random())
                retries(.metadata, error, after: delay)
                try? await cluster.timing.sleep(delay)
            }
        }
    }

    /// When the leaders are looked up again although nothing has failed (`metadata.max.age.ms`).
    private var knowledgeExpires: ContinuousClock.Instant { lastRefresh + cluster.configuration.maximumMetadataAge }

    /// Moves partitions whose leader has changed unnoticed: the old one may answer for a while.
    ///
    /// Before version 13, fetches name topics only by their names, so this is also how a recreated topic is noticed.
    private func refreshLeaders() async throws {
        lastRefresh = cluster.timing.now()
        try await cluster.refresh(topics: Set(partitions.keys.map(\.topic)).sorted())
        for key in partitions.keys {
            let (topic, leader) = (await cluster.topic(key.topic), await cluster.leader(of: key))
            // `findLeaders` resolves the topic id and the leader of partitions that have none yet.
            guard let known = partitions[key], known.leader != nil else { continue }
            if let topic, known.isOther(topic.id) {
                // Looked up again at once, which finds the other id.
                partitions[key]?.leader = nil
                partitions[key]?.replica = nil
            } else if let leader, leader.epoch > known.leaderEpoch {
                partitions[key]?.follow(leader.node, epoch: leader.epoch)
            }
        }
    }

    /// - Returns: Whether partitions are left without a leader.
    private func findLeaders() async throws -> Bool {
        let leaderless = partitions.filter { $0.value.leader == nil && !$0.value.hasFailed }.keys
        guard !leaderless.isEmpty else { return false }
        let topics = Set(leaderless.map(\.topic)).sorted()
        let errors = try await cluster.refresh(topics: topics)
        let requested = await createMissing(topics, errors)
        var waiting = requested
        for key in leaderless where !requested.contains(key.topic) {
            guard let error = await findLeader(of: key, errors[key.topic]) else { continue }
            let obstacle = Obstacle.leaders(topic: key.topic)
            let now = cluster.timing.now()
            let isMissing =
                error.code == .unknownTopicOrPartition
                && now - (waits[obstacle]?.since ?? now) > cluster.configuration.defaultAPITimeout
            if !error.isRetriable || isMissing {
                fail(key, error)
            } else {
                if waiting.insert(key.topic).inserted { retries(obstacle, error) }
            }
        }
        for topic in topics where !waiting.contains(topic) { succeeded(.leaders(topic: topic)) }
        return !waiting.isEmpty
    }

    /// Has a broker create those topics that are missing and may be created.
    ///
    /// - Returns: The topics that this was requested for the first time for. Their errors say nothing yet: a broker creates
    ///   a topic beside its answer.
    private func createMissing(_ topics: [String], _ errors: [String: ErrorCode]) async -> Set<String> {
        guard !creatableTopics.isEmpty else { return [] }
        for topic in topics where errors[topic] == nil { creatableTopics[topic] = nil }
        let missing = topics.filter { errors[$0] == .unknownTopicOrPartition && creatableTopics[$0] != nil }
        guard !missing.isEmpty else { return [] }
        let new = missing.filter { creatableTopics[$0] == false }
        for topic in new { creatableTopics[topic] = true }
        // If this fails, the next round repeats it.
        try? await cluster.createMissing(topics: missing)
        return Set(new)
    }

    /// - Parameter code: The error that a broker gave for the topic; nil for none.
    /// - Returns: Why there is no leader; nil if one was found, or the partition isn't wanted any more.
    private func findLeader(of key: TopicPartition, _ code: ErrorCode?) async -> KafkaError? {
        if let code { return KafkaError.ofTopic(code, key.topic) }
        let topic = await cluster.topic(key.topic)
        let leader = await cluster.leader(of: key)
        // Read after the last wait: another assignment may have replaced it meanwhile.
        guard var partition = partitions[key], !partition.hasFailed else { return nil }
        guard let topic else { return KafkaError.ofTopic(.unknownTopicOrPartition, key.topic) }
        if partition.isOther(topic.id) {
            guard partition.certainty == .described else { return mismatch(key, topic.id) }
            // Earlier metadata were out of date. An offset that a broker named may be one of the other topic.
            if case .offset = partition.start {} else { partition.position = nil }
        }
        partition.mismatchSince = nil
        if topic.id != .zero { partition.topicID = topic.id }
        topicNames[partition.topicID] = key.topic
        buffer.identify(partition.slot, as: partition.topicID)
        if let leader { partition.follow(leader.node, epoch: leader.epoch) }
        partitions[key] = partition
        guard leader == nil else { return nil }
        let exists = topic.partition(key.partition) != nil
        return KafkaError(
            exists ? .leaderNotAvailable : .unknownTopicOrPartition,
            exists ? "the partition has no leader at the moment" : "the topic has no such partition",
            topic: key.topic, partition: key.partition)
    }

    /// The metadata name another topic id than that of the topic to read.
    ///
    /// - Returns: INCONSISTENT_TOPIC_ID. Retriable at first, since brokers learn of a new topic one after the other: for
    ///   `retry.backoff.max.ms` if records of the topic were fetched. If nothing was fetched yet, for
    ///   `default.api.timeout.ms`: a group assigns the partition again if its topic was recreated.
    private func mismatch(_ key: TopicPartition, _ id: KafkaUUID) -> KafkaError {
        let now = cluster.timing.now()
        let since = partitions[key]?.mismatchSince ?? now
        partitions[key]?.mismatchSince = since
        let known = partitions[key]?.topicID ?? .zero
        let wasFetched = partitions[key]?.certainty == .fetched
        let patience =
            wasFetched ? cluster.configuration.maximumRetryBackoff : cluster.configuration.defaultAPITimeout
        let what =
            wasFetched
            ? "was deleted and recreated while it was read"
            : "is not the one that the offset to begin with belongs to"
        return KafkaError(
            .inconsistentTopicId,
            "topic \(key.topic) \(what): its id was \(known) and is \(id). Seek to where reading is to resume",
            isRetriable: now - since < patience, topic: key.topic, partition: key.partition)
    }

    /// - Returns: Whether partitions are left without a position.
    private func findOffsets() async throws -> Bool {
        let wanted = partitions.filter {
            $0.value.position == nil && !$0.value.hasFailed && $0.value.leader != nil
        }
        return try await askLeaders(of: wanted, Obstacle.offsets) { leader, asked in
            let answers = try await self.cluster.offsets(
                of: asked.mapValues(\.start), ledBy: leader, self.configuration.isolationLevel,
                asked.mapValues(\.leaderEpoch))
            return await self.begin(asked, at: answers)
        }
    }

    /// - Returns: The errors of partitions whose offset wasn't found.
    private func begin(
        _ asked: [TopicPartition: Partition], at answers: [TopicPartition: Result<ListedOffset, KafkaError>]
    ) -> [TopicPartition: KafkaError] {
        var errors: [TopicPartition: KafkaError] = [:]
        for (key, answer) in answers {
            guard let slot = asked[key]?.slot, partitions[key]?.slot == slot else { continue }
            switch answer {
            case .success(let listed):
                let position = FetchPosition(offset: listed.offset)
                partitions[key]?.position = position
                buffer.began(slot, at: position)
            case .failure(let error): errors[key] = error
            }
        }
        return errors
    }

    /// Asks the partitions' leaders for something, all at once: a silent leader doesn't delay the partitions of the
    /// others, which are fetched as soon as possible.
    ///
    /// A partition with a permanent error fails. After any other error its leader is looked up again.
    ///
    /// - Parameter ask: Returns the errors of single partitions, and throws an error of all.
    /// - Returns: Whether a leader has to be asked again.
    func askLeaders(
        of wanted: [TopicPartition: Partition], _ obstacle: (Int32) -> Obstacle,
        _ ask: @escaping @Sendable (Int32, [TopicPartition: Partition]) async throws -> [TopicPartition: KafkaError]
    ) async throws -> Bool {
        guard !wanted.isEmpty else { return false }
        typealias Outcome = (node: Int32, asked: [TopicPartition: Partition], errors: [TopicPartition: KafkaError])
        return try await withThrowingTaskGroup(of: Outcome.self) { questions in
            for (leader, group) in Dictionary(grouping: wanted, by: \.value.leader) {
                guard let leader else { continue }
                let asked = Dictionary(uniqueKeysWithValues: group)
                questions.addTask {
                    do {
                        return (leader, asked, try await ask(leader, asked))
                    } catch let error as KafkaError where !error.concernsClient {
                        return (leader, asked, asked.mapValues { _ in error })
                    }
                }
            }
            var isWaiting = false
            for try await (node, asked, errors) in questions {
                // Partitions of other leaders may have to wait for their responses.
                startLoops()
                var temporary: KafkaError?
                for (key, error) in errors.sorted(by: { $0.key < $1.key })
                where partitions[key]?.slot == asked[key]?.slot {
                    guard error.isRetriable || error.code == .unknownServerError else {
                        fail(key, error)
                        continue
                    }
                    partitions[key]?.leader = nil
                    temporary = temporary ?? error
                }
                if let temporary {
                    retries(obstacle(node), temporary)
                    isWaiting = true
                } else {
                    succeeded(obstacle(node))
                }
            }
            return isWaiting
        }
    }

    func startLoops() {
        for node in Set(partitions.values.filter { !$0.isPaused }.compactMap(\.source)) where loops[node] == nil {
            loops[node] = background("fetch from broker \(node)") { await self.fetch(from: node) }
        }
    }
}

extension Fetcher.Partition {
    /// Whether a topic id is known to be another one than that of the topic to read.
    func isOther(_ id: KafkaUUID) -> Bool { topicID != .zero && id != .zero && id != topicID }

    /// Another leader may have another log: it is compared with what was read before the partition is fetched again.
    mutating func follow(_ node: Int32, epoch: Int32) {
        if epoch > leaderEpoch, position.map({ $0.lastFetchedEpoch >= 0 }) == true { isDoubtful = true }
        leader = node
        leaderEpoch = epoch
    }
}
