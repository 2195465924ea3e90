extension Fetcher {
    /// Resolves the leaders and offsets of partitions that have none, and starts the fetch loops that are missing.
    func runMetadataLoop() async {
        let backoff = cluster.configuration.backoff
        var failures = 0
        while !isClosed, !Task.isCancelled {
            do {
                if setbacks > 0 {
                    // A broker that has just refused or failed is unlikely to succeed at once.
                    let delay = backoff.delay(afterFailures: setbacks, random: cluster.timing.random())
                    try await cluster.timing.sleep(delay)
                }
                let isWaiting = [try await findLeaders(), try await findOffsets(), try await validatePositions()]
                startLoops()
                succeeded(.metadata)
                guard !isWaiting.contains(true) else {
                    failures += 1
                    let delay = backoff.delay(afterFailures: failures, random: cluster.timing.random())
                    try await cluster.timing.sleep(delay)
                    continue
                }
                failures = 0
                await attention.wait(until: metadataExpire, by: cluster.timing)
                if cluster.timing.now() >= metadataExpire { try await refreshLeaders() }
            } catch is CancellationError {
                return
            } catch {
                let error =
                    error as? KafkaError ?? KafkaError(.unknownServerError, "the metadata request failed: \(error)")
                guard error.isRetriable else { return buffer.fail(error) }
                failures += 1
                startLoops()
                let delay = backoff.delay(afterFailures: failures, random: cluster.timing.random())
                retries(.metadata, error, after: delay)
                try? await cluster.timing.sleep(delay)
            }
        }
    }

    /// When the leaders are looked up again even if nothing has failed (`metadata.max.age.ms`).
    private var metadataExpire: ContinuousClock.Instant { lastRefresh + cluster.configuration.maximumMetadataAge }

    /// Moves partitions whose leader has changed unnoticed, since the earlier leader may continue to answer.
    ///
    /// This also detects a recreated topic: before version 13, fetches identify topics only by name.
    private func refreshLeaders() async throws {
        lastRefresh = cluster.timing.now()
        let assigned = buffer.collect { _ in true }.keys
        try await cluster.refresh(topics: Set(assigned.map(\.topic)).sorted())
        for key in assigned {
            let (topic, leader) = (await cluster.topic(key.topic), await cluster.leader(of: key))
            // Read after the last suspension: the partition may have been sought meanwhile.
            guard let slot = buffer.cursor(of: key)?.slot else { continue }
            buffer.update(slot) { known in
                // `findLeaders` resolves the topic id and the leader of partitions that have no leader.
                guard known.leader != nil else { return }
                if let topic, known.isOther(topic.id) {
                    // The look-up that follows finds the other id.
                    known.forgetLeader()
                } else if let leader, leader.epoch > known.leaderEpoch {
                    known.follow(leader.node, epoch: leader.epoch)
                }
            }
        }
    }

    /// The cursors of the partitions that a condition holds for.
    func cursors(_ isIncluded: (PartitionCursor) -> Bool) -> [TopicPartition: PartitionCursor] {
        buffer.collect { isIncluded($0) ? $0 : nil }
    }

    /// - Returns: Whether partitions are left without a leader.
    private func findLeaders() async throws -> Bool {
        let leaderless = cursors(\.needsLeader)
        guard !leaderless.isEmpty else { return false }
        let topics = Set(leaderless.keys.map(\.topic)).sorted()
        let errors = try await cluster.refresh(topics: topics)
        let requested = await createMissing(topics, errors)
        var waiting = requested
        for (key, cursor) in leaderless where !requested.contains(key.topic) {
            guard let error = await findLeader(of: key, errors[key.topic]) else { continue }
            let obstacle = Obstacle.leaders(topic: key.topic)
            let now = cluster.timing.now()
            let isMissing =
                error.code == .unknownTopicOrPartition
                && now - (waits[obstacle]?.since ?? now) > cluster.configuration.defaultAPITimeout
            if !error.isRetriable || isMissing {
                // Read again: the partition may have been sought meanwhile.
                buffer.queueFailure(buffer.cursor(of: key)?.slot ?? cursor.slot, error)
            } else if waiting.insert(key.topic).inserted {
                retries(obstacle, error)
            }
        }
        for topic in topics where !waiting.contains(topic) { succeeded(.leaders(topic: topic)) }
        return !waiting.isEmpty
    }

    /// Asks a broker to create those topics that are missing and may be created.
    ///
    /// - Returns: The topics that were requested for the first time. Their errors are ignored, since a broker creates a topic
    ///   only after it has answered.
    private func createMissing(_ topics: [String], _ errors: [String: ErrorCode]) async -> Set<String> {
        guard !creatableTopics.isEmpty else { return [] }
        for topic in topics where errors[topic] == nil { creatableTopics[topic] = nil }
        let missing = topics.filter { errors[$0] == .unknownTopicOrPartition && creatableTopics[$0] != nil }
        guard !missing.isEmpty else { return [] }
        let new = missing.filter { creatableTopics[$0] == false }
        for topic in new { creatableTopics[topic] = true }
        // If this fails, the next round retries it.
        try? await cluster.createMissing(topics: missing)
        return Set(new)
    }

    /// - Parameter code: The error that a broker returned for the topic; nil if there is none.
    /// - Returns: Why there is no leader; nil if one was found, or the partition isn't assigned any more.
    private func findLeader(of key: TopicPartition, _ code: ErrorCode?) async -> KafkaError? {
        if let code { return KafkaError.ofTopic(code, key.topic) }
        let topic = await cluster.topic(key.topic)
        let leader = await cluster.leader(of: key)
        // Read after the last suspension: the partition may have been sought meanwhile.
        guard let cursor = buffer.cursor(of: key), !cursor.hasFailed else { return nil }
        guard let topic else { return KafkaError.ofTopic(.unknownTopicOrPartition, key.topic) }
        if cursor.isOther(topic.id), cursor.certainty != .described { return mismatch(cursor, topic.id) }
        topicNames[topic.id == .zero ? cursor.topicID : topic.id] = key.topic
        buffer.update(cursor.slot) { cursor in
            cursor.identify(as: topic.id)
            if let leader { cursor.follow(leader.node, epoch: leader.epoch) }
        }
        guard leader == nil else { return nil }
        let exists = topic.partition(key.partition) != nil
        return KafkaError(
            exists ? .leaderNotAvailable : .unknownTopicOrPartition,
            exists ? "the partition has no leader at the moment" : "the topic has no such partition",
            topic: key.topic, partition: key.partition)
    }

    /// Handles metadata that name another topic id than that of the topic to read.
    ///
    /// - Returns: INCONSISTENT_TOPIC_ID. Retriable at first, since brokers learn of a new topic one after the other: for
    ///   `retry.backoff.max.ms` if records of the topic were fetched. If nothing was fetched yet, for
    ///   `default.api.timeout.ms`: a group assigns the partition again if its topic was recreated.
    private func mismatch(_ cursor: PartitionCursor, _ id: KafkaUUID) -> KafkaError {
        let key = cursor.partition
        let now = cluster.timing.now()
        let since = buffer.update(cursor.slot) { $0.mismatched(at: now) } ?? now
        let known = cursor.topicID
        let wasFetched = cursor.certainty == .fetched
        let patience =
            wasFetched ? cluster.configuration.maximumRetryBackoff : cluster.configuration.defaultAPITimeout
        let what =
            wasFetched
            ? "was deleted and recreated while it was read"
            : "is not the topic that the offset to begin at belongs to"
        return KafkaError(
            .inconsistentTopicId,
            "topic \(key.topic) \(what): its id was \(known) and is \(id). Seek to where reading is to resume",
            isRetriable: now - since < patience, topic: key.topic, partition: key.partition)
    }

    /// - Returns: Whether partitions are left without a position.
    private func findOffsets() async throws -> Bool {
        try await askLeaders(of: cursors(\.needsOffset), Obstacle.offsets) { leader, asked in
            let answers = try await self.cluster.offsets(
                of: asked.mapValues(\.start), ledBy: leader, self.configuration.isolationLevel,
                asked.mapValues(\.leaderEpoch))
            return await self.begin(asked, at: answers)
        }
    }

    /// - Returns: The errors of partitions whose offset wasn't found.
    private func begin(
        _ asked: [TopicPartition: PartitionCursor], at answers: [TopicPartition: Result<ListedOffset, KafkaError>]
    ) -> [TopicPartition: KafkaError] {
        var errors: [TopicPartition: KafkaError] = [:]
        for (key, answer) in answers {
            guard let slot = asked[key]?.slot else { continue }
            switch answer {
            case .success(let listed):
                let position = FetchPosition(offset: listed.offset)
                buffer.update(slot) { $0.position = position }
                buffer.resume(slot, at: position)
            case .failure(let error): errors[key] = error
            }
        }
        return errors
    }

    /// Sends a request to each leader of the partitions, all at once. A silent leader doesn't delay the partitions of the
    /// others, which are fetched as soon as possible.
    ///
    /// A partition with a permanent error fails. After any other error its leader is looked up again.
    ///
    /// - Parameter ask: Returns the errors of single partitions, and throws an error that concerns all of them.
    /// - Returns: Whether a leader has to be asked again.
    func askLeaders(
        of wanted: [TopicPartition: PartitionCursor], _ obstacle: (Int32) -> Obstacle,
        _ ask:
            @escaping @Sendable (Int32, [TopicPartition: PartitionCursor]) async throws -> [TopicPartition: KafkaError]
    ) async throws -> Bool {
        guard !wanted.isEmpty else { return false }
        typealias Outcome = (
            node: Int32, asked: [TopicPartition: PartitionCursor], errors: [TopicPartition: KafkaError]
        )
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
                for (key, error) in errors.sorted(by: { $0.key < $1.key }) {
                    guard let slot = asked[key]?.slot else { continue }
                    guard error.isRetriable || error.code == .unknownServerError else {
                        buffer.queueFailure(slot, error)
                        continue
                    }
                    if buffer.update(slot, { $0.leader = nil }) != nil { temporary = temporary ?? error }
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

    /// Starts the fetch loops of brokers that have partitions and no loop.
    func startLoops() {
        for node in buffer.sources where loops[node] == nil {
            loops[node] = background("fetch from broker \(node)") { await self.fetch(from: node) }
        }
    }
}
