import Concurrency

/// Distributes records to workers: in order within a key, in parallel otherwise.
///
/// Records of a partition with the same key, or without a key, are in one lane. A lane has at most one record with a
/// worker. A worker takes the next record of the lane that has waited longest.
final class RecordScheduler: Sendable {
    /// A record that a worker is processing.
    struct Item: Sendable {
        let record: ConsumerRecord
        fileprivate let lane: Lane
        fileprivate let ticket: PartitionProgress.Ticket
    }

    fileprivate struct Lane: Hashable {
        let partition: TopicPartition
        let key: [UInt8]?
    }

    private struct State {
        /// The records that wait in each lane. A lane exists while it is ready or a worker has its record.
        var lanes: [Lane: FIFO<Item>] = [:]
        /// Lanes that wait for a worker.
        var ready = FIFO<Lane>()
        var workers = 0
        var partitions: [TopicPartition: PartitionProgress] = [:]
        var lastID = 0
        var isStopped = false
        var failure: (any Error)?

        /// The sum of the partitions' counts.
        var recordCount = 0
    }

    private let maximumConcurrency: Int
    private let maximumRecords: Int
    private let state = Lock(State())
    /// Notified when there may be room for another record.
    private let room = Signal()
    /// Notified when a worker has finished a record.
    private let finished = Signal()

    init(maximumConcurrency: Int, maximumRecords: Int) {
        self.maximumConcurrency = maximumConcurrency
        self.maximumRecords = maximumRecords
    }

    // MARK: The reader

    /// Adds a record.
    ///
    /// - Returns: Whether the caller has to start another worker.
    func add(_ record: ConsumerRecord) -> Bool {
        state.withLock { state in
            let partition = record.topicPartition
            if state.partitions[partition] == nil {
                state.lastID += 1
                state.partitions[partition] = PartitionProgress(id: state.lastID)
            }
            guard let ticket = state.partitions[partition]?.add(record) else { return false }
            state.recordCount += 1
            let lane = Lane(partition: partition, key: record.key)
            if state.lanes[lane] == nil { state.ready.append(lane) }
            state.lanes[lane, default: FIFO()].append(Item(record: record, lane: lane, ticket: ticket))
            guard !state.isStopped, state.workers < maximumConcurrency, !state.ready.isEmpty else { return false }
            state.workers += 1
            return true
        }
    }

    /// Waits until another record may be added, the scheduler stops, or the task is cancelled.
    func waitForRoom() async {
        while !Task.isCancelled, state.withLock({ !$0.isStopped && $0.recordCount >= maximumRecords }) {
            await room.wait()
        }
    }

    /// Stops handing out records.
    ///
    /// - Parameter error: Why; only the first one is kept.
    func stop(_ error: (any Error)? = nil) {
        state.withLock { state in
            state.isStopped = true
            state.failure = state.failure ?? error
        }
        room.notify()
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// The first error.
    var failure: (any Error)? { state.withLock { $0.failure } }

    // MARK: Workers

    /// The next record of a worker; nil if the worker has to end.
    func next() -> Item? {
        state.withLock { state in
            while !state.isStopped, let lane = state.ready.popFirst() {
                guard let item = state.lanes[lane]?.popFirst() else {
                    state.lanes[lane] = nil
                    continue
                }
                state.partitions[lane.partition]?.begin(item.ticket, offset: item.record.offset)
                return item
            }
            state.workers -= 1
            return nil
        }
    }

    /// A worker has finished a record.
    func finish(_ item: Item, isProcessed: Bool) {
        state.withLock { state in
            let removed = state.partitions[item.lane.partition]?.finish(item.ticket, isProcessed: isProcessed)
            state.recordCount -= removed ?? 0
            if state.lanes[item.lane]?.isEmpty == false {
                state.ready.append(item.lane)
            } else {
                state.lanes[item.lane] = nil
            }
        }
        room.notify()
        finished.notify()
    }

    // MARK: Partitions

    /// Drops the records of partitions that no worker has.
    ///
    /// - Parameter keepsGaps: Whether to keep those before a record that a worker has or has finished. Otherwise the
    ///   partition's next owner would repeat that record.
    func dropQueued(of partitions: Set<TopicPartition>, keepsGaps: Bool) {
        state.withLock { state in
            for lane in state.lanes.keys where partitions.contains(lane.partition) {
                let limit = keepsGaps ? state.partitions[lane.partition]?.lastBegun ?? -1 : -1
                var kept = FIFO<Item>()
                while let item = state.lanes[lane]?.popFirst() {
                    if item.record.offset < limit { kept.append(item) }
                }
                state.lanes[lane] = kept
            }
        }
    }

    /// Waits until no record of these partitions is queued or with a worker, or until the deadline.
    func waitUntilIdle(
        _ partitions: Set<TopicPartition>, until deadline: ContinuousClock.Instant, by timing: Timing
    ) async {
        while timing.now() < deadline, !Task.isCancelled {
            let isIdle = state.withLock { state in
                partitions.allSatisfy { state.partitions[$0].map { $0.running == 0 } ?? true }
                    && (state.isStopped
                        || !state.lanes.contains { partitions.contains($0.key.partition) && !$0.value.isEmpty })
            }
            if isIdle { return }
            await finished.wait(until: deadline, by: timing)
        }
    }

    /// Forgets partitions. Records of them that a worker still has are not committed.
    func forget(_ partitions: Set<TopicPartition>) {
        state.withLock { state in
            for partition in partitions {
                state.recordCount -= state.partitions.removeValue(forKey: partition)?.count ?? 0
            }
        }
        room.notify()
    }

    /// The offsets to commit: for each partition the one after the last record before which all are processed.
    ///
    /// - Parameter partitions: nil for all.
    func offsets(of partitions: Set<TopicPartition>?) -> [TopicPartition: OffsetAndMetadata] {
        state.withLock { state in
            state.partitions.reduce(into: [:]) { offsets, entry in
                guard partitions?.contains(entry.key) ?? true else { return }
                offsets[entry.key] = entry.value.uncommitted
            }
        }
    }

    func committed(_ offsets: [TopicPartition: OffsetAndMetadata]) {
        state.withLock { state in
            for (partition, offset) in offsets { state.partitions[partition]?.committed = offset }
        }
    }

    /// For each partition with unprocessed records the first of them.
    var unprocessed: [TopicPartition: ConsumerStart] {
        state.withLock { $0.partitions.compactMapValues(\.firstUnprocessed) }
    }
}
