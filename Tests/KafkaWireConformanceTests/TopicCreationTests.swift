import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    @Suite("Automatic topic creation by real brokers", needsKafka, .serialized, .timeLimit(.minutes(5)))
    struct TopicCreationTests {
        private func send(_ client: KafkaClient, to topic: String) async throws -> RecordMetadata {
            let producer = client.producer()
            defer { Task { await producer.close() } }
            return try await producer.send(ProducerRecord(topic: topic, value: Array("x".utf8)))
        }

        private func exists(_ topic: String, _ client: KafkaClient) async throws -> Bool {
            try await client.admin.listTopics().contains { $0.name == topic }
        }

        @Test(
            "with auto.create.topics.enable a record creates its topic, and a question doesn't",
            arguments: KafkaHome.all)
        func permitted(home: KafkaHome) async throws {
            let cluster = try await KafkaCluster.start(home, settings: ["auto.create.topics.enable": "true"])
            let client = try KafkaClient(bootstrapServers: cluster.bootstrap)
            let (sent, asked, forbidden) = (uniqueName(), uniqueName(), uniqueName())
            let metadata = try await send(client, to: sent)
            #expect(metadata.offset == 0)
            await #expect(throws: KafkaError.self) { _ = try await client.admin.describe(topics: [asked]) }
            let cautious = try KafkaClient(
                bootstrapServers: cluster.bootstrap,
                properties: ["allow.auto.create.topics": "false", "max.block.ms": "1000"])
            let error = await #expect(throws: KafkaError.self) { _ = try await send(cautious, to: forbidden) }
            #expect(error?.code == .unknownTopicOrPartition)
            #expect(try await exists(sent, client))
            #expect(try await !exists(asked, client))
            #expect(try await !exists(forbidden, client))
            await cautious.close()
            await client.close()
            try await cluster.shutDown()
        }

        @Test(
            "subscribing to a missing topic by name creates it, unless allow.auto.create.topics is false",
            arguments: KafkaHome.all)
        func subscription(home: KafkaHome) async throws {
            let cluster = try await KafkaCluster.start(home, settings: ["auto.create.topics.enable": "true"])
            let (created, forbidden) = (uniqueName(), uniqueName())
            let properties = ["group.id": uniqueName(), "auto.offset.reset": "earliest"]
            let client = try KafkaClient(bootstrapServers: cluster.bootstrap, properties: properties)
            let cautious = try KafkaClient(
                bootstrapServers: cluster.bootstrap,
                properties: properties.merging(["allow.auto.create.topics": "false", "group.id": uniqueName()]) { $1 })
            let (consumer, reader) = (client.consumer(), cautious.consumer())
            try await reader.subscribe(to: .topics([forbidden]))
            try await consumer.subscribe(to: .topics([created]))
            try await eventually("the topic is created and assigned") {
                consumer.assignment == [TopicPartition(topic: created, partition: 0)]
            }
            _ = try await send(cautious, to: created)
            var iterator = consumer.makeAsyncIterator()
            #expect(try await iterator.next()?.recordCount == 1)
            #expect(try await !exists(forbidden, client))
            await reader.close()
            await consumer.close()
            await cautious.close()
            await client.close()
            try await cluster.shutDown()
        }

        @Test("without it a record for a missing topic fails within max.block.ms", arguments: KafkaHome.all)
        func notPermitted(home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0, properties: ["max.block.ms": "1000"])
            let error = await #expect(throws: KafkaError.self) { _ = try await send(fixture.client, to: fixture.topic) }
            #expect(error?.code == .unknownTopicOrPartition)
            #expect(try await !exists(fixture.topic, fixture.client))
            await fixture.client.close()
        }

        @Test("a record without a key for a compacted topic fails alone, and the others of its batch are written")
        func invalidRecord() async throws {
            let home = try #require(KafkaHome.newest)
            let fixture = try await TopicFixture(
                home, configs: ["cleanup.policy": "compact"], properties: ["linger.ms": "60000"])
            let producer = fixture.client.producer()
            var deliveries: [Delivery] = []
            for index in 0..<10 {
                deliveries.append(
                    try await producer.enqueue(
                        ProducerRecord(
                            topic: fixture.topic, partition: 0, key: index == 4 ? nil : Array("\(index)".utf8),
                            value: Array("\(index)".utf8))))
            }
            await producer.flush()
            var offsets: [Int64] = []
            for (index, delivery) in deliveries.enumerated() {
                if index == 4 {
                    let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
                    #expect(error?.code == .invalidRecord)
                } else {
                    offsets.append(try await delivery.metadata.offset)
                }
            }
            #expect(offsets == Array(0..<9))
            await producer.close()
            await fixture.client.close()
        }
    }
}
