import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Automatic topic creation", .timeLimit(.minutes(1)))
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

    private func groupProperties(_ kind: GroupKind, _ more: [String: String]) -> [String: String] {
        ["group.id": "g", "heartbeat.interval.ms": "10", "metadata.max.age.ms": "20"].merging(kind.properties) { $1 }
            .merging(more) { $1 }
    }

    @Test(
        "subscribing to a missing topic by name creates it, and creates it again after a deletion",
        arguments: GroupKind.both)
    func subscription(kind: GroupKind) async throws {
        let reports = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in reports.withLock { $0.append(event) } }
        try await withFake(properties: groupProperties(kind, [:]), hooks: hooks) { fake, cluster in
            fake.setTopicCreation(true)
            fake.configureGroups { $0.consumerHeartbeatInterval = .milliseconds(10) }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            try await consumer.subscribe(to: .topics(["new"]))
            try await eventually("it is created and assigned") { consumer.assignment == [TopicPartition("new")] }
            #expect(reports.withLock { $0.filter { $0.operation == "read the topic new" } }.isEmpty)
            fake.deleteTopic("new")
            try await eventually("it is created again") { fake.offsets(of: TopicPartition("new")) != nil }
            await consumer.close()
        }
    }

    @Test(
        "a consumer creates nothing with allow.auto.create.topics=false or by a pattern, and reports a missing topic",
        arguments: GroupKind.both)
    func subscriptionCreatesNothing(kind: GroupKind) async throws {
        let reports = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in reports.withLock { $0.append(event) } }
        let properties = groupProperties(kind, ["allow.auto.create.topics": "false"])
        try await withFake(properties: properties, hooks: hooks) { fake, cluster in
            fake.setTopicCreation(true)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            try await consumer.subscribe(to: .topics(["forbidden"]))
            try await eventually("the lookup is repeated") {
                reports.withLock { $0.contains { $0.operation == "read the topic forbidden" && $0.failures > 1 } }
            }
            #expect(fake.offsets(of: TopicPartition("forbidden")) == nil)
            await consumer.close()
        }
        try await withFake(properties: groupProperties(kind, [:])) { fake, cluster in
            fake.setTopicCreation(true)
            fake.createTopic("there")
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            try await consumer.subscribe(to: .pattern("there|missing"))
            try await eventually("it has the partitions of the existing topic") {
                consumer.assignment == [TopicPartition("there")]
            }
            let before = fake.count(.metadata)
            try await eventually("metadata is refreshed") { fake.count(.metadata) > before + 5 }
            #expect(fake.offsets(of: TopicPartition("missing")) == nil)
            #expect(fake.offsets(of: TopicPartition("there|missing")) == nil)
            await consumer.close()
        }
    }

    @Test(
        "a manually assigned partition creates its topic, but doesn't recreate a topic that was read and then deleted")
    func assignment() async throws {
        let reports = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in reports.withLock { $0.append(event) } }
        let properties = ["metadata.max.age.ms": "20", "default.api.timeout.ms": "100"]
        try await withFake(properties: properties, hooks: hooks) { fake, cluster in
            fake.setTopicCreation(true)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            await consumer.assign([TopicPartition("new"): ConsumerStart(.earliest)])
            try await eventually("it is created") { fake.offsets(of: TopicPartition("new")) != nil }
            var iterator = consumer.makeAsyncIterator()
            try fake.fill(TopicPartition("new"), [["x"]])
            #expect(try await iterator.next()?.recordCount == 1)
            let missing = reports.withLock { $0.filter { $0.error?.code == .unknownTopicOrPartition } }
            #expect(missing.isEmpty)
            fake.deleteTopic("new")
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.topic == "new")
            #expect(fake.offsets(of: TopicPartition("new")) == nil)
            await consumer.close()
        }
    }

    @Test("with allow.auto.create.topics=false an assigned partition creates nothing")
    func forbiddenAssignment() async throws {
        let properties = ["allow.auto.create.topics": "false", "default.api.timeout.ms": "50"]
        try await withFake(properties: properties) { fake, cluster in
            fake.setTopicCreation(true)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            await consumer.assign([TopicPartition("new"): ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.code == .unknownTopicOrPartition)
            #expect(fake.offsets(of: TopicPartition("new")) == nil)
            await consumer.close()
        }
    }

    @Test(
        "a topic that is only described is not created, and a deleted topic is not recreated unless records are sent to it"
    )
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
            _ = try await producer.send(record("new"))
            #expect(fake.offsets(of: TopicPartition("asked")) == nil)
            #expect(fake.offsets(of: TopicPartition("deleted")) == nil)
            await producer.close()
        }
    }
}
