import KafkaWire
import TestSupport
import Testing

/// Producer settings to test.
struct ProduceSettings: Sendable, CustomTestStringConvertible {
    let home: KafkaHome
    let properties: [String: String]

    var testDescription: String {
        "\(home), " + properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    static let all: [ProduceSettings] = KafkaHome.all.flatMap { home in
        [
            ["acks": "all"], ["acks": "all", "enable.idempotence": "false"], ["acks": "1"], ["acks": "0"],
            ["acks": "all", "compression.type": "gzip"], ["acks": "0", "compression.type": "gzip"],
            ["acks": "all", "max.in.flight.requests.per.connection": "1", "batch.size": "0"],
        ].map { ProduceSettings(home: home, properties: $0) }
    }
}

extension RealKafka {
    /// Produced records are read back unchanged.
    @Suite(needsKafka) struct Produce {
        @Test(arguments: ProduceSettings.all) func recordsArriveUnchanged(_ settings: ProduceSettings) async throws {
            let fixture = try await TopicFixture(settings.home, partitions: 3)
            let client = try fixture.client(settings.properties.merging(["linger.ms": "20"]) { $1 })
            let producer = client.producer()
            var sent: [ProducerRecord] = []
            for number in 0..<300 {
                sent.append(
                    ProducerRecord(
                        topic: fixture.topic, partition: Int32(number % 3),
                        key: number % 4 == 0 ? nil : number % 4 == 1 ? [] : Array("key \(number)".utf8),
                        value: number % 5 == 0 ? nil : number % 5 == 1 ? [] : Array("value \(number)".utf8),
                        headers: number % 2 == 0
                            ? []
                            : [
                                RecordHeader("a", [1, 2]), RecordHeader("", []), RecordHeader("a", nil),
                                RecordHeader("ü", [0]),
                            ],
                        timestamp: KafkaTimestamp(
                            millisecondsSince1970: 1_600_000_000_000 + Int64(number * number % 977))))
            }
            var deliveries: [Delivery] = []
            for record in sent { deliveries.append(try await producer.enqueue(record)) }
            await producer.flush()
            for (number, delivery) in deliveries.enumerated() {
                let metadata = try await delivery.metadata
                #expect(metadata.partition == Int32(number % 3))
                #expect(metadata.offset == (settings.properties["acks"] == "0" ? -1 : Int64(number / 3)))
                #expect(metadata.timestamp == sent[number].timestamp)
            }
            await producer.close()

            let starts = Dictionary(uniqueKeysWithValues: (0..<3).map { (fixture.partition($0), OffsetSpec.earliest) })
            var reading = await client.read(starts)
            let read = try await reading.records(300).sorted { ($0.offset, $0.partition) < ($1.offset, $1.partition) }
            for (number, (record, source)) in zip(read, sent).enumerated() {
                #expect(record.partition == source.partition && record.offset == Int64(number / 3))
                #expect(record.key == source.key)
                #expect(record.value == source.value)
                #expect(record.timestamp == source.timestamp)
                #expect(record.headers == source.headers)
            }
        }

        @Test(arguments: KafkaHome.all) func batchesHaveTheRequestedProperties(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            func batch(_ properties: [String: String], at offset: Int64) async throws -> RecordBatch {
                let client = try fixture.client(properties)
                let producer = client.producer()
                let metadata = try await producer.send(
                    ProducerRecord(topic: fixture.topic, value: Array(repeating: 7, count: 2000)))
                #expect(metadata.offset == offset)
                await producer.close()
                var reading = await client.read([fixture.partition(): .offset(offset)])
                return try await reading.batch()
            }
            let numbered = try await batch([:], at: 0)
            #expect(numbered.producerID >= 0 && numbered.producerEpoch == 0 && numbered.baseSequence == 0)
            #expect(numbered.compression == .none && numbered.wireByteCount > 2000)
            let plain = try await batch(["enable.idempotence": "false", "compression.type": "gzip"], at: 1)
            #expect(plain.producerID == -1 && plain.baseSequence == -1)
            #expect(plain.compression == .gzip && plain.wireByteCount < 200)
            // Another producer has another producer id.
            let other = try await batch([:], at: 2)
            #expect(other.producerID >= 0 && other.producerID != numbered.producerID)
        }

        @Test(arguments: KafkaHome.all) func sequenceNumbersContinue(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["batch.size": "0"])
            try await fixture.produce(0..<50)
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            for number in 0..<50 {
                let batch = try await reading.batch()
                #expect(batch.baseSequence == Int32(number))
                #expect(try batch.copies().map(\.text) == ["\(number)"])
            }
        }

        @Test(arguments: KafkaHome.all) func largeRecords(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["max.request.size": "2000000"])
            let producer = fixture.client.producer()
            // The broker's message.max.bytes, 1048588, limits the whole batch.
            let large = (0..<1_048_400).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
            for _ in 0..<3 {
                _ = try await producer.send(ProducerRecord(topic: fixture.topic, value: large))
            }
            let error = try await kafkaError {
                _ = try await producer.send(
                    ProducerRecord(topic: fixture.topic, value: Array(repeating: 1, count: 1_048_600)))
            }
            #expect(error.code == .messageTooLarge && error.isFromBroker && error.topic == fixture.topic)
            let own = try await kafkaError {
                _ = try await producer.send(
                    ProducerRecord(topic: fixture.topic, value: Array(repeating: 1, count: 2_000_000)))
            }
            #expect(own.code == .messageTooLarge && !own.isFromBroker)
            // A rejected record does not block later records.
            #expect(try await producer.send(ProducerRecord(topic: fixture.topic, value: [1])).offset == 3)
            await producer.close()
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            let read = try await reading.records(4)
            #expect(read.map(\.offset) == [0, 1, 2, 3])
            for record in read.prefix(3) { #expect(record.value == large) }
        }

        @Test(arguments: KafkaHome.all) func unknownTopicIsReportedAfterTheTimeout(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(
                home, partitions: 0, properties: ["default.api.timeout.ms": "1000"])
            let producer = fixture.client.producer()
            let error = try await kafkaError {
                _ = try await producer.send(ProducerRecord(topic: fixture.topic, value: [1]))
            }
            #expect(error.code == .unknownTopicOrPartition)
            #expect(error.topic == fixture.topic)
            await producer.close()
        }

        /// If the broker rejects a record that the producer accepts, the error has the broker's own message.
        @Test(arguments: KafkaHome.all) func brokersRejectionIsReported(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, configs: ["cleanup.policy": "compact"])
            let producer = fixture.client.producer()
            let error = try await kafkaError {
                _ = try await producer.send(ProducerRecord(topic: fixture.topic, value: [1]))
            }
            #expect(error.code == .invalidRecord)
            #expect(error.isFromBroker)
            // The next record has a sequence number that the broker accepts.
            let metadata = try await producer.send(ProducerRecord(topic: fixture.topic, key: [1], value: [1]))
            #expect(metadata.offset == 0)
            await producer.close()
        }

        /// The leader of a new topic may reject the first batches; the order must still be kept.
        @Test(arguments: KafkaHome.all) func manyTasksAtOnce(_ home: KafkaHome) async throws {
            for _ in 0..<10 {
                let fixture = try await TopicFixture(
                    home, partitions: 4, properties: ["batch.size": "1000"], isServed: false)
                let producer = fixture.client.producer()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            for number in 0..<500 {
                                _ = try await producer.enqueue(
                                    ProducerRecord(
                                        topic: fixture.topic, partition: Int32(number % 4),
                                        value: Array("\(writer) \(number)".utf8)))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                await producer.close()
                var order = SequenceCheck()
                var reading = await fixture.client.read(
                    Dictionary(uniqueKeysWithValues: (0..<4).map { (fixture.partition($0), .earliest) }))
                for record in try await reading.records(2000) { order.take(record, step: 4) }
                #expect(order.problems == [])
                await fixture.client.close()
            }
        }
    }
}
