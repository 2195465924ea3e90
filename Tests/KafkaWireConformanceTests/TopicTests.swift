import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Creating, describing and deleting topics.
    @Suite(needsKafka) struct Topics {
        @Test(arguments: KafkaHome.all) func describedAsJavaDoes(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 3, configs: ["retention.ms": "86400000"])
            let topic = try await fixture.client.admin.describe(topics: [fixture.topic])[0]
            #expect(topic.name == fixture.topic)
            #expect(!topic.isInternal)
            #expect(topic.partitions.map(\.partition) == [0, 1, 2])
            for partition in topic.partitions {
                #expect(partition.leader == 1)
                #expect(partition.leaderEpoch == 0)
                #expect(partition.replicas == [1])
                #expect(partition.inSyncReplicas == [1])
            }
            let output = try await fixture.tool("topics", ["--describe", "--topic", fixture.topic])
            let line = try #require(output.split(separator: "\n").first)
            #expect(line.contains("TopicId: \(topic.id)\t"))
            #expect(line.contains("PartitionCount: 3"))
            #expect(line.contains("retention.ms=86400000"))
        }

        @Test(arguments: KafkaHome.all) func unknownTopicFailsImmediately(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let start = ContinuousClock.now
            let error = try await kafkaError { _ = try await fixture.client.admin.describe(topics: [fixture.topic]) }
            #expect(error.code == .unknownTopicOrPartition)
            #expect(error.isFromBroker)
            #expect(error.topic == fixture.topic)
            #expect(error.message.hasPrefix("the topic \(fixture.topic) does not exist;"))
            #expect(.now - start < .seconds(10))
            // Describing a topic does not create it.
            let again = try await kafkaError { _ = try await fixture.client.admin.describe(topics: [fixture.topic]) }
            #expect(again.code == .unknownTopicOrPartition)
        }

        @Test(arguments: KafkaHome.all) func brokersDefaults(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            try await fixture.client.admin.createTopic(fixture.topic)
            let topic = try await fixture.client.admin.describe(topics: [fixture.topic])[0]
            #expect(topic.partitions.count == 1)
            #expect(topic.partitions[0].replicas.count == 1)
        }

        @Test(arguments: KafkaHome.all) func refusals(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let admin = fixture.client.admin
            func refusal(_ name: String, _ partitions: Int32, _ factor: Int16, _ configs: [String: String] = [:])
                async throws -> KafkaError
            {
                let error = try await kafkaError {
                    try await admin.createTopic(
                        name, partitions: partitions, replicationFactor: factor, configs: configs)
                }
                #expect(error.isFromBroker)
                #expect(error.topic == name)
                #expect(!error.message.isEmpty)
                return error
            }
            #expect(try await refusal(fixture.topic, 1, 1).code == .topicAlreadyExists)
            #expect(try await refusal("no such/name", 1, 1).code == .invalidTopicException)
            #expect(try await refusal(uniqueName(), 1, 2).code == .invalidReplicationFactor)
            #expect(try await refusal(uniqueName(), 0, 1).code == .invalidPartitions)
            #expect(try await refusal(uniqueName(), 1, 1, ["retention.ms": "soon"]).code == .invalidConfig)
            #expect(try await refusal(uniqueName(), 1, 1, ["retention.msec": "1"]).code == .invalidConfig)
        }

        @Test(arguments: KafkaHome.all) func deletedTopicIsGone(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let admin = fixture.client.admin
            try await admin.deleteTopic(fixture.topic)
            try await eventually("the topic is gone") {
                do {
                    _ = try await admin.describe(topics: [fixture.topic])
                    return false
                } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
                    return true
                }
            }
            let error = try await kafkaError { try await admin.deleteTopic(fixture.topic) }
            #expect(error.code == .unknownTopicOrPartition)
            #expect(error.topic == fixture.topic)
        }
    }
}
