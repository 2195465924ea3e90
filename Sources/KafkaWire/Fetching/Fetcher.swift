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
/// This file holds the partitions, `Fetcher+Housekeeping` resolves leaders and offsets, `Fetcher+Loop` sends the fetches,
/// `Fetcher+Answers` handles the responses and `Fetcher+Isolation` those that never arrive, `Fetcher+Truncation` detects
/// truncated logs, `Fetcher+Waiting` reports what is retried.
actor Fetcher {
    struct Partition {
        var slot: FetchSlot
        /// The topic to read; zero while it is unknown. A seek keeps it, unless the application was told that the topic was
        /// recreated.
        var topicID = KafkaUUID.zero
        var certainty = Certainty.described
        /// Since when the metadata have named another topic id.
        var mismatchSince: ContinuousClock.Instant?
        /// Where the next fetch begins; nil while it has to be asked for.
        var position: FetchPosition?
        /// What to ask for where `position` is nil.
        var start: OffsetSpec
        var leader: Int32?
        var leaderEpoch: Int32 = -1
        /// The replica that the leader has sent this client to, and until when it is asked (KIP-392).
        var replica: (node: Int32, until: ContinuousClock.Instant)?
        /// Whether the leader is to be asked first if its log still has what was read last (KIP-320).
        var isDoubtful = false
        var isPaused = false
        /// Whether a permanent error has ended the reading of it.
        var hasFailed = false
        /// How often in a row a broker rejected its position.
        var resets = 0
        /// How many responses in a row held no whole batch.
        var shortfalls = 0
        var maximumBytes: Int32

        /// How certain it is that `topicID` is the topic to read.
        enum Certainty {
            /// The metadata named it, which may be out of date.
            case described
            /// The offset to begin with belongs to it.
            case given
            /// A broker has answered a fetch of it.
            case fetched
        }

        /// The broker to fetch from.
        var source: Int32? { leader == nil || hasFailed ? nil : replica?.node ?? leader }
    }

    let cluster: Cluster
    let configuration: ConsumerConfiguration
    let buffer: FetchBuffer
    nonisolated var offsetReset: ConsumerConfiguration.OffsetReset { configuration.offsetReset }
    var partitions: [TopicPartition: Partition] = [:]
    var topicNames: [KafkaUUID: String] = [:]
    /// The topics that brokers may be asked to create, which were assigned by hand and have not been found yet, and whether
    /// one was asked.
    var creatableTopics: [String: Bool] = [:]
    var sessions: [Int32: FetchSession] = [:]
    var loops: [Int32: Task<Void, Never>] = [:]
    private var housekeeping: Task<Void, Never>?
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

    // MARK: What is fetched

    /// Fetches these partitions and no others, each from the given place.
    func assign(_ starts: [TopicPartition: ConsumerStart], creatingTopics: Bool = false) {
        buffer.remove(Array(partitions.keys))
        partitions = [:]
        creatableTopics = [:]
        forgetWaits()
        add(starts, creatingTopics: creatingTopics)
    }

    /// Fetches these partitions too. One that is fetched already begins anew, at the given place.
    ///
    /// - Parameter creatingTopics: Whether brokers are asked to create topics that are missing.
    func add(_ starts: [TopicPartition: ConsumerStart], creatingTopics: Bool = false) {
        if creatingTopics {
            for (key, start) in starts where start.topicID == .zero && partitions[key]?.topicID ?? .zero == .zero {
                creatableTopics[key.topic] = creatableTopics[key.topic] ?? false
            }
        }
        place(starts)
        goOn()
    }

    /// Hands a batch out again, unless its partition was taken away or sought elsewhere meanwhile.
    ///
    /// The partition keeps its topic id. If the topic was recreated meanwhile the partition fails, since the new topic has
    /// other records at the old offset.
    func rewind(_ redelivery: Redelivery) {
        guard partitions[redelivery.partition]?.slot == redelivery.slot else { return }
        let position = redelivery.position
        place([
            redelivery.partition: ConsumerStart(.offset(position.offset), leaderEpoch: position.lastFetchedEpoch)
        ])
        attention.notify()
    }

    private func place(_ starts: [TopicPartition: ConsumerStart]) {
        let recreated = buffer.recreated(starts.keys)
        for (key, slot) in buffer.place(Array(starts.keys)) {
            guard let start = starts[key] else { continue }
            let known = partitions[key]
            var partition =
                known.flatMap { $0.hasFailed ? nil : $0 }
                ?? Partition(
                    slot: slot, start: start.spec, isPaused: known?.isPaused ?? false,
                    maximumBytes: Int32(clamping: configuration.maximumPartitionFetchBytes))
            if let known, known.hasFailed, !recreated.contains(key) {
                (partition.topicID, partition.certainty) = (known.topicID, known.certainty)
            }
            if start.topicID != .zero, start.topicID != partition.topicID {
                (partition.topicID, partition.certainty) = (start.topicID, .given)
                topicNames[start.topicID] = key.topic
            }
            partition.slot = slot
            buffer.identify(slot, as: partition.topicID)
            partition.start = start.spec
            partition.position = nil
            partition.isDoubtful = false
            partition.resets = 0
            partition.shortfalls = 0
            partition.mismatchSince = nil
            if case .offset(let offset) = start.spec {
                let position = FetchPosition(offset: offset, lastFetchedEpoch: start.leaderEpoch)
                partition.position = position
                partition.isDoubtful = position.lastFetchedEpoch >= 0
                buffer.began(slot, at: position, givenOf: start.topicID)
            }
            partitions[key] = partition
        }
    }

    /// Stops fetching these partitions, which were assigned by hand.
    func remove(_ keys: [TopicPartition]) {
        buffer.remove(keys)
        for key in keys { partitions[key] = nil }
        forgetWaits()
    }

    /// Reads a partition no further, since its data can't be read.
    func stop(_ key: TopicPartition, _ slot: FetchSlot) {
        if partitions[key]?.slot == slot { partitions[key]?.hasFailed = true }
    }

    /// Ends the reading of one partition with a permanent error, which the consumer gets after what was fetched before.
    func fail(_ key: TopicPartition, _ error: KafkaError) {
        guard let partition = partitions[key], !partition.hasFailed else { return }
        partitions[key]?.hasFailed = true
        var error = error
        error.topic = key.topic
        error.partition = key.partition
        buffer.append([
            FetchedPartition(
                slot: partition.slot, next: partition.position ?? FetchPosition(offset: 0), gate: Signal(),
                failure: error)
        ])
    }

    /// Stops fetching these partitions, which a group has taken away. No batch of them is handed out from now on.
    func giveUp(_ keys: some Sequence<TopicPartition> & Sendable) {
        let keys = Array(keys)
        buffer.remove(keys, forGroup: true)
        for key in keys { partitions[key] = nil }
        forgetWaits()
        goOn()
    }

    /// - Returns: The partitions that aren't assigned; the others are sought.
    func seek(_ places: [TopicPartition: ConsumerStart]) -> [TopicPartition] {
        add(places.filter { partitions[$0.key] != nil })
        return places.keys.filter { partitions[$0] == nil }
    }

    func setPaused(_ isPaused: Bool, _ keys: [TopicPartition]) {
        buffer.setPaused(isPaused, keys)
        for key in keys { partitions[key]?.isPaused = isPaused }
        attention.notify()
    }

    /// Clears an earlier failure of all partitions, so that fetching can resume.
    private func goOn() {
        guard !isClosed else { return }
        buffer.forgetFailure()
        if housekeeping == nil {
            housekeeping = background("leaders and offsets") { await self.keepHouseUntilDone() }
        }
        attention.notify()
    }

    private func keepHouseUntilDone() async {
        await keepHouse()
        housekeeping = nil
    }

    func close() {
        isClosed = true
        housekeeping?.cancel()
        for loop in loops.values { loop.cancel() }
        buffer.finish()
    }
}

extension Fetcher {
    /// Adds partitions that can't be read, each with its error.
    func add(failed: [TopicPartition: KafkaError]) {
        // Without a position: nothing is committed for them until they are sought.
        add(failed.mapValues { _ in ConsumerStart(.earliest) })
        for (partition, error) in failed { fail(partition, error) }
    }
}
