import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Topics that are created by being used", .timeLimit(.minutes(1)))
struct TopicCreationTests {
    private func record(_ topic: String) -> ProducerRecord {
        ProducerRecord(topic: topic, value: Array("x".utf8))
    }

    @Test("a record for a missing topic creates it, if the broker permits that")
    func producer() async throws {
        try await withFake(properties: ["linger.ms": "0"]) { fake, cluster in
            fake.setTopicCreation(true)
            let producer = KafkaProducer(cluster: cluster)
            let metadata = try await producer.send(record("new"))
            #expect(metadata.offset == 0)
            #expect(fake.offsets(of: TopicPartition("new"))?.upperBound == 1)
            await producer.close()
        }
    }

    @Test("allow.auto.create.topics=false creates no topic")
    func forbidden() async throws {
        let properties = ["linger.ms": "0", "allow.auto.create.topics": "false", "max.block.ms": "2000"]
        try await withFake(properties: properties) { fake, cluster in
            #expect(!cluster.configuration.consumer.allowsTopicCreation)
            fake.setTopicCreation(true)
            let producer = KafkaProducer(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("new")) }
            #expect(error?.code == .unknownTopicOrPartition)
            #expect(fake.offsets(of: TopicPartition("new")) == nil)
            await producer.close()
        }
    }

    @Test("what is only asked about is not created, and neither is a deleted topic that nothing is sent to")
    func asked() async throws {
        try await withFake(properties: ["linger.ms": "0", "max.block.ms": "2000"]) { fake, cluster in
            fake.setTopicCreation(true)
            fake.createTopic("deleted")
            let producer = KafkaProducer(cluster: cluster)
            try await producer.ready(for: "deleted")
            fake.deleteTopic("deleted")
            await #expect(throws: KafkaError.self) { _ = try await cluster.describe(topics: ["asked"]) }
            let admin = KafkaAdmin(cluster: cluster)
            await #expect(throws: KafkaError.self) { _ = try await admin.describe(topics: ["asked"]) }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            await consumer.assign([TopicPartition("asked"): ConsumerStart(.earliest)])
            _ = try await producer.send(record("new"))
            await consumer.close()
            #expect(fake.offsets(of: TopicPartition("asked")) == nil)
            #expect(fake.offsets(of: TopicPartition("deleted")) == nil)
            await producer.close()
        }
    }
}
