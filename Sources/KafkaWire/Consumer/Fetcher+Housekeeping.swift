extension Fetcher {
    /// Finds leaders and offsets where they are missing, and starts the loops of brokers that have none.
    func keepHouse() async {
        let backoff = cluster.configuration.backoff
        var failures = 0
        var troubledSince: ContinuousClock.Instant?
        while !isClosed, !Task.isCancelled {
            do {
                if setbacks > 0 {
                    // What a broker refused, or lost, a moment ago is rarely better at once.
                    let delay = backoff.delay(afterFailures: setbacks, random: cluster.timing.random())
                    try await cluster.timing.sleep(delay)
                }
                // One partition's trouble is kept back until the others have what they need.
                let trouble = [try await findLeaders(), try await findOffsets(), try await dispelDoubts()]
                startLoops()
                if let first = trouble.compactMap({ $0 }).first { throw first }
                failures = 0
                troubledSince = nil
                await attention.wait(until: knowledgeExpires)
                if cluster.timing.now() >= knowledgeExpires { try await refreshLeaders() }
            } catch let error as KafkaError {
                failures += 1
                let since = troubledSince ?? cluster.timing.now()
                troubledSince = since
                // Kafka's clients try INCONSISTENT_TOPIC_ID again with fresh metadata; here it is what those have told.
                let isHopeless =
                    !error.isRetriable || error.code == .inconsistentTopicId && !error.isFromBroker
                    || error.code == .unknownTopicOrPartition
                        && cluster.timing.now() - since > cluster.configuration.defaultAPITimeout
                if isHopeless { return buffer.fail(error) }
                startLoops()
                let delay = backoff.delay(afterFailures: failures, random: cluster.timing.random())
                try? await cluster.timing.sleep(delay)
            } catch is CancellationError {
                return
            } catch {
                return buffer.fail(KafkaError(.unknownServerError, "the cluster can't be asked: \(error)"))
            }
        }
    }

    /// When what is known of the leaders is asked for again though nothing has gone wrong (`metadata.max.age.ms`).
    private var knowledgeExpires: ContinuousClock.Instant { lastRefresh + cluster.configuration.metadataMaximumAge }

    /// Moves partitions whose leader has changed unnoticed: the old one may go on answering for a while.
    private func refreshLeaders() async throws {
        lastRefresh = cluster.timing.now()
        try await cluster.refresh(topics: Set(partitions.keys.map(\.topic)).sorted())
        for key in partitions.keys {
            guard let leader = await cluster.leader(of: key), let known = partitions[key],
                leader.epoch > known.leaderEpoch
            else { continue }
            partitions[key]?.follow(leader.node, epoch: leader.epoch)
        }
    }

    /// - Returns: What is wrong with the first of the partitions for which no leader was found.
    private func findLeaders() async throws -> KafkaError? {
        let leaderless = partitions.filter { $0.value.leader == nil }.keys
        guard !leaderless.isEmpty else { return nil }
        let topics = Set(leaderless.map(\.topic)).sorted()
        let errors = try await cluster.refresh(topics: topics)
        var trouble: KafkaError?
        for key in leaderless {
            if let code = errors[key.topic] {
                trouble = trouble ?? KafkaError.ofTopic(code, key.topic)
                continue
            }
            guard let topic = await cluster.topic(key.topic) else { continue }
            let leader = await cluster.leader(of: key)
            // Read after the last wait: another assignment may have put another one in its place meanwhile.
            guard var partition = partitions[key] else { continue }
            if partition.topicID != .zero, topic.id != partition.topicID {
                throw KafkaError(
                    .inconsistentTopicId,
                    "the topic was deleted and made again while it was read: its id was \(partition.topicID) and is \(topic.id)",
                    isRetriable: false, topic: key.topic, partition: key.partition)
            }
            partition.topicID = topic.id
            topicNames[topic.id] = key.topic
            buffer.identify(partition.slot, as: topic.id)
            if let leader {
                partition.follow(leader.node, epoch: leader.epoch)
            } else {
                let exists = topic.partition(key.partition) != nil
                trouble =
                    trouble
                    ?? KafkaError(
                        exists ? .leaderNotAvailable : .unknownTopicOrPartition,
                        exists ? "the partition has no leader at the moment" : "the topic has no such partition",
                        topic: key.topic, partition: key.partition)
            }
            partitions[key] = partition
        }
        return trouble
    }

    /// - Returns: What is wrong with the first broker that didn't tell its partitions' offsets.
    private func findOffsets() async throws -> KafkaError? {
        try await ofEachLeader(partitions.filter { $0.value.position == nil && $0.value.leader != nil }) { _, asked in
            // Tried again by the housekeeping, since other partitions are to be looked after meanwhile.
            let found = try await self.cluster.listOffsets(
                asked.mapValues(\.start), isolation: self.configuration.isolationLevel, limit: .zero)
            await self.begin(asked, at: found)
        }
    }

    private func begin(_ asked: [TopicPartition: Partition], at found: [TopicPartition: ListedOffset]) {
        for (key, listed) in found {
            guard let slot = asked[key]?.slot, partitions[key]?.slot == slot else { continue }
            let position = FetchPosition(offset: listed.offset)
            partitions[key]?.position = position
            buffer.began(slot, at: position)
        }
    }

    /// Asks something of each partition's leader, all of them at once: one that is silent doesn't hold up the others, which
    /// are fetched as soon as they can be.
    ///
    /// - Returns: What is wrong with the first leader that something is wrong with. Where it may pass, the leader of its
    ///   partitions is looked for anew.
    func ofEachLeader(
        _ wanted: [TopicPartition: Partition],
        _ ask: @escaping @Sendable (Int32, [TopicPartition: Partition]) async throws -> Void
    ) async throws -> KafkaError? {
        try await withThrowingTaskGroup(of: (KafkaError, [TopicPartition])?.self) { questions in
            for (leader, group) in Dictionary(grouping: wanted, by: \.value.leader) {
                guard let leader else { continue }
                let asked = Dictionary(uniqueKeysWithValues: group)
                questions.addTask {
                    do {
                        try await ask(leader, asked)
                        return nil
                    } catch let error as KafkaError {
                        return (error, Array(asked.keys))
                    }
                }
            }
            var trouble: KafkaError?
            for try await failure in questions {
                // Those of other leaders may have to wait for their answers.
                startLoops()
                guard let (error, keys) = failure else { continue }
                if error.isRetriable {
                    for key in keys { partitions[key]?.leader = nil }
                }
                trouble = trouble ?? error
            }
            return trouble
        }
    }

    func startLoops() {
        for node in Set(partitions.values.filter { !$0.isPaused }.compactMap(\.source)) where loops[node] == nil {
            loops[node] = Task { await self.fetch(from: node) }
        }
    }
}

extension Fetcher.Partition {
    /// Another leader may have another log: what was read of the one before is compared with it first.
    mutating func follow(_ node: Int32, epoch: Int32) {
        if epoch > leaderEpoch, position.map({ $0.lastFetchedEpoch >= 0 }) == true { isDoubtful = true }
        leader = node
        leaderEpoch = epoch
    }
}
