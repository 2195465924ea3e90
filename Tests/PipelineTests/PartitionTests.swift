import Foundation
import KafkaWire
import TestSupport
import Testing

extension PipelineTests {
    /// Partitions that are added to a topic later.
    @Suite struct PartitionTests {
        private static func setPartitions(_ pipeline: Pipeline, to count: Int) async throws {
            let result = try await pipeline.kafka.tool(
                "topics",
                [
                    "--bootstrap-server", pipeline.kafka.bootstrap, "--alter", "--topic", pipeline.topic,
                    "--partitions", String(count),
                ])
            try #require(result.status == 0, "\(result.out)\(result.err)")
            try await eventually("the client knows the new partitions") {
                try await pipeline.client.admin.describe(topics: [pipeline.topic])[0].partitions.count == count
            }
        }

        /// Sends one passage to each partition.
        private static func send(_ pipeline: Pipeline, units: Range<Int>) async throws {
            try await pipeline.send(
                units.map { unit in
                    var record = pipeline.passage(unit)
                    record.partition = Int32(unit % units.count)
                    return record
                })
        }

        @Test func partitionsAddedBetweenRunsAreReadFromTheirBeginning() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            try await Self.send(pipeline, units: 0..<2)
            #expect(try await pipeline.catchUp().status == 0)
            try await Self.setPartitions(pipeline, to: 5)
            try await Self.send(pipeline, units: 10..<15)
            // An established group reads everything, whatever the setting for new groups.
            let result = try await pipeline.catchUp(["--property", "auto.offset.reset=latest"])
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.tally().units == 7)
            #expect(try await pipeline.committed() == pipeline.ends())
        }

        @Test func partitionsAddedWhileARunIsUnderWayAreReadFromTheirBeginning() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            let consumer = try await pipeline.startConsumer(["--property", "metadata.max.age.ms=300"])
            try await Self.send(pipeline, units: 0..<2)
            try await eventually("the first rows") { try await pipeline.tally().rows == 2 }
            let producing = Task { try await pipeline.send(units: 100..<2_100, waves: 40, pause: .milliseconds(100)) }
            try await Self.setPartitions(pipeline, to: 5)
            try await Self.send(pipeline, units: 10..<15)
            try await producing.value
            let ends = try await pipeline.ends()
            try await eventually("everything is committed") { try await pipeline.committed() == ends }
            #expect(try await pipeline.tally() == Tally(rows: 2_007, units: 2_007, sum: (100..<2_100).reduce(61, +)))
            #expect(try consumer.errors().contains("has 5 partitions"))
            try await endInOrder(consumer)
        }
    }
}

extension DatabaseTests {
    /// Brokers with outdated metadata.
    @Suite struct OldNewsTests {
        /// Another member has added the partition's offset. The topic is the same and hasn't lost the partition.
        @Test(arguments: [["--standalone"], []])
        func aPartitionThatOnlyTheDatabaseKnowsIsReadLater(options: [String]) async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            try await pipeline.send([pipeline.passage(1, partitions: 1)])
            #expect(try await pipeline.catchUp(options).status == 0)
            try await pipeline.sql(
                """
                CREATE TEMPORARY TABLE added AS SELECT * FROM kafka_offset;
                UPDATE added SET partition = 1, next_offset = 0;
                INSERT INTO kafka_offset SELECT * FROM added
                """)
            let result = try await pipeline.catchUp(options)
            #expect(result.status == 0, "\(result.err)")
            let consumer = try await pipeline.startConsumer(options + ["--property", "metadata.max.age.ms=200"])
            pipeline.fake.addPartitions(to: FakePipeline.topic, count: 2)
            try await pipeline.send([pipeline.passage(1, partitions: 2)])
            try await eventually("the partition is read") { try await pipeline.units() == [1, 1] }
            consumer.signal(SIGTERM)
            #expect(try await consumer.result(timeout: .seconds(20)).status == 0)
            await pipeline.close()
        }

        /// A broker that was just started may not know the topic yet.
        @Test func aTopicThatABrokerDoesNotKnowYetIsRetried() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let consumer = try await pipeline.startConsumer()
            try await pipeline.send([pipeline.passage(1, partitions: 1)])
            try await eventually("the first row") { try await pipeline.units() == [1] }
            pipeline.fake.inject(.error(.unknownTopicOrPartition), into: .metadata, times: 4)
            for member in pipeline.fake.members(ofGroup: "tfi-consumer") ?? [] {
                pipeline.fake.expire(member: member.id, ofGroup: "tfi-consumer")
            }
            try await eventually("the lookup is repeated") {
                try consumer.errors().contains("cannot look up the positions of 1 partitions; retrying")
            }
            try await pipeline.send([pipeline.passage(2, partitions: 1)])
            try await eventually("the second row") { try await pipeline.units() == [1, 2] }
            #expect(try !consumer.errors().contains("is stopped"))
            consumer.signal(SIGTERM)
            #expect(try await consumer.result(timeout: .seconds(20)).status == 0)
            await pipeline.close()
        }
    }
}
