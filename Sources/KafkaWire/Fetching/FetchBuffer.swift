import Concurrency

/// Holds fetched responses until the application takes them, and tracks each partition's position.
///
/// It is bounded by its gates: a broker has at most one answer in it, and is asked for the next when the consumer
/// begins to take this one. The parts of paused partitions wait with their gates open.
final class FetchBuffer: Sendable {
    struct Entry {
        let partition: TopicPartition
        /// Goes up with each assignment and each seek.
        var generation: Int
        /// The topic that is fetched; zero while it is unknown.
        var topicID = KafkaUUID.zero
        /// What the application knew when this generation began.
        var origin = Origin()
        var isPaused = false
        /// After the last batch that the application was given.
        var delivered: FetchPosition?
        /// After the last batch that the application is done with: it has asked for the one behind it.
        var processed: FetchPosition?
        /// As of the last response; nil before the first.
        var highWatermark: Int64?
        /// The offset up to which this consumer may read, as of the last response; nil before the first.
        var end: Int64?
        /// The permanent error that the application was given in place of the partition's next batch.
        var failure: KafkaError?
    }

    /// The topic that the application had read when it sought a partition.
    ///
    /// An offset that it gave by number belongs to that topic, until the application has read of the one that is fetched.
    struct Origin {
        /// Zero if it had read none.
        var topicID = KafkaUUID.zero
        /// The offset to begin with; nil if a broker names it.
        var offset: Int64?
    }

    /// The batch that the application is processing.
    struct Handout {
        let slot: FetchSlot
        var next: FetchPosition
        /// Whether a group has taken its partition away.
        var isLost = false
    }

    struct State {
        var queue: [FetchedPartition] = []
        var failure: KafkaError?
        var isFinished = false
        /// By `FetchSlot.index`; nil where none stands.
        var entries: [Entry?] = []
        var indices: [TopicPartition: Int] = [:]
        var lastGeneration = 0
        var handout: Handout?
        /// The `BatchReader.id` of the iterator that asked last.
        var reader = 0
        var lastReader = 0
        var lastResponse: ContinuousClock.Instant?
        var presence = Presence.notBegun
        /// No batch is handed out.
        var isHeld = false
        /// The application isn't let out of `next()` even when its time is up.
        var isPinned = false
        /// Whether the application is to leave `next()` though nothing has come.
        var isWoken = false
    }

    /// Where the application is.
    enum Presence {
        /// It has never asked for a batch.
        case notBegun
        /// It waits for one.
        case waiting
        case away(since: ContinuousClock.Instant)
        /// Its handler of failures runs within `next()`.
        case handlingFailure(since: ContinuousClock.Instant)
    }

    /// Whether an iterator begins with the batch that the iterator before it left unfinished.
    let redelivers: Bool
    let state = Lock(State())
    /// Notified when there is something to read.
    let arrival = Signal()
    /// Notified when the application comes back from a batch.
    let comeback = Signal()

    init(redelivers: Bool = false) {
        self.redelivers = redelivers
    }

    // MARK: What is fetched

    /// Makes room for partitions, or lets those that are there begin anew: what was fetched for them is dropped.
    func place(_ partitions: [TopicPartition]) -> [TopicPartition: FetchSlot] {
        let (slots, dropped) = state.withLock { state in
            var slots: [TopicPartition: FetchSlot] = [:]
            for partition in partitions { slots[partition] = state.place(partition) }
            return (slots, state.dropStale())
        }
        for part in dropped { part.gate.notify() }
        return slots
    }

    /// Takes partitions away: no batch of them is handed out any more once this returns.
    ///
    /// - Parameter forGroup: Whether others may have them from now on, so that what the application has of them isn't
    ///   its own any more.
    func remove(_ partitions: [TopicPartition], forGroup: Bool = false) {
        let dropped = state.withLock { state in
            for partition in partitions {
                guard let index = state.indices.removeValue(forKey: partition), let entry = state.entries[index] else {
                    continue
                }
                let slot = FetchSlot(index: index, generation: entry.generation)
                if forGroup, case .away = state.presence, let handout = state.handout, handout.slot == slot,
                    entry.processed != handout.next
                {
                    state.handout?.isLost = true
                }
                state.entries[index] = nil
            }
            return state.dropStale()
        }
        for part in dropped { part.gate.notify() }
    }

    /// Holds partitions back, or lets them go on. What was fetched of those that are held back stays.
    func setPaused(_ isPaused: Bool, _ partitions: [TopicPartition]) {
        let waiting = state.withLock { state in
            var changed: Set<Int> = []
            for partition in partitions {
                guard let index = state.indices[partition] else { continue }
                state.entries[index]?.isPaused = isPaused
                changed.insert(index)
            }
            return isPaused ? state.queue.filter { changed.contains($0.slot.index) } : []
        }
        // Other partitions of the same brokers are to go on.
        for part in waiting { part.gate.notify() }
        arrival.notify()
    }

    // MARK: For the fetcher

    func append(_ parts: [FetchedPartition]) {
        let open = state.withLock { state in
            var open: [FetchedPartition] = []
            for part in parts {
                guard let entry = state.entry(part.slot), entry.failure == nil else {
                    open.append(part)
                    continue
                }
                state.queue.append(part)
                if entry.isPaused { open.append(part) }
            }
            return open
        }
        for part in open { part.gate.notify() }
        arrival.notify()
    }

    /// Notes where a partition is read from: its beginning, or where it resumes after an offset that its log doesn't
    /// have. Then the position moves when all that was fetched before has been read.
    ///
    /// - Parameter topicID: The topic that an offset given by number belongs to, zero if the caller doesn't know. nil if a
    ///   broker named the offset: then it belongs to the topic that is fetched.
    func began(_ slot: FetchSlot, at position: FetchPosition, givenOf topicID: KafkaUUID? = nil) {
        state.withLock { state in
            guard let entry = state.entry(slot) else { return }
            if let topicID {
                state.entries[slot.index]?.origin.offset = position.offset
                if topicID != .zero { state.entries[slot.index]?.origin.topicID = topicID }
            }
            if entry.delivered == nil {
                state.entries[slot.index]?.delivered = position
                state.entries[slot.index]?.processed = position
            } else {
                state.queue.append(FetchedPartition(slot: slot, next: position, gate: Signal()))
            }
        }
        arrival.notify()
    }

    /// Notes which topic a partition is fetched from.
    func identify(_ slot: FetchSlot, as topicID: KafkaUUID) {
        state.withLock { state in
            guard state.entry(slot) != nil else { return }
            state.entries[slot.index]?.topicID = topicID
        }
    }

    /// Notes a partition's end. A negative number from the broker means that the broker doesn't know it.
    ///
    /// - Parameter end: The offset up to which this consumer may read.
    func saw(_ slot: FetchSlot, highWatermark: Int64, end: Int64) {
        state.withLock { state in
            guard state.entry(slot) != nil else { return }
            state.entries[slot.index]?.highWatermark = highWatermark < 0 ? nil : highWatermark
            state.entries[slot.index]?.end = end < 0 ? nil : end
        }
    }

    /// Notes that a broker has answered a fetch.
    func responded(at now: ContinuousClock.Instant) {
        state.withLock { $0.lastResponse = now }
    }

    /// Ends the reading of all partitions: the consumer throws this after what was fetched before, at each step, until
    /// `forgetFailure`.
    func fail(_ error: KafkaError) {
        state.withLock { $0.failure = $0.failure ?? error }
        arrival.notify()
    }

    /// Clears a failure of all partitions: another assignment, or a seek, is another attempt.
    func forgetFailure() {
        state.withLock { $0.failure = nil }
    }

    func finish() {
        let dropped = state.withLock { state in
            state.isFinished = true
            let dropped = state.queue
            state.queue = []
            return dropped
        }
        arrival.notify()
        for part in dropped { part.gate.notify() }
    }
}

extension FetchBuffer.Entry {
    /// The offset to commit.
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

extension FetchBuffer.State {
    /// The entry of a slot, nil where another one has taken its place.
    func entry(_ slot: FetchSlot) -> FetchBuffer.Entry? {
        guard let entry = entries[slot.index], entry.generation == slot.generation else { return nil }
        return entry
    }

    mutating func place(_ partition: TopicPartition) -> FetchSlot {
        lastGeneration += 1
        let index = indices[partition] ?? entries.firstIndex { $0 == nil } ?? entries.count
        if index == entries.count { entries.append(nil) }
        var entry = FetchBuffer.Entry(partition: partition, generation: lastGeneration)
        if indices[partition] != nil, let earlier = entries[index] {
            // A partition that is sought elsewhere stays paused.
            entry.isPaused = earlier.isPaused
            entry.origin.topicID = earlier.readTopicID
        }
        entries[index] = entry
        indices[partition] = index
        return FetchSlot(index: index, generation: lastGeneration)
    }

    /// Takes out of the queue what was fetched for slots that are no more.
    mutating func dropStale() -> [FetchedPartition] {
        let dropped = queue.filter { entry($0.slot) == nil }
        if !dropped.isEmpty { queue = queue.filter { entry($0.slot) != nil } }
        return dropped
    }
}
