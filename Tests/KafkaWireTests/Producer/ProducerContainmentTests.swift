import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A failure affects only the records that it concerns", .timeLimit(.minutes(1)))
struct ProducerContainmentTests {
    private let quick = ["linger.ms": "0"]

    private func record(
        _ value: String, topic: String = "t", partition: Int32 = 0, key: String? = nil
    ) -> ProducerRecord {
        ProducerRecord(
            topic: topic, partition: partition, key: key.map { Array($0.utf8) }, value: Array(value.utf8))
    }

    @Test("a missing or unauthorized topic fails only its own records")
    func otherTopics() async throws {
        try await withFake(properties: ["linger.ms": "0", "max.block.ms": "2000"]) { fake, cluster in
            fake.createTopic("t")
            fake.createTopic("forbidden")
            let producer = KafkaProducer(cluster: cluster)
            let missing = Task { try await producer.send(record("x", topic: "missing")) }
            fake.inject(
                .error(.topicAuthorizationFailed), into: .produce, partition: TopicPartition("forbidden"))
            let forbidden = Task { try await producer.send(record("x", topic: "forbidden")) }
            for index in 0..<20 { _ = try await producer.send(record("\(index)")) }
            let errors = [
                await #expect(throws: KafkaError.self) { _ = try await missing.value },
                await #expect(throws: KafkaError.self) { _ = try await forbidden.value },
            ]
            #expect(errors.map { $0?.code } == [.unknownTopicOrPartition, .topicAuthorizationFailed])
            #expect(try fake.log(of: TopicPartition("t")) == numbered(0..<20))
            await producer.close()
        }
    }

    @Test("a broker with a permanent connection error fails only the records of its partitions")
    func otherBrokers() async throws {
        try await withFake(brokers: 2, properties: quick) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            let (bad, good) = (TopicPartition("t", 0), TopicPartition("t", 1))
            let node = try #require(fake.leader(of: bad))
            try await producer.ready(for: "t")
            // Its connection for records can't be opened, because it supports no version of the API that the client supports.
            fake.inject(.error(.clusterAuthorizationFailed), into: .apiVersions, broker: node, times: 100)
            let first = try await producer.enqueue(record("0", partition: 0))
            for index in 0..<20 { _ = try await producer.send(record("\(index)", partition: 1)) }
            let error = await #expect(throws: KafkaError.self) { _ = try await first.metadata }
            #expect(error?.code == .clusterAuthorizationFailed)
            #expect(try fake.log(of: good) == numbered(0..<20))
            fake.clearFaults()
            let again = try await producer.send(record("0", partition: 0))
            #expect(again.offset == 0)
            await producer.close()
        }
    }

    @Test("a record that the broker calls invalid fails alone, and the others of its batch are written once")
    func invalidRecords() async throws {
        // One batch of all records: nothing is sent before it is full or flushed.
        try await withFake(properties: ["linger.ms": "3600000", "delivery.timeout.ms": "7200000"]) { fake, cluster in
            fake.createTopic("t", configs: ["cleanup.policy": "compact"])
            let producer = KafkaProducer(cluster: cluster)
            let invalid: Set<Int> = [0, 1, 7, 12, 19]
            var deliveries: [Delivery] = []
            for index in 0..<20 {
                deliveries.append(
                    try await producer.enqueue(record("\(index)", key: invalid.contains(index) ? nil : "k\(index)")))
            }
            await producer.flush()
            for (index, delivery) in deliveries.enumerated() {
                if invalid.contains(index) {
                    let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
                    #expect(error?.code == .invalidRecord)
                } else {
                    let metadata = try await delivery.metadata
                    #expect(metadata.offset >= 0)
                }
            }
            let values = try fake.log(of: TopicPartition("t")).map(\.value)
            #expect(values == (0..<20).filter { !invalid.contains($0) }.map { "\($0)" })
            await producer.close()
        }
    }

    @Test("where a batch with rejected records is split")
    func splitIndexes() {
        func index(_ count: Int, _ refused: [Int32]) -> Int? {
            let partition = TopicPartition("t")
            let batch = ProducerBatch(
                partition: partition, recordCount: count, outcome: BatchOutcome(partition: partition), created: .now,
                reserved: 0)
            return batch.splitIndex(isolating: refused)
        }
        #expect(index(5, [2]) == 2)
        #expect(index(5, [0, 1, 3]) == 2)
        #expect(index(5, [0, 1, 2, 3, 4]) == nil)
        #expect(index(1, [0]) == nil)
        #expect(index(5, []) == nil)
        // Indexes outside of the batch.
        #expect(index(5, [-1, 5, .max]) == nil)
    }

    @Test("when buffer.memory is full, the error names the partition that uses most of it")
    func bufferHolder() async throws {
        let properties = ["buffer.memory": "4000", "batch.size": "1000", "linger.ms": "0", "max.block.ms": "1000"]
        try await withFake(brokers: 2, properties: properties) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            for partition in Int32(0)..<2 { _ = try await producer.send(record("0", partition: partition)) }
            fake.inject(
                .error(.notEnoughReplicas), into: .produce, partition: TopicPartition("t", 1), times: 1_000_000)
            let error = await #expect(throws: KafkaError.self) {
                for _ in 0..<100 {
                    _ = try await producer.enqueue(record(String(repeating: "x", count: 900), partition: 1))
                }
            }
            #expect(error?.code == .requestTimedOut)
            #expect(error?.message.contains("records for t-1") == true)
            fake.clearFaults()
            await producer.close()
        }
    }

    @Test(
        "invalid base offsets and producer ids from a broker are rejected", arguments: [Int64.max, .max - 1, .min])
    func hostileNumbers(base: Int64) async throws {
        let outcome = BatchOutcome(partition: TopicPartition("t"))
        outcome.settle(.success(.init(baseOffset: base, logAppendTime: .min)))
        let metadata = try await Delivery(batch: outcome, index: 5, timestamp: 7).metadata
        #expect(metadata.offset == -1 && metadata.timestamp.millisecondsSince1970 == 7)
        #expect(throws: KafkaError.self) {
            try ProducerIdentity(InitProducerIdResponse(producerId: -1, producerEpoch: 0))
        }
        #expect(throws: KafkaError.self) {
            try ProducerIdentity(InitProducerIdResponse(producerId: 1, producerEpoch: .min))
        }
    }
}
