import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Aborts of transactions that need another attempt", .timeLimit(.minutes(1)))
struct TransactionAbortTests {
    private let partition = TopicPartition("t")
    private static let versions = [
        SpokenVersions.latest, SpokenVersions.latest.with(feature: "transaction.version", 1),
    ]
    private struct Failed: Error {}

    private func record(_ value: String) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: 0, value: Array(value.utf8))
    }

    /// A producer whose transaction was written but not aborted within `max.block.ms`. The faults continue.
    private func withUnfinishedAbort(
        round: Int, _ body: (FakeCluster, KafkaProducer) async throws -> Void
    ) async throws {
        let properties = ["transactional.id": "tx", "linger.ms": "0", "max.block.ms": "1500"]
        try await withFake(versions: Self.versions[round], properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.error(.coordinatorNotAvailable), into: .endTxn, times: 1_000_000)
            await #expect(throws: Failed.self) {
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(record("a"))
                    throw Failed()
                }
            }
            #expect(fake.lastStableOffset(of: partition) == 0)
            try await body(fake, producer)
            await producer.close()
        }
    }

    @Test("withTransaction completes an abort that timed out before it runs anything", arguments: 0..<2)
    func finished(round: Int) async throws {
        try await withUnfinishedAbort(round: round) { fake, producer in
            let again = await #expect(throws: KafkaError.self) {
                try await producer.withTransaction { transaction in try await transaction.enqueue(record("b")) }
            }
            #expect(again?.code == .coordinatorNotAvailable)
            let begin = await #expect(throws: KafkaError.self) { try await producer.beginTransaction() }
            #expect(begin?.code == .invalidTxnState)
            fake.clearFaults()
            for value in ["c", "d"] {
                try await producer.withTransaction { transaction in try await transaction.enqueue(record(value)) }
            }
            #expect(try fake.committedValues(of: partition) == ["c", "d"])
        }
    }

    @Test("close retries an abort that timed out", arguments: 0..<2)
    func closed(round: Int) async throws {
        try await withUnfinishedAbort(round: round) { fake, producer in
            fake.clearFaults()
            await producer.close()
            #expect(fake.lastStableOffset(of: partition) == fake.offsets(of: partition)?.upperBound)
            let seen = try fake.committedValues(of: partition)
            #expect(seen.isEmpty)
        }
    }

    @Test("a batch that returns after an abort has dropped the waiting batches is dropped as well")
    func comesBackLate() async throws {
        let properties = ["transactional.id": "tx", "linger.ms": "0"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let accumulator = Accumulator(
                configuration: cluster.configuration.producer, pool: cluster.pool, timing: cluster.timing)
            accumulator.add(topic: "t", partitionCount: 1)
            let manager = TransactionManager(transactionalID: "tx", cluster: cluster, accumulator: accumulator)
            // The sender doesn't run: the test acts in its place.
            let sender = ProducerSender(cluster: cluster, accumulator: accumulator, transactions: manager)
            try await manager.initialize()
            try manager.begin()
            let delivery = try accumulator.append(10, to: partition)
            #expect(accumulator.ready(at: cluster.timing.now(), isTransactional: true).waiting == [partition])
            let identity = try #require(manager.identity)
            let taken = accumulator.takeBatches(of: [partition], numbering: .transactional(identity), room: .max)
            #expect(taken.count == 1)
            let batch = try #require(accumulator.returned(delivery.batch))
            let abort = Task { try await manager.abort() }
            try await eventually("the abort waits for batches in flight") {
                accumulator.state.withLock { $0.flushes == 1 }
            }
            await sender.retry(batch, after: KafkaError(.notLeaderOrFollower, "another broker leads it"))
            try await abort.value
            let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
            #expect(error?.code == .notLeaderOrFollower)
        }
    }
}
