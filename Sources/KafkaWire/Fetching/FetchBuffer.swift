import Concurrency

/// The assigned partitions, and the responses that were fetched for them until the application takes them.
///
/// The fetcher and the application meet here. The gates bound the buffer: a broker has at most one response in it, and is
/// sent the next fetch when the application takes the first part of this one. The parts of paused partitions wait with
/// their gates open.
final class FetchBuffer: Sendable {
    struct State {
        var cursors = CursorTable()
        /// The fetched parts, in the order in which they arrived.
        var queue: [FetchedPartition] = []
        /// The part whose batches are being handed out; nil if there is none, or while a task decodes its next batch.
        var reading: FetchedPartition?
        /// The records of the current batch that were not handed out yet, if the application reads record by record; nil
        /// if there are none.
        var unread: UnreadRecords?
        /// The partition of the batch that the application is processing; nil while it waits for one.
        var current: FetchSlot?
        /// Whether a group has taken the partition of that batch away before the batch was processed.
        var isCurrentLost = false
        /// The error that has ended the reading of all partitions.
        var failure: KafkaError?
        /// Whether the consumer was closed.
        var isFinished = false
        /// The `BatchReader.id` of the iterator that asked last.
        var reader = 0
        var lastReader = 0
        var lastResponse: ContinuousClock.Instant?
        var presence = Presence.notBegun
        /// Whether no batch is handed out.
        var isHeld = false
        /// Whether the application has to stay in `next()` even if its time is up.
        var isQuiescent = false
        /// Whether the application has to leave `next()` although nothing has arrived.
        var isWoken = false
    }

    /// Where the application is.
    enum Presence {
        /// It has never asked for a batch.
        case notBegun
        /// It waits in `next()`.
        case waiting
        /// Its handler of a partition's failure runs within `next()`.
        case handlingFailure(since: ContinuousClock.Instant)
        /// It processes a batch, or does something else.
        case away(since: ContinuousClock.Instant)
        /// It has asked for a record since `absence` was read last. So that no record costs a look at the clock, its absence
        /// counts from when this is noticed.
        case awayWithinBatch

        var isAway: Bool {
            switch self {
            case .notBegun, .waiting: false
            case .handlingFailure, .away, .awayWithinBatch: true
            }
        }

        /// Whether a call of `next()` is in progress.
        var isInNext: Bool {
            switch self {
            case .waiting, .handlingFailure: true
            case .notBegun, .away, .awayWithinBatch: false
            }
        }
    }

    /// Whether an iterator begins with the batch that the iterator before it has left unfinished.
    let redelivers: Bool
    let timing: Timing
    /// Guards everything about the partitions, the fetched parts and the application's place in them. It is held for a few
    /// comparisons, or to copy one record: the decoding of batches, I/O and notifications happen outside.
    let state = Lock(State())
    /// Notified when there is something to read.
    let arrival = Signal()
    /// Notified when the application returns to `next()`.
    let applicationReturned = Signal()

    init(redelivers: Bool = false, timing: Timing = Timing()) {
        self.redelivers = redelivers
        self.timing = timing
    }

    // MARK: Partitions

    /// Adds partitions, or moves those that are assigned to another place: what was fetched for them is dropped.
    @discardableResult
    func place(
        _ starts: [TopicPartition: ConsumerStart], maximumBytes: Int32 = .max
    ) -> [TopicPartition: FetchSlot] {
        let (slots, dropped) = state.withLock { state in
            var slots: [TopicPartition: FetchSlot] = [:]
            for (partition, start) in starts {
                slots[partition] = state.cursors.place(partition, at: start, maximumBytes: maximumBytes)
            }
            return (slots, state.dropStale())
        }
        for part in dropped { part.gate.notify() }
        arrival.notify()
        return slots
    }

    /// Takes partitions away. When this returns, no batch of them is handed out any more.
    ///
    /// - Parameter forGroup: Whether other members may own the partitions from now on, so that the application's current
    ///   batch of them is lost.
    func remove(_ partitions: [TopicPartition], forGroup: Bool = false) {
        let dropped = state.withLock { state in
            for partition in partitions {
                guard let cursor = state.cursors.remove(partition) else { continue }
                if forGroup, state.presence.isAway, state.current == cursor.slot, cursor.isInProgress {
                    state.isCurrentLost = true
                }
            }
            return state.dropStale()
        }
        for part in dropped { part.gate.notify() }
    }

    /// Pauses or resumes partitions. What was fetched of paused partitions stays in the queue.
    func setPaused(_ isPaused: Bool, _ partitions: [TopicPartition]) {
        let waiting = state.withLock { state in
            var changed: Set<Int> = []
            for partition in partitions {
                state.cursors.update(partition) { cursor in
                    cursor.isPaused = isPaused
                    changed.insert(cursor.slot.index)
                }
            }
            return isPaused ? state.queue.filter { changed.contains($0.slot.index) } : []
        }
        // The next fetches for the other partitions of the same brokers must not wait for the paused ones.
        for part in waiting { part.gate.notify() }
        arrival.notify()
    }

    /// The cursor of a partition; nil if the partition is not assigned.
    func cursor(of partition: TopicPartition) -> PartitionCursor? { state.withLock { $0.cursors[partition] } }

    /// The cursor of a slot; nil if the partition was taken away or sought since.
    func cursor(_ slot: FetchSlot) -> PartitionCursor? { state.withLock { $0.cursors[slot] } }

    /// Collects a property of each partition that has it.
    func collect<Value: Sendable>(_ value: (PartitionCursor) -> Value?) -> [TopicPartition: Value] {
        state.withLock { $0.cursors.collect(value) }
    }

    /// Changes the cursor of a slot.
    ///
    /// - Returns: What `change` returns; nil if the partition was taken away or sought since.
    @discardableResult
    func update<Result: Sendable>(_ slot: FetchSlot, _ change: (inout PartitionCursor) -> Result) -> Result? {
        state.withLock { $0.cursors.update(slot, change) }
    }

    // MARK: The end

    /// Ends the reading of all partitions: after what was fetched before, each call of `next()` throws this, until
    /// `clearFailure`.
    func fail(_ error: KafkaError) {
        state.withLock { $0.failure = $0.failure ?? error }
        arrival.notify()
    }

    /// Clears a failure of all partitions, so that another assignment or a seek is another attempt.
    func clearFailure() {
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

    /// Whether the consumer was closed.
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// The error that has ended the reading of all partitions.
    var failure: KafkaError? { state.withLock { $0.failure } }

    /// When a broker last answered a fetch.
    var lastResponse: ContinuousClock.Instant? { state.withLock { $0.lastResponse } }
}

extension FetchBuffer.State {
    /// Removes from the queue what was fetched for slots that are stale.
    ///
    /// - Returns: The removed parts.
    mutating func dropStale() -> [FetchedPartition] {
        let dropped = queue.filter { !cursors.contains($0.slot) }
        if !dropped.isEmpty { queue.removeAll { !cursors.contains($0.slot) } }
        return dropped
    }
}
