import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Topics and group offsets", .timeLimit(.minutes(1)))
struct AdminTests {
    @Test("a topic is created, described and deleted", arguments: [SpokenVersions.latest, .kafka21])
    func topics(versions: SpokenVersions) async throws {
        try await withFake(brokers: 3, versions: versions) { fake, cluster in
            let admin = KafkaAdmin(cluster: cluster)
            try await admin.createTopic("t", partitions: 6, replicationFactor: 2)
            let topic = try #require(try await admin.describe(topics: ["t"]).first)
            #expect(topic.partitions.map(\.partition) == Array(0..<6))
            #expect(topic.partitions.map(\.leader) == [1, 2, 3, 1, 2, 3])
            #expect(topic.partitions.allSatisfy { $0.replicas.count == 2 })
            let again = await #expect(throws: KafkaError.self) { try await admin.createTopic("t", partitions: 1) }
            #expect(again?.code == .topicAlreadyExists)
            try await admin.deleteTopic("t")
            for _ in 0..<2 {
                let gone = await #expect(throws: KafkaError.self) { try await admin.describe(topics: ["t"]) }
                #expect(gone?.code == .unknownTopicOrPartition)
                #expect(gone?.topic == "t")
            }
            let missing = await #expect(throws: KafkaError.self) { try await admin.deleteTopic("t") }
            #expect(missing?.code == .unknownTopicOrPartition)
        }
    }

    @Test(
        "an invalid topic is rejected with the broker's error code and message",
        arguments: [
            ("a b", Int32(1), Int16(1), ErrorCode.invalidTopicException), ("", 1, 1, .invalidTopicException),
            ("t", 0, 1, .invalidPartitions), ("t", 1, 2, .invalidReplicationFactor),
        ])
    func refused(name: String, partitions: Int32, replication: Int16, code: ErrorCode) async throws {
        try await withFake { _, cluster in
            let admin = KafkaAdmin(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) {
                try await admin.createTopic(name, partitions: partitions, replicationFactor: replication)
            }
            #expect(error?.code == code)
            #expect(error?.isFromBroker == true)
        }
    }

    @Test("a failure to delete records has the broker's reason")
    func recordsOfForbiddenTopic() async throws {
        // A later version of Metadata would fail the whole request.
        try await withFake(versions: .kafka21) { fake, cluster in
            fake.createTopic("t")
            fake.inject(.error(.topicAuthorizationFailed), into: .metadata)
            let partition = TopicPartition("t")
            let outcomes = try await KafkaAdmin(cluster: cluster).deleteRecords(before: [partition: 0])
            let error = #expect(throws: KafkaError.self) { try outcomes[partition]?.get() }
            #expect(error?.code == .topicAuthorizationFailed)
        }
    }

    @Test("a lost response and a retriable error are retried")
    func faults() async throws {
        try await withFake(brokers: 2) { fake, cluster in
            let admin = KafkaAdmin(cluster: cluster)
            fake.inject(.error(.notController), into: .createTopics, times: 2)
            fake.inject(.hangUp(.beforehand), into: .createTopics)
            fake.inject(.error(.leaderNotAvailable), into: .metadata, times: 2)
            try await admin.createTopic("t", partitions: 2)
            #expect(fake.offsets(of: TopicPartition("t", 1)) == 0..<0)
        }
    }

    @Test("a group's offsets are committed at its coordinator", arguments: [SpokenVersions.latest, .kafka21])
    func groupOffsets(versions: SpokenVersions) async throws {
        try await withFake(brokers: 2, versions: versions) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            fake.createTopic("u")
            let admin = KafkaAdmin(cluster: cluster)
            fake.inject(.error(.coordinatorNotAvailable), into: .findCoordinator)
            fake.inject(.error(.coordinatorLoadInProgress), into: .offsetCommit)
            try await admin.commitOffsets(
                group: "g", [TopicPartition("t", 0): 5, TopicPartition("t", 1): 7, TopicPartition("u"): 9])
            #expect(fake.committedOffset(group: "g", of: TopicPartition("t", 0)) == 5)
            #expect(fake.committedOffset(group: "g", of: TopicPartition("t", 1)) == 7)
            #expect(fake.committedOffset(group: "g", of: TopicPartition("u")) == 9)
            #expect(fake.committedOffset(group: "h", of: TopicPartition("u")) == nil)
            fake.inject(.error(.unknownMemberId), into: .offsetCommit)
            let error = await #expect(throws: KafkaError.self) {
                try await admin.commitOffsets(group: "g", [TopicPartition("u"): 10])
            }
            #expect(error?.code == .unknownMemberId)
            #expect(fake.committedOffset(group: "g", of: TopicPartition("u")) == 9)
        }
    }

    @Test("closing the client closes its active consumers and producers")
    func close() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        let client = KafkaClient(try ClientConfiguration(bootstrapServers: fake.bootstrapServers))
        let consumer = client.consumer(offsetReset: .earliest)
        await consumer.assign([TopicPartition("t"): ConsumerStart(.earliest)])
        let reading = Task {
            for try await _ in consumer {}
        }
        let producer = client.producer()
        _ = try await producer.send(ProducerRecord(topic: "t", value: [1]))
        try await eventually("the record is read") { consumer.positions[TopicPartition("t")] == 1 }
        await producer.close()
        await consumer.close()
        await client.close()
        try await reading.value
        let error = await #expect(throws: KafkaError.self) {
            _ = try await client.cluster.connection(to: 1, role: .general)
        }
        #expect(error?.message.contains("closed") == true)
        await fake.close()
    }
}
