import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Settings of one consumer or producer")
struct OwnSettingsTests {
    private let partition = TopicPartition("t")

    private func withClient(
        _ properties: [String: String] = [:], _ body: (FakeCluster, KafkaClient) async throws -> Void
    ) async throws {
        let defaults = ["auto.offset.reset": "earliest", "linger.ms": "0", "enable.auto.commit": "false"]
        try await withFake(properties: defaults.merging(properties) { $1 }) { fake, cluster in
            fake.createTopic("t")
            try await body(fake, KafkaClient(cluster: cluster))
        }
    }

    @Test("one client serves consumers of several groups, and each commits for its own")
    func groups() async throws {
        try await withClient(["group.id": "default"]) { fake, client in
            try fake.fill(partition, [["a", "b"], ["c"]])
            for (group, count) in [("one", 1), ("two", 2)] {
                let consumer = client.consumer(group: group)
                await consumer.assign([partition: .earliest])
                var batches = consumer.makeAsyncIterator()
                for _ in 0..<count {
                    let batch = try #require(try await batches.next())
                    try await consumer.commit(after: batch)
                }
                #expect(consumer.groupMetadata?.groupID == group)
                await consumer.close()
            }
            #expect(fake.committedOffset(group: "one", of: partition) == 2)
            #expect(fake.committedOffset(group: "two", of: partition) == 3)
            #expect(fake.committedOffset(group: "default", of: partition) == nil)
            #expect(client.consumer().groupMetadata?.groupID == "default")
            #expect(client.consumer(group: "").groupMetadata == nil)
        }
    }

    @Test("a commit after a record is the offset after it, with the record's leader epoch")
    func afterRecord() async throws {
        try await withClient { fake, client in
            try fake.fill(partition, [["a", "b"]])
            let consumer = client.consumer(group: "g")
            await consumer.assign([partition: .earliest])
            var records = consumer.records.makeAsyncIterator()
            let record = try #require(try await records.next())
            try await consumer.commit(after: record)
            let committed = try await consumer.committed([partition])[partition]
            #expect(committed == OffsetAndMetadata(1, leaderEpoch: record.leaderEpoch) && record.leaderEpoch >= 0)
            await consumer.close()
        }
    }

    @Test("consumers of one client read with different isolation levels")
    func isolation() async throws {
        try await withClient { fake, client in
            let producer = client.producer(transactionalID: "a")
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(ProducerRecord(topic: "t", value: "open"))
            func first(_ consumer: KafkaConsumer) async throws -> RecordBatch? {
                await consumer.assign([partition: .earliest])
                var batches = consumer.makeAsyncIterator()
                // One response at least, which has the record or not.
                try await eventually("a broker has answered") { consumer.lastResponse != nil }
                guard case .batch(let batch) = try await batches.next(timeout: .milliseconds(10)) else { return nil }
                return batch
            }
            let (all, committed) = (client.consumer(), client.consumer(isolationLevel: .readCommitted))
            #expect(try await first(all)?.nextOffset == 1)
            #expect(try await first(committed) == nil)
            try await producer.commitTransaction()
            var batches = committed.makeAsyncIterator()
            #expect(try await batches.next()?.nextOffset == 1)
            for consumer in [all, committed] { await consumer.close() }
            await producer.close()
        }
    }

    @Test("producers of one client have transactional ids of their own, and don't fence each other")
    func transactionalIDs() async throws {
        try await withClient { fake, client in
            let (one, two) = (client.producer(transactionalID: "a"), client.producer(transactionalID: "b"))
            for producer in [one, two] { try await producer.initTransactions() }
            for (value, producer) in [("1", one), ("2", two), ("3", one)] {
                try await producer.withTransaction { transaction in
                    try await transaction.enqueue(ProducerRecord(topic: "t", value: value))
                }
            }
            #expect(try fake.committedValues(of: partition) == ["1", "2", "3"])
            for producer in [one, two] { await producer.close() }
            let plain = client.producer(transactionalID: "")
            #expect(try await plain.send(ProducerRecord(topic: "t", value: "4")).topicPartition == partition)
            await plain.close()
        }
    }

    @Test("contradictory settings are INVALID_CONFIG at the first use of the client's part that has them")
    func invalid() async throws {
        try await withClient(["acks": "1"]) { _, client in
            let producer = client.producer(transactionalID: "a")
            let refusals = [
                await #expect(throws: KafkaError.self) { try await producer.initTransactions() },
                await #expect(throws: KafkaError.self) {
                    _ = try await producer.send(ProducerRecord(topic: "t", value: "v"))
                },
            ]
            for refusal in refusals {
                #expect(refusal?.code == .invalidConfig && refusal?.message.contains("transactional.id") == true)
            }
            await producer.close()
            // The client's other producers are not affected.
            let other = client.producer()
            _ = try await other.send(ProducerRecord(topic: "t", value: "v"))
            await other.close()

            let consumer = client.consumer(group: "g", isolationLevel: IsolationLevel(rawValue: 7))
            await consumer.assign([partition: .earliest])
            var batches = consumer.makeAsyncIterator()
            let next = await #expect(throws: KafkaError.self) { _ = try await batches.next(timeout: .seconds(1)) }
            let subscription = await #expect(throws: KafkaError.self) {
                try await consumer.subscribe(to: .topics(["t"]))
            }
            let commit = await #expect(throws: KafkaError.self) { try await consumer.commit() }
            for error in [next, subscription, commit] {
                #expect(error?.code == .invalidConfig && error?.message.contains("isolation.level") == true)
            }
            guard case .failed(let error) = consumer.state else {
                Issue.record("the state is \(consumer.state)")
                return
            }
            #expect(error.code == .invalidConfig)
            await consumer.close()
        }
    }
}
