import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Several topics in one call, partial failures, and settings.
    @Suite(needsKafka) struct AdminTopics {
        @Test(arguments: KafkaHome.all) func severalTopicsOfWhichOneFails(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let admin = fixture.client.admin
            let (first, second) = (uniqueName(), uniqueName())
            let created = try await admin.createTopics([
                NewTopic(first, partitions: 3, configs: ["retention.ms": "86400000"]),
                NewTopic("no such/name"), NewTopic(second, assignments: [[1], [1]]),
            ])
            #expect(created.count == 3)
            let topic = try #require(try created[first]?.get())
            #expect(topic.partitions == 3)
            #expect(topic.replicationFactor == 1)
            #expect(topic.id != .zero)
            #expect(try created[second]?.get().partitions == 2)
            let error = #expect(throws: KafkaError.self) { try created["no such/name"]?.get() }
            #expect(error?.code == .invalidTopicException)
            #expect(error?.isFromBroker == true)

            try await eventually("both topics are listed") {
                try await Set(admin.listTopics().map(\.name)).isSuperset(of: [first, second])
            }
            let described = try await admin.describeTopics([first, "no-such-topic"])
            #expect(try described[first]?.get().id == topic.id)
            let missing = #expect(throws: KafkaError.self) { try described["no-such-topic"]?.get() }
            #expect(missing?.code == .unknownTopicOrPartition)

            let deleted = try await admin.deleteTopics([first, "no-such-topic", second])
            #expect(throws: Never.self) { try deleted[first]?.get() }
            #expect(throws: Never.self) { try deleted[second]?.get() }
            let unknown = #expect(throws: KafkaError.self) { try deleted["no-such-topic"]?.get() }
            #expect(unknown?.code == .unknownTopicOrPartition)
        }

        @Test(arguments: KafkaHome.all) func onlyValidated(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let admin = fixture.client.admin
            let outcome = try await admin.createTopics([NewTopic(fixture.topic, partitions: 2)], validateOnly: true)
            #expect(throws: Never.self) { try outcome[fixture.topic]?.get() }
            #expect(try await !admin.listTopics().contains { $0.name == fixture.topic })
        }

        @Test(arguments: KafkaHome.all) func morePartitions(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let admin = fixture.client.admin
            let grown = try await admin.createPartitions([fixture.topic: 5, "no-such-topic": 2])
            #expect(throws: Never.self) { try grown[fixture.topic]?.get() }
            let missing = #expect(throws: KafkaError.self) { try grown["no-such-topic"]?.get() }
            #expect(missing?.code == .unknownTopicOrPartition)
            try await eventually("there are five") {
                try await admin.describe(topics: [fixture.topic])[0].partitions.count == 5
            }
            let fewer = try await admin.createPartitions([fixture.topic: 3])
            let error = #expect(throws: KafkaError.self) { try fewer[fixture.topic]?.get() }
            #expect(error?.code == .invalidPartitions)
        }

        @Test(arguments: KafkaHome.all) func topicConfigs(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, configs: ["cleanup.policy": "compact"])
            let admin = fixture.client.admin
            let topic = ConfigResource.topic(fixture.topic)
            func value(_ name: String) async throws -> ConfigEntry? {
                try await admin.describeConfigs([topic], names: [name])[topic]?.get().first
            }
            #expect(try await value("cleanup.policy")?.value == "compact")
            #expect(try await value("cleanup.policy")?.source == .topic)
            #expect(try await value("cleanup.policy")?.type == .list)
            #expect(try await value("max.message.bytes")?.isDefault == true)

            let altered = try await admin.alterConfigs([
                topic: [.append("cleanup.policy", "delete"), .set("max.message.bytes", "1234567")],
                .topic("no-such-topic"): [.set("max.message.bytes", "1")],
            ])
            #expect(throws: Never.self) { try altered[topic]?.get() }
            let missing = #expect(throws: KafkaError.self) { try altered[.topic("no-such-topic")]?.get() }
            #expect(missing?.code == .unknownTopicOrPartition)
            // The controller has the change; the broker applies it a moment later.
            try await eventually("the broker has applied the change") {
                try await value("cleanup.policy")?.value == "compact,delete"
            }
            #expect(try await value("max.message.bytes")?.value == "1234567")

            _ = try await admin.alterConfigs([
                topic: [.subtract("cleanup.policy", "compact"), .delete("max.message.bytes")]
            ])
            try await eventually("the broker has applied the change") {
                try await value("cleanup.policy")?.value == "delete"
            }
            #expect(try await value("max.message.bytes")?.isDefault == true)

            let wrong = try await admin.alterConfigs([topic: [.set("max.message.bytes", "soon")]])
            let error = #expect(throws: KafkaError.self) { try wrong[topic]?.get() }
            #expect(error?.code == .invalidConfig)
            // A request with validateOnly changes nothing.
            _ = try await admin.alterConfigs([topic: [.set("max.message.bytes", "77")]], validateOnly: true)
            #expect(try await value("max.message.bytes")?.isDefault == true)
            let output = try await fixture.tool(
                "configs", ["--describe", "--entity-type", "topics", "--entity-name", fixture.topic])
            #expect(output.contains("cleanup.policy=delete"))
        }

        @Test(arguments: KafkaHome.all) func brokerConfigs(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let admin = fixture.client.admin
            let answers = try await admin.describeConfigs(
                [.broker(1), .broker(77)], names: ["log.retention.hours", "node.id"], includingSynonyms: true,
                includingDocumentation: true)
            let entries = try #require(try answers[.broker(1)]?.get())
            let id = try #require(entries.first { $0.name == "node.id" })
            #expect(id.value == "1")
            #expect(id.isReadOnly)
            #expect(id.source == .brokerFile)
            let retention = try #require(entries.first { $0.name == "log.retention.hours" })
            #expect(!retention.synonyms.isEmpty)
            #expect(retention.documentation != nil)
            let missing = #expect(throws: KafkaError.self) { try answers[.broker(77)]?.get() }
            #expect(missing?.code == .brokerNotAvailable)
            #expect(missing?.message == "the cluster has no broker 77")

            // A dynamic broker setting that does not affect other tests on the same broker.
            _ = try await admin.alterConfigs([.broker(1): [.set("max.connections", "1000000")]])
            try await eventually("the broker has applied the setting") {
                let entry = try await admin.describeConfigs([.broker(1)], names: ["max.connections"])
                return try entry[.broker(1)]?.get().first?.source == .broker
            }
            _ = try await admin.alterConfigs([.broker(1): [.delete("max.connections")]])
        }

        @Test(arguments: KafkaHome.all) func theCluster(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let cluster = try await fixture.client.admin.describeCluster(includingFenced: true)
            #expect(cluster.clusterID?.isEmpty == false)
            #expect(cluster.controllerID != nil)
            #expect(cluster.brokers.map(\.nodeID) == [1])
            #expect(cluster.brokers.map { "\($0.host):\($0.port)" } == [fixture.cluster.bootstrap])
            #expect(cluster.brokers.map(\.isFenced) == [false])
        }

        @Test(arguments: KafkaHome.all) func recordsBeforeAnOffset(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let admin = fixture.client.admin
            try await fixture.produce(0..<10, partition: 0)
            try await fixture.produce(0..<4, partition: 1)
            let outcome = try await admin.deleteRecords(
                before: [fixture.partition(0): 7, fixture.partition(1): -1, fixture.partition(9): 1])
            #expect(try outcome[fixture.partition(0)]?.get() == 7)
            #expect(try outcome[fixture.partition(1)]?.get() == 4)
            let missing = #expect(throws: KafkaError.self) { try outcome[fixture.partition(9)]?.get() }
            #expect(missing?.code == .unknownTopicOrPartition)
            #expect(missing?.message == "the topic has no such partition")
            let begins = try await admin.listOffsets([fixture.partition(0): .earliest, fixture.partition(1): .earliest])
            #expect(begins[fixture.partition(0)]?.offset == 7)
            #expect(begins[fixture.partition(1)]?.offset == 4)
            let beyond = try await admin.deleteRecords(before: [fixture.partition(0): 11])
            let error = #expect(throws: KafkaError.self) { try beyond[fixture.partition(0)]?.get() }
            #expect(error?.code == .offsetOutOfRange)
        }

        @Test(arguments: KafkaHome.all) func accessRulesWithoutAnAuthorizer(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let admin = fixture.client.admin
            let rule = AclBinding(.allow, "User:alice", .read, on: AclResource(.topic, "t"))
            let error = try await kafkaError { _ = try await admin.describeAcls() }
            #expect(error.code == .securityDisabled)
            let created = try await admin.createAcls([rule])
            let refused = #expect(throws: KafkaError.self) { try created[rule]?.get() }
            #expect(refused?.code == .securityDisabled)
        }
    }
}
