import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Batches of limited size and age", .timeLimit(.minutes(1)))
struct LimitedBatchTests {
    private let partition = TopicPartition("t")

    private func withConsumer(
        timing: Timing = Timing(), records: Int, _ body: (FakeCluster, KafkaConsumer) async throws -> Void
    ) async throws {
        try await withFake(timing: timing) { fake, cluster in
            fake.createTopic("t")
            try fake.produce((0..<records).map { ProducerRecord(topic: "t", value: "\($0)") })
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: .earliest])
            try await body(fake, consumer)
            await consumer.close()
        }
    }

    @Test func `a batch ends at its largest number of records`() async throws {
        try await withConsumer(records: 7) { _, consumer in
            var batches = consumer.batches(maximumRecords: 3, maximumWait: .seconds(3600)).makeAsyncIterator()
            let batch1 = try await batches.next()
            #expect(batch1?.map(\.offset) == [0, 1, 2])
            let batch2 = try await batches.next()
            #expect(batch2?.map(\.offset) == [3, 4, 5])
        }
    }

    @Test func `a batch ends when the time since its first record is over`() async throws {
        let clock = ManualClock()
        try await withConsumer(timing: clock.timing, records: 2) { _, consumer in
            let next = Task {
                var batches = consumer.batches(maximumRecords: 3, maximumWait: .seconds(77)).makeAsyncIterator()
                return try await batches.next()
            }
            await clock.sleeper(for: .seconds(77))
            try await eventually("both have arrived") { consumer.positions[partition] == 2 }
            clock.advance(by: .seconds(77))
            let batch3 = try await next.value
            #expect(batch3?.map(\.offset) == [0, 1])
        }
    }

    @Test func `the records before an error are handed out first`() async throws {
        try await withConsumer(records: 2) { fake, consumer in
            var broken = try batchBytes(["x", "y"])
            broken[RecordBatchHeader.byteCount + 8] = 0x7f
            fake.append(withChecksum(broken), to: partition)
            var batches = consumer.batches(maximumRecords: 9, maximumWait: .seconds(3600)).makeAsyncIterator()
            let batch4 = try await batches.next()
            #expect(batch4?.map(\.offset) == [0, 1, 2])
            let error = await #expect(throws: KafkaError.self) { _ = try await batches.next() }
            #expect(error?.code == .corruptMessage)
        }
    }

    @Test func `a batch is committed as a whole`() async throws {
        try await withGroup(.consumer, partitions: 2) { group in
            for partition in Int32(0)..<2 {
                try group.fake.produce(
                    (0..<2).map { ProducerRecord(topic: "t", partition: partition, key: nil, value: "\($0)") })
            }
            let consumer = try group.member(["enable.auto.commit": "false"]).consumer
            try await consumer.subscribe(to: .topics(["t"]))
            var batches = consumer.batches(maximumRecords: 4, maximumWait: .seconds(3600)).makeAsyncIterator()
            let batch = try #require(try await batches.next())
            #expect(batch.count == 4)
            try await consumer.commit(after: batch)
            #expect(group.committed(TopicPartition("t", 0)) == 2 && group.committed(TopicPartition("t", 1)) == 2)
        }
    }

    @Test func `automatic commits are refused`() async throws {
        try await withFake(properties: ["group.id": "g"]) { _, cluster in
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            var batches = consumer.batches(maximumRecords: 1, maximumWait: .zero).makeAsyncIterator()
            let error = await #expect(throws: KafkaError.self) { _ = try await batches.next() }
            #expect(error?.code == .invalidConfig)
        }
    }
}
