import Concurrency
import KafkaWire

/// The progress of each partition that a worker has, and the batch that is being filled. The only record of both.
///
/// ```
/// assign ──▶ awaiting ──begin──▶ reading ──beginRevoking──▶ leaving ──remove──▶
///               ▲                   │
///               └────── reread ─────┴──fail──▶ failed
/// ```
///
/// Each time that a partition begins to await its position it gets another assignment number. Rows that were taken in
/// under an earlier number are removed from their batch before it is sent, so that nothing is written of a partition that
/// was lost meanwhile.
final class PartitionLedger: Sendable {
    enum Phase: Sendable {
        /// The position in the database is to be read. Nothing is taken in.
        case awaiting
        case reading
        /// Another member is about to get it. Nothing more is taken in; what was is being committed.
        case leaving
        /// Stopped by an error.
        case failed
    }

    struct Entry: Sendable {
        let assignment: Int
        var phase = Phase.awaiting
        /// The position after the last record batch that was taken in.
        var mapped: Int64 = 0
        /// The position after the last batch that was handed to the sink.
        var handedOver: Int64 = 0
        /// The position in the database, as far as this worker has moved or read it; nil before that.
        var committed: Int64?
        /// Zero if unknown.
        var topicID = KafkaUUID.zero
        /// For each batch that has something of the partition, and isn't committed: its first offset, and the timestamp there
        /// in milliseconds since 1970.
        var pending: [(offset: Int64, timestamp: Int64)] = []

        /// The timestamp of the oldest record that was taken in and isn't committed; nil without one.
        var oldestPending: Int64? {
            guard let committed, committed < mapped else { return nil }
            let oldest = pending.last { $0.offset <= committed } ?? pending.first
            return oldest.flatMap { $0.timestamp >= 0 ? $0.timestamp : nil }
        }
    }

    /// A position that was read in the database.
    struct Position: Sendable, Equatable {
        var offset: Int64
        var topicID = KafkaUUID.zero
    }

    struct State {
        var entries: [TopicPartition: Entry] = [:]
        var lastAssignment = 0
        var open: CopyBatch?
        /// Whether the sink may take that batch although it isn't large.
        var isOpenDue = false
        var failures: [TopicPartition: any Error] = [:]
        /// The partitions whose positions were ever read in this run.
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

        /// Closes the batch that is being filled; nil if there is nothing in it.
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
    /// Notified when a revoked partition may have become settled.
    let settled = Signal()
    /// Notified when a partition gets on, fails, or goes.
    let changed: Signal

    /// - Parameter changed: Notified when a partition gets on, fails, or goes.
    init(changed: Signal = Signal()) {
        self.changed = changed
    }

    // MARK: For the mapper

    /// What became of a record batch.
    struct Taken: Sendable {
        enum Outcome: Sendable, Equatable {
            case taken
            /// Its partition isn't read at the moment.
            case skipped
            /// There is no batch to fill: see ``open(_:)``.
            case needsBatch
        }

        var outcome: Outcome
        /// The bytes in the batch that is being filled.
        var byteCount = 0
        /// When that batch was begun.
        var began: ContinuousClock.Instant?
        /// Whether a partition awaits its position, or the worker is to end.
        var needsAttention: Bool
    }

    /// Takes a record batch in.
    ///
    /// - Throws: `KafkaError` for one that can't be read; nothing of it is taken in.
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

    /// Begins to fill an empty batch.
    func open(_ batch: CopyBatch) { state.withLock { $0.open = batch } }

    /// Whether a batch is being filled.
    var hasOpenBatch: Bool { state.withLock { $0.open != nil } }

    /// Whether the batch that is being filled has something of these partitions.
    func isFilling(anyOf partitions: Set<TopicPartition>) -> Bool {
        state.withLock { state in state.open.map { !partitions.isDisjoint(with: $0.progress.keys) } ?? false }
    }

    /// Closes the batch that is being filled, for the sink; nil if there is nothing in it.
    func handOver() -> CopyBatch? { state.withLock { $0.detach() } }

    /// Marks the batch that is being filled as due: it grows until the sink has nothing else to commit.
    func markDue() { state.withLock { $0.isOpenDue = $0.open != nil } }

    /// Closes the batch that is being filled if it is due.
    func handOverDue() -> CopyBatch? { state.withLock { $0.isOpenDue ? $0.detach() : nil } }

    var needsAttention: Bool { state.withLock { $0.needsAttention } }

    /// The partitions whose positions are to be read, with their assignments.
    var awaiting: [TopicPartition: Int] {
        state.withLock { state in
            state.awaiting == 0
                ? [:] : state.entries.filter { $0.value.phase == .awaiting }.mapValues(\.assignment)
        }
    }

    /// Begins to take in partitions whose position was read.
    ///
    /// - Parameter assignments: Those for which the positions were read. A partition that has another one by now still
    ///   awaits its position.
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

    /// The partitions whose positions were ever read in this run.
    var known: Set<TopicPartition> { state.withLock { $0.known } }

    /// Adds partitions whose positions were read at the start of the run.
    func note(known partitions: some Sequence<TopicPartition>) { state.withLock { $0.known.formUnion(partitions) } }

    /// Notes partitions that can't be read from the start on.
    func note(failures: [TopicPartition: any Error]) {
        state.withLock { state in state.failures.merge(failures) { $1 } }
    }

    /// Stops a partition. What was taken in of it before is committed all the same.
    ///
    /// - Returns: False if the partition isn't the worker's, or has failed before.
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

    // MARK: What is known

    /// For each partition the position in the database.
    var committed: [TopicPartition: Int64] { state.withLock { $0.entries.compactMapValues(\.committed) } }

    /// The topics that are read, by name; zero if unknown.
    var topicIDs: [String: KafkaUUID] {
        state.withLock { state in
            Dictionary(state.entries.map { ($0.key.topic, $0.value.topicID) }) { $0 == .zero ? $1 : $0 }
        }
    }

    /// The timestamp of the oldest record that was taken in and isn't committed, in milliseconds since 1970; nil without one.
    var oldestPending: Int64? { state.withLock { $0.entries.values.compactMap(\.oldestPending).min() } }

    var failures: [TopicPartition: any Error] { state.withLock { $0.failures } }

    /// Whether there is a partition that hasn't failed.
    var isAnyLeft: Bool { state.withLock { state in state.entries.contains { $0.value.phase != .failed } } }

    /// The partitions that the worker has, failed ones among them.
    var partitions: Set<TopicPartition> { state.withLock { Set($0.entries.keys) } }
}

extension PartitionLedger.Entry {
    fileprivate mutating func notePending(from offset: Int64, _ timestamp: Int64) {
        // Those before the one that is being committed are done with.
        if pending.count > 8, let committed {
            let done = pending.lastIndex { $0.offset <= committed } ?? 0
            pending.removeFirst(done)
        }
        pending.append((offset, timestamp))
    }
}
