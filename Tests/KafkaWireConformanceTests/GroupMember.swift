import KafkaWire
import Synchronization
import TestSupport
import Testing

/// The records processed by the members of a group, in processing order.
final class Ledger: Sendable {
    private let offsets = Mutex<[TopicPartition: [Int64]]>([:])

    func note(_ batch: RecordBatch) throws {
        var records = batch.makeIterator()
        let partition = TopicPartition(topic: batch.topic, partition: batch.partition)
        while let record = try records.next() {
            let offset = record.offset
            offsets.withLock { $0[partition, default: []].append(offset) }
        }
    }

    var count: Int { offsets.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    subscript(partition: TopicPartition) -> [Int64] { offsets.withLock { $0[partition] ?? [] } }
}

/// A group member that reads in a loop, as an application does.
final class GroupMember: Sendable {
    private struct State {
        var rebalances: [Rebalance] = []
        var wantsToStop = false
        var task: Task<Void, any Error>?
    }

    let consumer: KafkaConsumer
    private let client: KafkaClient
    private let state = Mutex(State())

    /// - Parameter properties: Client settings, including `group.id`.
    init(_ fixture: TopicFixture, _ properties: [String: String]) throws {
        let quick = [
            "heartbeat.interval.ms": "100", "auto.commit.interval.ms": "300", "auto.offset.reset": "earliest",
            "session.timeout.ms": "6000",
        ]
        client = try fixture.client(quick.merging(properties) { $1 })
        consumer = client.consumer()
    }

    /// Subscribes, and adds received records to the ledger.
    func start(_ subscription: Subscription, _ ledger: Ledger) async throws {
        try await subscribe(subscription)
        let task = Task {
            var iterator = self.consumer.makeAsyncIterator()
            reading: while !self.state.withLock({ $0.wantsToStop }) {
                switch try await iterator.next(timeout: .milliseconds(20)) {
                case .batch(let batch): try ledger.note(batch)
                case .timedOut: continue
                case .finished: break reading
                }
            }
        }
        state.withLock { $0.task = task }
    }

    func subscribe(_ subscription: Subscription) async throws {
        try await consumer.subscribe(to: subscription) { rebalance in
            self.state.withLock { $0.rebalances.append(rebalance) }
        }
    }

    /// Ends the loop between two batches, commits the processed records, and leaves the group.
    func stop() async throws {
        let task = state.withLock { state in
            state.wantsToStop = true
            return state.task
        }
        try await task?.value
        try await consumer.commit()
        await close()
    }

    /// Waits for the error that ends the loop.
    func failure() async throws -> KafkaError {
        let task = state.withLock { $0.task }
        return try await kafkaError { try await task?.value }
    }

    /// Leaves the group without an explicit commit.
    func close() async {
        await consumer.close()
        await client.close()
    }

    var rebalances: [Rebalance] { state.withLock { $0.rebalances } }
    var assignment: Set<TopicPartition> { consumer.assignment }
}

/// Polls until `condition` holds, for conditions that members reach asynchronously.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(20))
    }
}
