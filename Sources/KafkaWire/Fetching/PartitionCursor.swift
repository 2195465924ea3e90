import Concurrency

/// Everything that a consumer knows about one partition that it reads.
///
/// The fetcher moves `position`, where the next fetch begins. Behind it, the application moves `delivered` and
/// `processed`. The methods do no I/O and read no clock.
struct PartitionCursor: Sendable {
    let partition: TopicPartition
    /// The current assignment or seek of the partition.
    var slot: FetchSlot

    // MARK: The topic

    /// The topic to read; zero if unknown. A seek keeps it, unless the application was told that the topic was recreated.
    var topicID = KafkaUUID.zero
    var certainty = Certainty.described
    /// The time since when the metadata have named another topic id; nil if they don't.
    var mismatchSince: ContinuousClock.Instant?
    /// What the application had read of the partition before the last seek.
    var origin = Origin()

    // MARK: Fetching

    /// Where the next fetch begins; nil if the leader has to be asked for the offset.
    var position: FetchPosition?
    /// The place to begin at: the offset to ask the leader for if `position` is nil.
    var start: OffsetSpec
    var leader: Int32?
    var leaderEpoch: Int32 = -1
    /// The replica that the leader named for this client, and until when it is used (KIP-392).
    var replica: (node: Int32, until: ContinuousClock.Instant)?
    /// Whether the leader must confirm, before the next fetch, that its log still has what was read last (KIP-320).
    var needsValidation = false
    /// How often in a row a broker rejected the position.
    var resets = 0
    /// How many responses in a row contained no whole batch.
    var shortfalls = 0
    /// The most bytes to fetch at once.
    var maximumBytes: Int32
    /// What was last sent about the partition in a fetch session; nil if no session has it.
    var announced: Announcement?

    // MARK: Reading

    var isPaused = false
    /// The position after the last record or batch that the application was given.
    var delivered: FetchPosition?
    /// The position after the last record or batch that the application has processed.
    var processed: FetchPosition?
    /// The high watermark as of the last response; nil if unknown.
    var highWatermark: Int64?
    /// The offset up to which this consumer may read, as of the last response; nil if unknown.
    var end: Int64?
    /// The permanent error of the partition, which is not fetched any more; nil if there is none.
    var failure: Failure?

    /// How certain it is that `topicID` is the topic to read.
    enum Certainty {
        /// The metadata named it. They may be out of date.
        case described
        /// The offset to begin at belongs to it.
        case given
        /// A broker has answered a fetch of it.
        case fetched
    }

    /// The topic that the application had read when it sought the partition.
    ///
    /// An offset that the application names belongs to that topic, until it has read records of the topic that is fetched.
    struct Origin {
        /// Zero if it had read none.
        var topicID = KafkaUUID.zero
        /// The offset to begin at; nil if a broker names it.
        var offset: Int64?
    }

    /// What a fetch session has of a partition.
    struct Announcement {
        let session: FetchSession.Key
        let fetch: PartitionFetch
    }

    enum Failure {
        /// The error is in the queue, behind the batches that were fetched before.
        case pending
        /// The application was given the error.
        case reported(KafkaError)
    }

    var hasFailed: Bool { failure != nil }

    /// The error that the application was given; nil if there is none.
    var reportedFailure: KafkaError? {
        if case .reported(let error)? = failure { error } else { nil }
    }
}

// Places to read from, and the topic that an offset belongs to.
extension PartitionCursor {
    /// A cursor at another place.
    ///
    /// The partition stays paused, and keeps its topic unless the application was told that the topic was recreated. If it
    /// has failed, its leader is looked up again.
    func placed(at start: ConsumerStart, slot: FetchSlot, maximumBytes: Int32) -> PartitionCursor {
        var cursor = PartitionCursor(partition: partition, slot: slot, start: start.spec, maximumBytes: maximumBytes)
        cursor.isPaused = isPaused
        cursor.announced = announced
        cursor.origin.topicID = readTopicID
        if reportedFailure?.code != .inconsistentTopicId { (cursor.topicID, cursor.certainty) = (topicID, certainty) }
        if !hasFailed {
            (cursor.leader, cursor.leaderEpoch, cursor.replica) = (leader, leaderEpoch, replica)
            cursor.maximumBytes = self.maximumBytes
        }
        return cursor
    }

    /// Begins at the place to start from, if it is an offset. Otherwise the leader is asked for the offset.
    mutating func begin(at start: ConsumerStart) {
        if start.topicID != .zero, start.topicID != topicID { (topicID, certainty) = (start.topicID, .given) }
        guard case .offset(let offset) = start.spec else { return }
        let beginning = FetchPosition(offset: offset, lastFetchedEpoch: start.leaderEpoch)
        position = beginning
        needsValidation = beginning.lastFetchedEpoch >= 0
        (delivered, processed) = (beginning, beginning)
        origin.offset = offset
        if start.topicID != .zero { origin.topicID = start.topicID }
    }

    /// The offset to commit, with its topic; nil if nothing was read yet.
    var commit: TopicOffset? { processed.map { TopicOffset(offset: $0.asCommit, topicID: topicID(of: $0)) } }

    /// The topic that the application has read last. Offsets that it names belong to this topic.
    var readTopicID: KafkaUUID { topicID(of: delivered) }

    /// The topic that a position belongs to.
    private func topicID(of position: FetchPosition?) -> KafkaUUID {
        guard origin.topicID != .zero else { return topicID }
        guard let position else { return origin.topicID }
        return position.offset == origin.offset ? origin.topicID : topicID
    }
}
