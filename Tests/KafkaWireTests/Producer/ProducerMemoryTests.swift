import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A producer's memory, and batches that are too large", .timeLimit(.minutes(1)))
struct ProducerMemoryTests {
    private let partition = TopicPartition("t")

    private func record(_ value: String, partition: Int32 = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8))
    }

    @Test("open batches count against buffer.memory, also with many partitions")
    func openBatches() throws {
        var configuration = ProducerConfiguration()
        configuration.bufferMemory = 100_000
        configuration.linger = .seconds(3600)
        let accumulator = Accumulator(configuration: configuration, pool: BufferPool(limit: 0), timing: Timing())
        accumulator.add(topic: "t", partitionCount: 100)
        var taken = 0
        let value = [UInt8](repeating: 1, count: 1000)
        loop: for _ in 0..<1000 {
            for partition in Int32(0)..<100 {
                let appended = try unsafe accumulator.append(
                    topic: "t", partition: partition, key: nil, value: value.span.bytes, headers: [], timestamp: 0)
                guard case .appended = appended else { break loop }
                taken += 1
            }
        }
        // 100 KB have room for fewer than 100 records of 1 KB.
        #expect((10..<100).contains(taken))
        #expect(accumulator.state.withLock { $0.usedBytes } <= 100_000)
        // They are sent before linger.ms has passed, since nothing else would free memory.
        #expect(accumulator.ready(at: .now).waiting.count == min(taken, 100))
    }

    @Test("all memory is free again once every record is delivered or has failed")
    func freed() async throws {
        let properties = ["batch.size": "3000", "linger.ms": "1", "compression.type": "gzip"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t", partitions: 3, maximumMessageBytes: 500)
            let configuration = cluster.configuration.producer
            let accumulator = Accumulator(configuration: configuration, pool: cluster.pool, timing: cluster.timing)
            accumulator.add(topic: "t", partitionCount: 3)
            let sender = ProducerSender(cluster: cluster, accumulator: accumulator, transactions: nil)
            let running = Task { await sender.run() }
            var random = SystemRandomNumberGenerator()
            for index in 0..<300 {
                // Some exceed the topic's max.message.bytes, alone or in a batch.
                let value = (0..<(index % 40 == 7 ? 600 : 60)).map { _ in UInt8.random(in: 0...255, using: &random) }
                _ = try unsafe accumulator.append(
                    topic: "t", partition: Int32(index % 3), key: nil, value: value.span.bytes, headers: [],
                    timestamp: 0)
            }
            await accumulator.flush()
            while accumulator.producerState.waitingRecords > 0 { await accumulator.flush() }
            #expect(accumulator.state.withLock { $0.usedBytes } == 0)
            await sender.stop(KafkaError(.networkException, "the test is over"))
            await running.value
        }
    }

    @Test("with max.block.ms=0 the first record of a topic fails at once, and a later one is sent")
    func noBlocking() async throws {
        try await withFake(properties: ["max.block.ms": "0", "linger.ms": "0"]) { fake, cluster in
            fake.createTopic("t")
            fake.inject(.held, into: .metadata)
            let producer = KafkaProducer(cluster: cluster)
            let record = ProducerRecord(topic: "t", value: Array("x".utf8))
            for _ in 0..<3 {
                let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record) }
                #expect(error?.code == .requestTimedOut && error?.topic == "t")
            }
            fake.releaseAnswers()
            let deadline = ContinuousClock.now + .seconds(50)
            while (try? await producer.send(record)) == nil {
                try #require(ContinuousClock.now < deadline, "the topic is looked up in the background")
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(try fake.log(of: TopicPartition("t")).count == 1)
            await producer.close()
        }
    }

    @Test("a record for which there is no room within max.block.ms fails, and cancelling ends the wait")
    func maximumBlockTime() async throws {
        let properties = ["buffer.memory": "2000", "batch.size": "1000", "linger.ms": "0", "max.block.ms": "1000"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record("0"))
            fake.inject(.error(.notEnoughReplicas), into: .produce, times: 1_000_000)
            let value = String(repeating: "x", count: 900)
            let first = try await producer.enqueue(record(value))
            let error = await #expect(throws: KafkaError.self) {
                for _ in 0..<10 { _ = try await producer.enqueue(record(value)) }
            }
            #expect(error?.code == .requestTimedOut && error?.message.contains("max.block.ms") == true)
            let waiting = Task { try await producer.enqueue(record(value)) }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
            fake.clearFaults()
            #expect(try await first.metadata.offset == 1)
            await producer.close()
        }
    }

    @Test("a record larger than buffer.memory is refused at once")
    func largerThanMemory() async throws {
        try await withFake(properties: ["buffer.memory": "2000"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) {
                _ = try await producer.send(record(String(repeating: "x", count: 2000)))
            }
            #expect(error?.code == .messageTooLarge && error?.message.contains("buffer.memory") == true)
            #expect(error?.topic == "t" && error?.partition == 0)
            await producer.close()
        }
    }

    @Test(
        "a batch that is too large for its topic is sent in parts, in order and each record once",
        arguments: ["none", "gzip"])
    func split(compression: String) async throws {
        let properties = ["linger.ms": "20", "batch.size": "20000", "compression.type": compression]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t", maximumMessageBytes: 1500)
            let producer = KafkaProducer(cluster: cluster)
            var state: UInt64 = 1
            var values: [String] = []
            for index in 0..<200 {
                // Text that compresses badly.
                let noise = (0..<100).map { _ -> Character in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Character(Unicode.Scalar(UInt8(33 + state >> 33 % 90)))
                }
                values.append("\(index) " + String(noise))
            }
            var deliveries: [Delivery] = []
            for value in values {
                deliveries.append(
                    try await producer.enqueue(
                        ProducerRecord(
                            topic: "t", partition: 0, key: Array("k".utf8), value: Array(value.utf8),
                            headers: [RecordHeader("h", [1, 2]), RecordHeader("null", nil)],
                            timestamp: KafkaTimestamp(millisecondsSince1970: 5))))
            }
            for (index, delivery) in deliveries.enumerated() {
                let metadata = try await delivery.metadata
                #expect(metadata.offset == Int64(index) && metadata.timestamp.millisecondsSince1970 == 5)
                try await delivery.batchDelivered()
            }
            await producer.close()
            #expect(try fake.log(of: partition).map(\.value) == values)
            #expect(fake.batches(of: partition).allSatisfy { $0.count <= 1500 })
            let first = try #require(fake.batches(of: partition).first)
            var reader = RecordBatchReader(
                topic: "t", partition: 0, records: first, from: 0, maximumInflatedBytes: 1 << 20,
                pool: BufferPool(limit: 0))
            let batch = try #require(try reader.next())
            var records = batch.makeIterator()
            let record = try records.next()
            #expect(
                record?.headers.count == 2 && record?.timestamp.millisecondsSince1970 == 5
                    && record?.key?.byteCount == 1)
        }
    }

    @Test("a record that is too large by itself fails alone, whatever its position in the batch")
    func tooLargeAmongOthers() async throws {
        try await withFake(properties: ["linger.ms": "20", "batch.size": "20000"]) { fake, cluster in
            fake.createTopic("t", maximumMessageBytes: 1500)
            let producer = KafkaProducer(cluster: cluster)
            let large = [0, 17, 31, 39]
            var deliveries: [Delivery] = []
            for index in 0..<40 {
                let value = large.contains(index) ? String(repeating: "x", count: 2000) : "\(index)"
                deliveries.append(try await producer.enqueue(record(value)))
            }
            for (index, delivery) in deliveries.enumerated() {
                if large.contains(index) {
                    let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
                    #expect(error?.code == .messageTooLarge && error?.isFromBroker == true)
                } else {
                    _ = try await delivery.metadata
                }
            }
            await #expect(throws: KafkaError.self) { try await deliveries[1].batchDelivered() }
            await producer.close()
            let expected = (0..<40).filter { !large.contains($0) }.map { "\($0)" }
            #expect(try fake.log(of: partition).map(\.value) == expected)
        }
    }
}
