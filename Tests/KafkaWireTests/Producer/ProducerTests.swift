import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A producer without faults", .timeLimit(.minutes(1)))
struct ProducerTests {
    private let partition = TopicPartition("t")

    private func record(_ value: String, partition: Int32? = 0, key: String? = nil) -> ProducerRecord {
        ProducerRecord(
            topic: "t", partition: partition, key: key.map { Array($0.utf8) }, value: Array(value.utf8))
    }

    @Test("a record's metadata has its partition and offset", arguments: [SpokenVersions.latest, .kafka21])
    func metadata(versions: SpokenVersions) async throws {
        try await withFake(brokers: 2, versions: versions) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            for index in Int64(0)..<5 {
                let metadata = try await producer.send(record("\(index)", partition: 1))
                #expect(metadata.topic == "t")
                #expect(metadata.partition == 1)
                #expect(metadata.offset == index)
            }
            await producer.close()
            #expect(try fake.log(of: TopicPartition("t", 1)) == numbered(0..<5))
            #expect(fake.count(.initProducerID) == 1)
        }
    }

    @Test("a partition that was added to the topic is found when a record names it")
    func addedPartition() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 1)
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record("a"))
            fake.addPartitions(to: "t", count: 3)
            #expect(try await producer.send(record("b", partition: 2)).partition == 2)
            let error = await #expect(throws: KafkaError.self) {
                _ = try await producer.send(record("c", partition: 3))
            }
            #expect(error?.code == .unknownTopicOrPartition)
            await producer.close()
        }
    }

    @Test("keys go to the same partitions as with the Java client (murmur2)")
    func partitioning() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 7)
            let producer = KafkaProducer(cluster: cluster)
            var expected: [Int32: [String]] = [:]
            for index in 0..<200 {
                let key = "unit-\(index)"
                _ = try await producer.enqueue(record(key, partition: nil, key: key))
                let bytes = Array(key.utf8)
                let slot = unsafe Murmur2.partition(forKey: bytes.span.bytes, count: 7)
                expected[slot, default: []].append(key)
            }
            await producer.close()
            for index in Int32(0)..<7 {
                #expect(try fake.log(of: TopicPartition("t", index)).map(\.value) == expected[index] ?? [])
            }
        }
    }

    @Test("records without a key stay together until a batch is full, then go to another partition")
    func sticky() async throws {
        try await withFake(properties: ["linger.ms": "100", "batch.size": "1000"]) { fake, cluster in
            fake.createTopic("t", partitions: 3)
            let producer = KafkaProducer(cluster: cluster)
            for _ in 0..<60 {
                _ = try await producer.enqueue(record(String(repeating: "x", count: 100), partition: nil))
            }
            await producer.close()
            let batches = (Int32(0)..<3).map { fake.batches(of: TopicPartition("t", $0)).count }
            #expect(batches.reduce(0, +) < 15)
            #expect(batches.allSatisfy { $0 > 0 })
        }
    }

    @Test("a full batch is sent at once, whatever linger.ms is")
    func batchSize() async throws {
        try await withFake(properties: ["linger.ms": "3600000", "batch.size": "2000"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let value = String(repeating: "x", count: 500)
            let first = try await producer.enqueue(record(value))
            for _ in 0..<3 { _ = try await producer.enqueue(record(value)) }
            #expect(try await first.metadata.offset == 0)
            #expect(fake.batches(of: partition).count == 1)
            #expect(fake.batches(of: partition).allSatisfy { $0.count <= 2000 })
            await producer.close()
            #expect(try fake.log(of: partition).count == 4)
        }
    }

    @Test("a batch that isn't full is sent after linger.ms, or at once by flush")
    func linger() async throws {
        try await withFake(properties: ["linger.ms": "30"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record("warm"))
            let started = ContinuousClock.now
            let deliveries = [try await producer.enqueue(record("a")), try await producer.enqueue(record("b"))]
            #expect(try await deliveries[1].metadata.offset == 2)
            #expect(.now - started >= .milliseconds(29))
            #expect(fake.batches(of: partition).count == 2)
            await producer.close()
        }
        try await withFake(properties: ["linger.ms": "3600000"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            for index in 0..<10 { _ = try await producer.enqueue(record("\(index)")) }
            await producer.flush()
            #expect(try fake.log(of: partition) == numbered(0..<10))
            // Once more: a flush has no lasting effect.
            let late = try await producer.enqueue(record("10"))
            await producer.flush()
            #expect(try await late.metadata.offset == 10)
            await producer.close()
        }
    }

    @Test("acks", arguments: ["0", "1", "all"])
    func acks(acks: String) async throws {
        try await withFake(properties: ["acks": acks]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let metadata = try await producer.send(record("0"))
            #expect(metadata.offset == (acks == "0" ? -1 : 0))
            for index in 1..<100 { _ = try await producer.enqueue(record("\(index)")) }
            await producer.close()
            try await eventually("all is written") { fake.offsets(of: partition)?.upperBound == 100 }
            #expect(try fake.log(of: partition) == numbered(0..<100))
            #expect(fake.count(.initProducerID) == (acks == "all" ? 1 : 0))
        }
    }

    @Test("gzip: the read records equal the sent ones, and fewer bytes are sent")
    func gzip() async throws {
        try await withFake(properties: ["compression.type": "gzip", "linger.ms": "50"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let values = (0..<1000).map { String(repeating: "\($0 % 10)", count: 50) }
            for value in values { _ = try await producer.enqueue(record(value)) }
            await producer.close()
            #expect(try fake.log(of: partition).map(\.value) == values)
            #expect(fake.batches(of: partition).reduce(0) { $0 + $1.count } < 20_000)
        }
    }

    @Test("a record that is too large for the client is refused at once, one too large for the broker by the broker")
    func tooLarge() async throws {
        try await withFake(properties: ["max.request.size": "10000"]) { fake, cluster in
            fake.createTopic("t", maximumMessageBytes: 5000)
            let producer = KafkaProducer(cluster: cluster)
            let local = await #expect(throws: KafkaError.self) {
                _ = try await producer.send(record(String(repeating: "x", count: 10_001)))
            }
            #expect(local?.code == .messageTooLarge)
            #expect(local?.isFromBroker == false)
            #expect(local?.topic == "t" && local?.partition == 0)
            #expect(local?.message.contains("max.request.size") == true)
            let remote = await #expect(throws: KafkaError.self) {
                _ = try await producer.send(record(String(repeating: "x", count: 6000)))
            }
            #expect(remote?.code == .messageTooLarge)
            #expect(remote?.isFromBroker == true)
            #expect(remote?.topic == "t")
            // Later records are accepted: the producer handles the gap in the sequence numbers.
            for index in Int64(0)..<3 {
                let metadata = try await producer.send(record("\(index)"))
                #expect(metadata.offset == index)
            }
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<3))
        }
    }

    @Test("a missing topic and a missing partition are errors")
    func unknown() async throws {
        try await withFake(properties: ["default.api.timeout.ms": "1500"]) { fake, cluster in
            let producer = KafkaProducer(cluster: cluster)
            let missing = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("x")) }
            #expect(missing?.code == .unknownTopicOrPartition)
            #expect(missing?.topic == "t")
            fake.createTopic("t", partitions: 2)
            for index in [Int32(2), -1, .max] {
                let error = await #expect(throws: KafkaError.self) {
                    _ = try await producer.send(record("x", partition: index))
                }
                #expect(error?.code == .unknownTopicOrPartition)
            }
            let metadata = try await producer.send(record("x", partition: 1))
            #expect(metadata.offset == 0)
            await producer.close()
        }
    }

    @Test("a send waits for a topic without partitions, and doesn't trap")
    func noPartitions() async throws {
        try await withFake(properties: ["default.api.timeout.ms": "1500"]) { fake, cluster in
            fake.createTopic("t", partitions: 0)
            let producer = KafkaProducer(cluster: cluster)
            for partition in [Int32?.none, 0] {
                let error = await #expect(throws: KafkaError.self) {
                    _ = try await producer.send(record("x", partition: partition, key: "k"))
                }
                #expect(error?.topic == "t")
            }
            await producer.close()
        }
    }

    @Test("after closing no record is accepted, and closing twice is harmless")
    func closed() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let delivery = try await producer.enqueue(record("0"))
            await producer.close()
            #expect(try await delivery.metadata.offset == 0)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("1")) }
            #expect(error?.message.contains("closed") == true)
            await producer.close()
            await producer.flush()
        }
    }

    @Test("when buffer.memory is used up, the next record waits until one is delivered")
    func bufferMemory() async throws {
        let properties = ["buffer.memory": "3000", "batch.size": "1000", "linger.ms": "0"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record("warm"))
            fake.inject(.late(.milliseconds(100)), into: .produce)
            let value = String(repeating: "x", count: 800)
            let started = ContinuousClock.now
            var taken = 0
            while try producer.tryEnqueue(topic: "t", partition: 0, key: nil, value: nil, timestamp: .unknown) != nil,
                taken < 10_000
            {
                taken += 1
            }
            // 3,000 bytes of records in closed batches and the open one.
            #expect(taken > 0 && taken < 1000)
            for _ in 0..<20 { _ = try await producer.enqueue(record(value)) }
            #expect(.now - started >= .milliseconds(90))
            await producer.close()
            #expect(try fake.log(of: partition).count == 21 + taken)
        }
    }

    @Test("many concurrent tasks: every record is written once, those of each task in order")
    func concurrent() async throws {
        let properties = ["buffer.memory": "60000", "batch.size": "2000", "linger.ms": "1"]
        try await withFake(brokers: 2, properties: properties) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for index in 0..<500 {
                            _ = try await producer.enqueue(
                                ProducerRecord(
                                    topic: "t", partition: Int32(task % 2), value: Array("\(task) \(index)".utf8)))
                        }
                    }
                }
                try await group.waitForAll()
            }
            await producer.close()
            for half in 0..<2 {
                let values = try fake.log(of: TopicPartition("t", Int32(half))).map(\.value)
                #expect(values.count == 2000)
                for task in stride(from: half, to: 8, by: 2) {
                    let own = values.filter { $0.hasPrefix("\(task) ") }
                    #expect(own == (0..<500).map { "\(task) \($0)" })
                }
            }
        }
    }
}
