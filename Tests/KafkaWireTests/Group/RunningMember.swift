import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

/// The records that the members of a group have processed, in order.
final class Ledger: Sendable {
    private let state = Lock((offsets: [TopicPartition: [Int64]](), gaps: [TopicPartition]()))

    func note(_ batch: RecordBatch) throws {
        let offsets = try batch.readRecords().map(\.offset)
        state.withLock { $0.offsets[TopicPartition(batch.topic, batch.partition), default: []] += offsets }
    }

    func note(_ record: ConsumerRecord) {
        state.withLock {
            $0.offsets[TopicPartition(record.topic, record.partition), default: []].append(record.offset)
        }
    }

    /// Records a gap if the group's committed offset of a newly assigned partition differs from the processed records.
    func assigned(_ partition: TopicPartition, committed: Int64?) {
        state.withLock { state in
            if Int64(state.offsets[partition]?.count ?? 0) != committed ?? 0 { state.gaps.append(partition) }
        }
    }

    var gaps: [TopicPartition] { state.withLock { $0.gaps } }

    subscript(partition: TopicPartition) -> [Int64] { state.withLock { $0.offsets[partition] ?? [] } }
}

/// A member that reads batches or records in a loop, as applications do.
final class RunningMember: Sendable {
    private struct State {
        var rebalances: [Rebalance] = []
        var wantsToStop = false
        var isHeld = false
        /// Whether it is processing a batch that `hold()` keeps it from finishing.
        var isStuck = false
        /// Whether the last `next()` timed out, so that everything received is processed.
        var isIdle = false
        var task: Task<Void, any Error>?
        /// Whether it reads single records.
        var isPaced = false
        var isClosed = false
    }

    /// Whether the current task is a member's application.
    @TaskLocal static var isApplication = false

    let consumer: KafkaConsumer
    let cluster: Cluster
    private unowned let group: GroupFixture
    private let instanceID: String?
    private let state = Lock(State())
    private let released = Signal()

    init(_ group: GroupFixture, _ configuration: ClientConfiguration, _ timing: Timing) {
        self.group = group
        instanceID = configuration.group.groupInstanceID
        cluster = Cluster(configuration: configuration, timing: timing)
        consumer = KafkaConsumer(cluster: cluster, offsetReset: configuration.consumer.offsetReset)
    }

    /// - Parameter pace: The time that the member takes per record, if it reads single records; nil to read batches.
    func start(_ subscription: Subscription, pace: Duration? = nil) async throws {
        try await consumer.subscribe(to: subscription) { [weak self] in self?.note($0) }
        let task = Task {
            try await Self.$isApplication.withValue(true) {
                if let pace { try await self.processRecords(pace) } else { try await self.process() }
            }
        }
        state.withLock { state in
            state.task = task
            state.isPaced = pace != nil
        }
    }

    private func processRecords(_ pace: Duration) async throws {
        do {
            for try await record in consumer.records {
                group.ledger.note(record)
                try? await Task.sleep(for: pace)
            }
        } catch is CancellationError {
            // `stop()` was called.
        }
    }

    private func note(_ rebalance: Rebalance) {
        if case .assigned(let partitions) = rebalance {
            for partition in partitions { group.ledger.assigned(partition, committed: group.committed(partition)) }
        }
        state.withLock { $0.rebalances.append(rebalance) }
    }

    private func process() async throws {
        var iterator = consumer.makeAsyncIterator()
        while !state.withLock({ $0.wantsToStop }) {
            switch try await iterator.next(timeout: .milliseconds(20)) {
            case .batch(let batch):
                state.withLock { $0.isIdle = false }
                try group.ledger.note(batch)
                while state.withLock({ state in
                    state.isStuck = state.isHeld
                    return state.isHeld
                }) { await released.wait() }
            case .timedOut: state.withLock { $0.isIdle = true }
            case .finished: return
            }
        }
    }

    // MARK: Control

    /// Keeps the member from finishing its next batch, until `release()`.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        state.withLock { $0.isHeld = false }
        released.notify()
    }

    /// Ends the loop between two batches, commits the processed offsets, and leaves the group.
    func stop() async throws {
        let (task, isClosed) = state.withLock { state in
            state.wantsToStop = true
            // Otherwise a loop that waits for a record would not end.
            if state.isPaced { state.task?.cancel() }
            return (state.task, state.isClosed)
        }
        guard !isClosed else { return }
        try await task?.value
        try await consumer.commit()
        await close()
    }

    /// Leaves the group without an explicit commit.
    func close() async {
        let id = consumer.groupMetadata?.memberID
        state.withLock { state in
            state.isClosed = true
            state.wantsToStop = true
        }
        release()
        await consumer.close()
        await cluster.close()
        // If the leave request was lost, the session has to time out. A static member keeps its session.
        if let id, instanceID == nil { group.fake.expire(member: id, ofGroup: GroupFixture.group) }
    }

    /// Waits for the error that ends the loop.
    func failure() async -> KafkaError? {
        let task = state.withLock { $0.task }
        return await #expect(throws: KafkaError.self) { try await task?.value }
    }

    // MARK: State

    var assignment: Set<TopicPartition> { consumer.assignment }
    var rebalances: [Rebalance] { state.withLock { $0.rebalances } }
    var isStuck: Bool { state.withLock { $0.isStuck } }
    var isIdle: Bool { state.withLock { $0.isIdle } }

    /// The partitions that the member owns according to its rebalance handler.
    var handlerAssignment: Set<TopicPartition> {
        rebalances.reduce(into: []) { owned, rebalance in
            switch rebalance {
            case .assigned(let partitions): owned.formUnion(partitions)
            case .revoked(let partitions), .lost(let partitions): owned.subtract(partitions)
            }
        }
    }

    /// The partitions of each call of the handler with `.lost`; `revoked` has those with `.revoked`.
    var lost: [Set<TopicPartition>] {
        rebalances.compactMap { if case .lost(let partitions) = $0 { partitions } else { nil } }
    }
    var revoked: [Set<TopicPartition>] {
        rebalances.compactMap { if case .revoked(let partitions) = $0 { partitions } else { nil } }
    }
}
