/// Keeps a consumer's partitions fetched: one loop for each broker that leads any, and one that keeps house.
///
/// ```
/// assign ──▶ no offset ──ListOffsets──▶ no leader ──metadata──▶ fetched by its leader's loop
///                ▲                          ▲                          │
///                └─ offset out of range ────┴──── error, lost broker ──┘
/// ```
actor Fetcher {
    private struct Partition {
        let slot: Int
        var topicID: KafkaUUID
        /// Where the next fetch begins; nil while it has to be asked for.
        var position: FetchPosition?
        /// What to ask for where `position` is nil.
        var start: OffsetSpec
        var leader: Int32?
        var leaderEpoch: Int32 = -1
        var maximumBytes: Int32
    }

    private let cluster: Cluster
    private let configuration: ConsumerConfiguration
    private let buffer: FetchBuffer
    private let offsetReset: ConsumerConfiguration.OffsetReset
    private var partitions: [TopicPartition: Partition] = [:]
    private var topicNames: [KafkaUUID: String] = [:]
    private var assignment = 0
    private var sessions: [Int32: FetchSession] = [:]
    private var loops: [Int32: Task<Void, Never>] = [:]
    private var housekeeping: Task<Void, Never>?
    private let attention = Signal()
    /// How often in a row a broker has refused a partition or was lost, since records came last.
    private var setbacks = 0
    private var lastRefresh: ContinuousClock.Instant
    private var isClosed = false

    init(cluster: Cluster, buffer: FetchBuffer, offsetReset: ConsumerConfiguration.OffsetReset) {
        self.cluster = cluster
        self.configuration = cluster.configuration.consumer
        self.buffer = buffer
        self.offsetReset = offsetReset
        lastRefresh = cluster.timing.now()
    }

    /// Fetches these partitions and no others, each from the given place.
    func assign(_ starts: [TopicPartition: ConsumerStart]) {
        let ordered = starts.keys.sorted()
        assignment = buffer.assign(ordered)
        partitions = [:]
        for (slot, key) in ordered.enumerated() {
            guard let start = starts[key] else { continue }
            var partition = Partition(
                slot: slot, topicID: .zero, position: nil, start: start.spec,
                maximumBytes: Int32(clamping: configuration.maximumPartitionFetchBytes))
            if case .offset(let offset) = start.spec {
                partition.position = FetchPosition(offset: offset, lastFetchedEpoch: start.leaderEpoch)
                buffer.began(slot: slot, at: offset, assignment: assignment)
            }
            partitions[key] = partition
        }
        if housekeeping == nil, !isClosed {
            housekeeping = Task { await self.keepHouse() }
        }
        attention.notify()
    }

    func close() {
        isClosed = true
        housekeeping?.cancel()
        for loop in loops.values { loop.cancel() }
        buffer.finish()
    }

    // MARK: Housekeeping

    /// Finds leaders and offsets where they are missing, and starts the loops of brokers that have none.
    private func keepHouse() async {
        let backoff = Backoff(
            initial: cluster.configuration.retryBackoff, maximum: cluster.configuration.retryBackoffMaximum)
        var failures = 0
        var troubledSince: ContinuousClock.Instant?
        while !isClosed, !Task.isCancelled {
            do {
                if setbacks > 0 {
                    // What a broker refused, or lost, a moment ago is rarely better at once.
                    let delay = backoff.delay(afterFailures: setbacks, random: cluster.timing.random())
                    try await cluster.timing.sleep(delay)
                }
                try await findLeaders()
                try await findOffsets()
                startLoops()
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
            } catch {
                return  // cancelled
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
            partitions[key]?.leader = leader.node
            partitions[key]?.leaderEpoch = leader.epoch
        }
    }

    private func findLeaders() async throws {
        let leaderless = partitions.filter { $0.value.leader == nil }.keys
        guard !leaderless.isEmpty else { return }
        let topics = Set(leaderless.map(\.topic)).sorted()
        let errors = try await cluster.refresh(topics: topics)
        for (topic, code) in errors where topics.contains(topic) {
            throw KafkaError.ofTopic(code, topic)
        }
        var missing: KafkaError?
        for key in leaderless {
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
            if let leader {
                partition.leader = leader.node
                partition.leaderEpoch = leader.epoch
            } else if topic.partition(key.partition) == nil {
                missing = KafkaError(
                    .unknownTopicOrPartition, "the topic has no such partition", topic: key.topic,
                    partition: key.partition)
            } else {
                missing = KafkaError(
                    .leaderNotAvailable, "the partition has no leader at the moment", topic: key.topic,
                    partition: key.partition)
            }
            partitions[key] = partition
        }
        if let missing { throw missing }
    }

    private func findOffsets() async throws {
        let before = assignment
        let wanted = partitions.filter { $0.value.position == nil }.mapValues(\.start)
        guard !wanted.isEmpty else { return }
        let found = try await cluster.listOffsets(wanted)
        guard assignment == before else { return attention.notify() }
        for (key, listed) in found {
            guard let slot = partitions[key]?.slot else { continue }
            partitions[key]?.position = FetchPosition(offset: listed.offset)
            buffer.began(slot: slot, at: listed.offset, assignment: assignment)
        }
    }

    private func startLoops() {
        for node in Set(partitions.values.compactMap(\.leader)) where loops[node] == nil {
            loops[node] = Task { await self.fetch(from: node) }
        }
    }

    // MARK: One broker's loop

    private func fetch(from node: Int32) async {
        defer { loops[node] = nil }
        while !isClosed, !Task.isCancelled {
            let wanted = fetches(from: node)
            guard !wanted.isEmpty else { return }
            do {
                let connection = try await cluster.connection(to: node, role: .fetch)
                let gate = try await fetchOnce(wanted, from: node, over: connection)
                await gate?.wait()
            } catch is CancellationError {
                return
            } catch {
                sessions[node]?.reset()
                // Bytes that can't be read would be the same the next time.
                if let error = error as? KafkaError, !error.isRetriable || error.code == .corruptMessage {
                    return buffer.fail(error)
                }
                setbacks += 1
                // Whether another broker leads them meanwhile, the housekeeping finds out.
                for key in wanted.keys { partitions[key]?.leader = nil }
                return attention.notify()
            }
        }
    }

    private func fetches(from node: Int32) -> [TopicPartition: PartitionFetch] {
        var wanted: [TopicPartition: PartitionFetch] = [:]
        for (key, partition) in partitions where partition.leader == node {
            guard let position = partition.position else { continue }
            wanted[key] = PartitionFetch(
                topicID: partition.topicID, position: position, leaderEpoch: partition.leaderEpoch,
                maximumBytes: partition.maximumBytes)
        }
        return wanted
    }

    /// One request and its answer.
    ///
    /// - Returns: What opens when the consumer begins to take the answer; nil where there was no record in it.
    private func fetchOnce(
        _ wanted: [TopicPartition: PartitionFetch], from node: Int32, over connection: NegotiatedConnection
    ) async throws -> Signal? {
        let asked = sessions[node, default: FetchSession()].next(wanted)
        let assignment = assignment
        var version = try connection.version(for: FetchRequest.self)
        // Version 13 knows topics by their ids alone, which a cluster upgraded from before Kafka 2.8 may lack.
        if wanted.values.contains(where: { $0.topicID == .zero }) { version = min(version, 12) }
        let timeout = cluster.configuration.requestTimeout + configuration.fetchMaximumWait
        let response = try await connection.call(
            FetchRequest(asked, wanted, configuration, version: version), version: version, timeout: timeout,
            expectsResponse: true)
        guard let response else { return nil }
        switch ErrorCode(rawValue: response.errorCode) {
        case .none:
            sessions[node]?.succeeded(sessionID: version >= 7 ? response.sessionId : 0)
        case .fetchSessionIdNotFound, .invalidFetchSessionEpoch, .fetchSessionTopicIdError:
            sessions[node]?.reset()
            return nil
        case let code:
            throw KafkaError(code, "\(connection.address) refused a fetch", isFromBroker: true)
        }
        guard assignment == self.assignment else { return nil }
        return try accept(response, asked: wanted)
    }

    // MARK: Answers

    private func accept(_ response: FetchResponse, asked: [TopicPartition: PartitionFetch]) throws(KafkaError)
        -> Signal?
    {
        let gate = Signal()
        var parts: [FetchedPartition] = []
        for topic in response.responses {
            guard let name = topic.topic.isEmpty ? topicNames[topic.topicId] : topic.topic else { continue }
            for answer in topic.partitions {
                let key = TopicPartition(topic: name, partition: answer.partitionIndex)
                guard let fetch = asked[key], let partition = partitions[key] else { continue }
                let code = ErrorCode(rawValue: answer.errorCode)
                guard code == .none else {
                    try refused(key, code)
                    continue
                }
                if answer.divergingEpoch.epoch >= 0 {
                    throw KafkaError(
                        .offsetOutOfRange,
                        "the log was cut back: what was read up to here had leader epoch \(fetch.position.lastFetchedEpoch), which ends at offset \(answer.divergingEpoch.endOffset)",
                        topic: name, partition: key.partition, offset: fetch.position.offset)
                }
                buffer.saw(highWatermark: answer.highWatermark, slot: partition.slot, assignment: assignment)
                if let records = answer.records, !records.isEmpty {
                    if let part = try take(records, of: key, fetch, gate) { parts.append(part) }
                }
            }
        }
        guard !parts.isEmpty else { return nil }
        setbacks = 0
        buffer.append(parts)
        return gate
    }

    /// Moves a partition's position past the batches that have arrived whole.
    private func take(
        _ records: ByteSlice, of key: TopicPartition, _ fetch: PartitionFetch, _ gate: Signal
    ) throws(KafkaError) -> FetchedPartition? {
        guard let slot = partitions[key]?.slot else { return nil }
        let scan = try RecordBatchReader.scan(
            records, from: fetch.position.offset, topic: key.topic, partition: key.partition)
        guard scan.batchCount > 0 else {
            // Not one batch fits the limit; a broker before KIP-74 would send its beginning for ever.
            partitions[key]?.maximumBytes = fetch.maximumBytes > .max / 2 ? .max : max(fetch.maximumBytes, 1) * 2
            return nil
        }
        partitions[key]?.position = FetchPosition(
            offset: max(scan.nextOffset, fetch.position.offset), lastFetchedEpoch: scan.lastLeaderEpoch)
        return FetchedPartition(
            partition: key, slot: slot, firstOffset: fetch.position.offset, nextOffset: scan.nextOffset,
            records: records, assignment: assignment, gate: gate)
    }

    private func refused(_ key: TopicPartition, _ code: ErrorCode) throws(KafkaError) {
        let position = partitions[key]?.position
        switch code {
        case .offsetOutOfRange:
            guard offsetReset != .fail else {
                throw KafkaError(
                    code, "the log doesn't have this offset (any more, or yet)", isFromBroker: true, topic: key.topic,
                    partition: key.partition, offset: position?.offset)
            }
            partitions[key]?.start = offsetReset == .earliest ? .earliest : .latest
            partitions[key]?.position = nil
        case .corruptMessage:
            throw KafkaError(
                code, "the broker's log is damaged", isFromBroker: true, isRetriable: false, topic: key.topic,
                partition: key.partition, offset: position?.offset)
        case _ where code.isRetriable:
            partitions[key]?.leader = nil
            setbacks += 1
        default:
            throw KafkaError(
                code, "the broker refused to have the partition fetched", isFromBroker: true, topic: key.topic,
                partition: key.partition, offset: position?.offset)
        }
        attention.notify()
    }
}
