/// Keeps a consumer's partitions fetched: one loop for each broker that any is read from, and one that keeps house.
///
/// ```
/// add, seek ──▶ no leader ──metadata──▶ no offset ──ListOffsets──▶ fetched by its broker's loop
///                  ▲                       ▲                            │
///                  └── error, lost broker ─┴─── offset out of range ────┘
/// ```
///
/// What belongs to which file: the partitions stand here, `Fetcher+Housekeeping` finds what is missing of them,
/// `Fetcher+Loop` asks brokers, `Fetcher+Answers` takes in what they say, `Fetcher+Truncation` looks out for logs that
/// were cut back.
actor Fetcher {
    struct Partition {
        var slot: FetchSlot
        var topicID = KafkaUUID.zero
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
        var maximumBytes: Int32

        /// The broker to fetch from.
        var source: Int32? { leader == nil ? nil : replica?.node ?? leader }
    }

    let cluster: Cluster
    let configuration: ConsumerConfiguration
    let buffer: FetchBuffer
    let offsetReset: ConsumerConfiguration.OffsetReset
    var partitions: [TopicPartition: Partition] = [:]
    var topicNames: [KafkaUUID: String] = [:]
    var sessions: [Int32: FetchSession] = [:]
    var loops: [Int32: Task<Void, Never>] = [:]
    private var housekeeping: Task<Void, Never>?
    let attention = Signal()
    /// How often in a row a broker has refused a partition or was lost, since records came last.
    var setbacks = 0
    var lastRefresh: ContinuousClock.Instant
    private(set) var isClosed = false

    init(cluster: Cluster, buffer: FetchBuffer, offsetReset: ConsumerConfiguration.OffsetReset) {
        self.cluster = cluster
        self.configuration = cluster.configuration.consumer
        self.buffer = buffer
        self.offsetReset = offsetReset
        lastRefresh = cluster.timing.now()
    }

    // MARK: What is fetched

    /// Fetches these partitions and no others, each from the given place.
    func assign(_ starts: [TopicPartition: ConsumerStart]) {
        buffer.remove(Array(partitions.keys))
        partitions = [:]
        add(starts)
    }

    /// Fetches these partitions too. One that is fetched already begins anew, at the given place.
    func add(_ starts: [TopicPartition: ConsumerStart]) {
        for (key, slot) in buffer.place(Array(starts.keys)) {
            guard let start = starts[key] else { continue }
            var partition =
                partitions[key]
                ?? Partition(
                    slot: slot, start: start.spec,
                    maximumBytes: Int32(clamping: configuration.maximumPartitionFetchBytes))
            partition.slot = slot
            buffer.identify(slot, as: partition.topicID)
            partition.start = start.spec
            partition.position = nil
            partition.isDoubtful = false
            if case .offset(let offset) = start.spec {
                let position = FetchPosition(offset: offset, lastFetchedEpoch: start.leaderEpoch)
                partition.position = position
                partition.isDoubtful = position.lastFetchedEpoch >= 0
                buffer.began(slot, at: position)
            }
            partitions[key] = partition
        }
        goOn()
    }

    /// Fetches these partitions no more, which a group has taken away; the others go on.
    ///
    /// At once no batch of them is handed out any more.
    func giveUp(_ keys: some Sequence<TopicPartition> & Sendable) {
        let keys = Array(keys)
        buffer.remove(keys, forGroup: true)
        for key in keys { partitions[key] = nil }
        goOn()
    }

    /// - Returns: The partitions that aren't fetched at all; the others are sought.
    func seek(_ places: [TopicPartition: ConsumerStart]) -> [TopicPartition] {
        add(places.filter { partitions[$0.key] != nil })
        return places.keys.filter { partitions[$0] == nil }
    }

    func setPaused(_ isPaused: Bool, _ keys: [TopicPartition]) {
        buffer.setPaused(isPaused, keys)
        for key in keys { partitions[key]?.isPaused = isPaused }
        attention.notify()
    }

    /// What made the fetching end may be otherwise now.
    private func goOn() {
        guard !isClosed else { return }
        buffer.forgetFailure()
        if housekeeping == nil {
            housekeeping = Task {
                await self.keepHouse()
                self.housekeeping = nil
            }
        }
        attention.notify()
    }

    func close() {
        isClosed = true
        housekeeping?.cancel()
        for loop in loops.values { loop.cancel() }
        buffer.finish()
    }
}
