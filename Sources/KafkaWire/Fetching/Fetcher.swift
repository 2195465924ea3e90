import Concurrency

/// Fetches the assigned partitions: one fetch loop for each broker, and one loop that resolves leaders and offsets.
///
/// ```
/// add, seek ──▶ no leader ──metadata──▶ no offset ──ListOffsets──▶ fetched by its broker's loop
///                  ▲                       ▲                            │
///                  └── error, lost broker ─┴─── offset out of range ────┘
/// ```
///
/// A partition with a permanent error is skipped until it is sought or assigned again.
///
/// The fetcher keeps what belongs to brokers. What belongs to a partition is in its `PartitionCursor`, in the buffer.
///
/// This file adds and removes partitions, `Fetcher+Metadata` resolves leaders and offsets, `Fetcher+Loop` sends the fetches,
/// `Fetcher+Responses` handles the responses and `Fetcher+Isolation` those that never arrive, `Fetcher+Validation` detects
/// truncated logs, `Fetcher+Waiting` reports what is retried.
actor Fetcher {
    let cluster: Cluster
    let configuration: ConsumerConfiguration
    let buffer: FetchBuffer
    nonisolated var offsetReset: ConsumerConfiguration.OffsetReset { configuration.offsetReset }
    var topicNames: [KafkaUUID: String] = [:]
    /// The topics that were assigned by hand and not found yet, which brokers may create, and whether a broker was asked to.
    var creatableTopics: [String: Bool] = [:]
    var sessions: [Int32: FetchSession] = [:]
    var loops: [Int32: Task<Void, Never>] = [:]
    private var metadataLoop: Task<Void, Never>?
    /// How much each broker is asked for at once, if less than the configuration says.
    var budgets: [Int32: FetchBudget] = [:]
    /// The partitions one of which makes a broker's responses unusable: each is fetched by itself until it is cleared.
    var suspects: [Int32: Set<TopicPartition>] = [:]
    /// How often in a row a broker's partitions had to be fetched one by one.
    var isolations: [Int32: Int] = [:]
    var waits: [Obstacle: Wait] = [:]
    /// Notified when leaders or offsets have to be resolved.
    let attention = Signal()
    /// The number of refused partitions and lost brokers since records came last.
    var setbacks = 0
    var lastRefresh: ContinuousClock.Instant
    private(set) var isClosed = false

    init(cluster: Cluster, configuration: ConsumerConfiguration, buffer: FetchBuffer) {
        self.cluster = cluster
        self.configuration = configuration
        self.buffer = buffer
        lastRefresh = cluster.timing.now()
    }

    // MARK: Partitions

    /// Fetches these partitions and no others, each from the given place.
    func assign(_ starts: [TopicPartition: ConsumerStart], creatingTopics: Bool = false) {
        buffer.remove(Array(buffer.collect { _ in true }.keys))
        creatableTopics = [:]
        forgetWaits()
        add(starts, creatingTopics: creatingTopics)
    }

    /// Fetches these partitions too. If one is fetched already, it restarts at the given place.
    ///
    /// - Parameter creatingTopics: Whether brokers are asked to create topics that are missing.
    func add(_ starts: [TopicPartition: ConsumerStart], creatingTopics: Bool = false) {
        if creatingTopics {
            for (key, start) in starts
            where start.topicID == .zero && buffer.cursor(of: key)?.topicID ?? .zero == .zero {
                creatableTopics[key.topic] = creatableTopics[key.topic] ?? false
            }
        }
        place(starts)
        resume()
    }

    /// Has a batch handed out again, unless its partition was taken away or sought meanwhile.
    ///
    /// The partition keeps its topic id. If the topic was recreated meanwhile the partition fails, since the new topic has
    /// other records at the old offset.
    func rewind(_ redelivery: Redelivery) {
        guard buffer.cursor(redelivery.slot) != nil else { return }
        let position = redelivery.position
        place([
            redelivery.partition: ConsumerStart(.offset(position.offset), leaderEpoch: position.lastFetchedEpoch)
        ])
        attention.notify()
    }

    private func place(_ starts: [TopicPartition: ConsumerStart]) {
        for (key, start) in starts where start.topicID != .zero { topicNames[start.topicID] = key.topic }
        buffer.place(starts, maximumBytes: Int32(clamping: configuration.maximumPartitionFetchBytes))
    }

    /// Stops fetching these partitions, which were assigned by hand.
    func remove(_ keys: [TopicPartition]) {
        buffer.remove(keys)
        forgetWaits()
    }

    /// Stops fetching these partitions, which a group has revoked. No batch of them is handed out from now on.
    func revoke(_ keys: some Sequence<TopicPartition> & Sendable) {
        buffer.remove(Array(keys), forGroup: true)
        forgetWaits()
        resume()
    }

    /// - Returns: The partitions that aren't assigned; the others are sought.
    func seek(_ places: [TopicPartition: ConsumerStart]) -> [TopicPartition] {
        let assigned = buffer.collect { _ in true }
        add(places.filter { assigned[$0.key] != nil })
        return places.keys.filter { assigned[$0] == nil }
    }

    func setPaused(_ isPaused: Bool, _ keys: [TopicPartition]) {
        buffer.setPaused(isPaused, keys)
        attention.notify()
    }

    /// Clears an earlier failure of all partitions, so that fetching can resume.
    private func resume() {
        guard !isClosed else { return }
        buffer.clearFailure()
        if metadataLoop == nil {
            metadataLoop = background("leaders and offsets") { await self.keepMetadataCurrent() }
        }
        attention.notify()
    }

    private func keepMetadataCurrent() async {
        await runMetadataLoop()
        metadataLoop = nil
    }

    func close() {
        isClosed = true
        metadataLoop?.cancel()
        for loop in loops.values { loop.cancel() }
        buffer.finish()
    }
}

extension Fetcher {
    /// Adds partitions that can't be read, each with its error.
    func add(failed: [TopicPartition: KafkaError]) {
        // Without a position: nothing is committed for them until they are sought.
        add(failed.mapValues { _ in ConsumerStart(.earliest) })
        for (partition, error) in failed {
            if let slot = buffer.cursor(of: partition)?.slot { buffer.queueFailure(slot, error) }
        }
    }
}
