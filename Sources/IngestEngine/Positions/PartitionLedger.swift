import Concurrency
import KafkaWire

/// The progress of each partition of a worker, and the open batch. Both are stored nowhere else.
///
/// ```
/// assign ──▶ awaiting ──begin──▶ reading ──beginRevoking──▶ leaving ──remove──▶
///               ▲                   │
///               └────── reread ─────┴──fail──▶ failed
/// ```
///
/// Each time a partition starts to await its position it gets a new assignment number. Rows added under an earlier
/// number are removed from their batch before it is sent, so nothing is written of a partition that was lost
/// meanwhile.
final class PartitionLedger: Sendable {
    enum Phase: Sendable {
        /// The position must be read from the database. No records are added.
        case awaiting
        case reading
        /// The partition is being revoked. No more records are added; those added are being committed.
        case leaving
        /// An error has stopped the partition.
        case failed
    }

    struct Entry: Sendable {
        let assignment: Int
        var phase = Phase.awaiting
        /// The offset after the last record batch that was added.
        var mapped: Int64 = 0
        /// The offset after the last batch that was handed to the sink.
        var handedOver: Int64 = 0
        /// The offset in the database as last moved or read by this worker; nil before that.
        var committed: Int64?
        /// The topic's id; zero if unknown.
        var topicID = KafkaUUID.zero
        /// The first offset in each uncommitted batch with records of the partition, and the timestamp there in
        /// milliseconds since 1970.
        var pending: [(offset: Int64, timestamp: Int64)] = []

        /// The timestamp of the oldest uncommitted record that was added; nil if there is none.
        var oldestPending: Int64? {
            guard let committed, committed < mapped else { return nil }
            let oldest = pending.last { $0.offset <= committed } ?? pending.first
            return oldest.flatMap { $0.timestamp >= 0 ? $0.timestamp : nil }
        }
    }

    /// A position that was read from the database.
    struct Position: Sendable, Equatable {
        var offset: Int64
        var topicID = KafkaUUID.zero
    }

    struct State {
        var entries: [TopicPartition: Entry] = [:]
        var lastAssignment = 0
        var open: CopyBatch?
        /// Whether the sink may take the open batch although it isn't large.
        var isOpenDue = false
        var failures: [TopicPartition: any Error] = [:]
        /// The partitions whose positions have been read in this run.
        var known: Set<TopicPartition> = []
        var awaiting = 0
        var isFinishing = false
        var isAbandoned = false

        var needsAttention: Bool { awaiting > 0 || isFinishing }

        mutating func set(_ entry: Entry, of partition: TopicPartition) {
            if entries[partition]?.phase == .awaiting { awaiting -= 1 }
            if entry.phase == .awaiting { awaiting += 1 }
            entries[partition] = entry
        }

        mutating func add(_ partition: TopicPartition, _ topicID: KafkaUUID = .zero) {
            lastAssignment += 1
            failures[partition] = nil
            var entry = Entry(assignment: lastAssignment)
            entry.topicID = topicID
            set(entry, of: partition)
        }

        mutating func remove(_ partition: TopicPartition) {
            if entries[partition]?.phase == .awaiting { awaiting -= 1 }
            entries[partition] = nil
            failures[partition] = nil
        }

        /// Closes the open batch; nil if it is empty.
        mutating func detach() -> CopyBatch? {
            guard let batch = open, !batch.isEmpty else { return nil }
            for (partition, move) in batch.progress where entries[partition]?.assignment == move.assignment {
                entries[partition]?.handedOver = move.next
            }
            open = nil
            isOpenDue = false
            return batch
        }

        mutating func detach(ifItHas partitions: Set<TopicPartition>) -> CopyBatch? {
            guard let open, !partitions.isDisjoint(with: open.progress.keys) else { return nil }
            return detach()
        }
    }

    let state = Lock(State())
    /// Notified when a revoked partition may have settled.
    let settled = Signal()
    /// Notified when a partition advances, fails or is removed.
    let changed: Signal

    /// - Parameter changed: Notified when a partition advances, fails or is removed.
    init(changed: Signal = Signal()) {
        self.changed = changed
    }

    // MARK: Mapper

    /// The result of offering a record batch.
    struct Taken: Sendable {
        enum Outcome: Sendable, Equatable {
            case taken
            /// The partition isn't being read.
            case skipped
            /// There is no open batch; call ``open(_:)``.
            case needsBatch
        }

        var outcome: Outcome
        /// The size of the open batch in bytes.
        var byteCount = 0
        /// When the open batch got its first records; nil if it is empty.
        var began: ContinuousClock.Instant?
        /// Whether a partition awaits its position, or the worker should end.
        var needsAttention: Bool
    }

    /// Adds a record batch to the open batch.
    ///
    /// - Throws: `KafkaError` if it can't be read; nothing of it is added.
    func take(_ records: RecordBatch, now: ContinuousClock.Instant) throws(KafkaError) -> Taken {
        let place = records.place
        return try state.withLock { (state) throws(KafkaError) in
            let needsAttention = state.needsAttention
            guard let index = state.entries.index(forKey: place), state.entries.values[index].phase == .reading else {
                return Taken(outcome: .skipped, began: state.open?.began, needsAttention: needsAttention)
            }
            guard let batch = state.open else { return Taken(outcome: .needsBatch, needsAttention: needsAttention) }
            let entry = state.entries.values[index]
            let isFirst = batch.progress[place] == nil
            try batch.append(records, position: entry.mapped, assignment: entry.assignment, now: now)
            state.entries.values[index].mapped = records.nextOffset
            if isFirst {
                let timestamp = records.timestampType == .logAppendTime ? records.maxTimestamp : records.firstTimestamp
                state.entries.values[index].notePending(
                    from: entry.mapped, timestamp.millisecondsSince1970)
            }
            return Taken(
                outcome: .taken, byteCount: batch.byteCount, began: batch.began, needsAttention: needsAttention)
        }
    }

    /// Sets the batch to fill, which must be empty.
    func open(_ batch: CopyBatch) { state.withLock { $0.open = batch } }

    /// Whether there is an open batch.
    var hasOpenBatch: Bool { state.withLock { $0.open != nil } }

    /// Whether the open batch has records of these partitions.
    func isFilling(anyOf partitions: Set<TopicPartition>) -> Bool {
        state.withLock { state in state.open.map { !partitions.isDisjoint(with: $0.progress.keys) } ?? false }
    }

    /// Closes the open batch for the sink; nil if it is empty.
    func handOver() -> CopyBatch? { state.withLock { $0.detach() } }

    /// Marks the open batch as due: it grows until the sink is idle.
    func markDue() { state.withLock { $0.isOpenDue = $0.open != nil } }

    /// Closes the open batch if it is due; nil otherwise.
    func handOverDue() -> CopyBatch? { state.withLock { $0.isOpenDue ? $0.detach() : nil } }

    var needsAttention: Bool { state.withLock { $0.needsAttention } }

    /// The assignments of the partitions that await their positions.
    var awaiting: [TopicPartition: Int] {
        state.withLock { state in
            state.awaiting == 0
                ? [:] : state.entries.filter { $0.value.phase == .awaiting }.mapValues(\.assignment)
        }
    }

    /// Starts reading partitions whose positions were looked up.
    ///
    /// - Parameter assignments: The assignments for which they were looked up. A partition with a different one now
    ///   still awaits its position.
    func begin(_ positions: [TopicPartition: Position], of assignments: [TopicPartition: Int]) {
        state.withLock { state in
            for (partition, position) in positions {
                guard var entry = state.entries[partition], entry.phase == .awaiting,
                    entry.assignment == assignments[partition]
                else { continue }
                (entry.mapped, entry.handedOver, entry.committed) = (position.offset, position.offset, position.offset)
                entry.topicID = position.topicID
                entry.phase = .reading
                state.set(entry, of: partition)
                state.known.insert(partition)
            }
        }
        changed.notify()
    }

    /// The partitions whose positions have been read in this run.
    var known: Set<TopicPartition> { state.withLock { $0.known } }

    /// Adds partitions whose positions were read at the start of the run.
    func note(known partitions: some Sequence<TopicPartition>) { state.withLock { $0.known.formUnion(partitions) } }

    /// Records partitions that can't be read from the start.
    func note(failures: [TopicPartition: any Error]) {
        state.withLock { state in state.failures.merge(failures) { $1 } }
    }

    /// Stops a partition. Records that were added before are still committed.
    ///
    /// - Returns: false if the worker doesn't have the partition or it has already failed.
    func fail(_ partition: TopicPartition, _ error: any Error) -> Bool {
        let isNew = state.withLock { state in
            guard var entry = state.entries[partition], entry.phase == .reading || entry.phase == .awaiting else {
                return false
            }
            entry.phase = .failed
            state.set(entry, of: partition)
            state.failures[partition] = error
            return true
        }
        if isNew { changed.notify() }
        return isNew
    }

    // MARK: State

    /// The committed offset per partition.
    var committed: [TopicPartition: Int64] { state.withLock { $0.entries.compactMapValues(\.committed) } }

    /// The ids of the topics by name; zero if unknown.
    var topicIDs: [String: KafkaUUID] {
        state.withLock { state in
            Dictionary(state.entries.map { ($0.key.topic, $0.value.topicID) }) { $0 == .zero ? $1 : $0 }
        }
    }

    /// The timestamp of the oldest uncommitted record that was added, in milliseconds since 1970; nil if there is
    /// none.
    var oldestPending: Int64? { state.withLock { $0.entries.values.compactMap(\.oldestPending).min() } }

    var failures: [TopicPartition: any Error] { state.withLock { $0.failures } }

    /// Whether any partition hasn't failed.
    var hasActivePartitions: Bool { state.withLock { state in state.entries.contains { $0.value.phase != .failed } } }

    /// The worker's partitions, including failed ones.
    var partitions: Set<TopicPartition> { state.withLock { Set($0.entries.keys) } }
}

extension PartitionLedger.Entry {
    fileprivate mutating func notePending(from offset: Int64, _ timestamp: Int64) {
        // Drop the entries before the one that is being committed.
        if pending.count > 8, let committed {
            let done = pending.lastIndex { $0.offset <= committed } ?? 0
            pending.removeFirst(done)
        }
        pending.append((offset, timestamp))
    }
}
