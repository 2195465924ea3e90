import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Offsets by position, offsets by time, and group offsets.
    @Suite(needsKafka) struct Offsets {
        private func offset(_ fixture: TopicFixture, _ spec: OffsetSpec) async throws -> ListedOffset? {
            try await fixture.client.admin.listOffsets([fixture.partition(): spec])[fixture.partition()]
        }

        @Test(arguments: KafkaHome.all) func emptyPartition(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            #expect(try await offset(fixture, .earliest)?.offset == 0)
            #expect(try await offset(fixture, .latest)?.offset == 0)
            #expect(try await offset(fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 0)))?.offset == 0)
            #expect(
                try await offset(fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 4_000_000_000_000)))?.offset
                    == 0)
        }

        @Test(arguments: KafkaHome.all) func placesAndTimes(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let producer = fixture.client.producer()
            // Five batches of one record, with timestamps ten seconds apart.
            for number in 0..<5 {
                let metadata = try await producer.send(
                    ProducerRecord(
                        topic: fixture.topic, value: [UInt8(number)],
                        timestamp: KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000 + Int64(number) * 10_000)))
                #expect(metadata.offset == Int64(number))
            }
            await producer.close()
            #expect(try await offset(fixture, .earliest)?.offset == 0)
            #expect(try await offset(fixture, .latest)?.offset == 5)
            #expect(try await offset(fixture, .latest)?.timestamp == .unknown)
            #expect(try await offset(fixture, .latest)?.leaderEpoch == 0)
            #expect(try await offset(fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 0)))?.offset == 0)
            let exact = try await offset(fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 1_700_000_020_000)))
            #expect(exact?.offset == 2)
            #expect(exact?.timestamp.millisecondsSince1970 == 1_700_000_020_000)
            let between = try await offset(
                fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 1_700_000_020_001)))
            #expect(between?.offset == 3)
            #expect(between?.timestamp.millisecondsSince1970 == 1_700_000_030_000)
            #expect(
                try await offset(fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 1_700_000_040_001)))?.offset
                    == 5)
            // A given offset is returned unchanged.
            #expect(try await offset(fixture, .offset(3))?.offset == 3)
        }

        @Test(arguments: KafkaHome.all) func timestampWithinABatch(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["linger.ms": "1000"])
            let producer = fixture.client.producer()
            for number in 0..<10 {
                _ = try await producer.enqueue(
                    ProducerRecord(
                        topic: fixture.topic, value: [UInt8(number)],
                        timestamp: KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000 + Int64(number))))
            }
            await producer.close()
            #expect(
                try await offset(fixture, .timestamp(KafkaTimestamp(millisecondsSince1970: 1_700_000_000_007)))?.offset
                    == 7)
            var reading = await fixture.client.read([
                fixture.partition(): .timestamp(KafkaTimestamp(millisecondsSince1970: 1_700_000_000_007))
            ])
            #expect(try await reading.records(3).map(\.offset) == [7, 8, 9])
            #expect(reading.batchCount == 1)
        }

        @Test(arguments: KafkaHome.all) func severalPartitionsAtOnce(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 4)
            try await fixture.produce(0..<3, partition: 1)
            try await fixture.produce(0..<7, partition: 3)
            let ends = try await fixture.client.admin.listOffsets(
                Dictionary(uniqueKeysWithValues: (0..<4).map { (fixture.partition($0), .latest) }))
            #expect((0..<4).map { ends[fixture.partition($0)]?.offset } == [0, 3, 0, 7])
        }

        @Test(arguments: KafkaHome.all) func unknownTopicAndPartition(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["default.api.timeout.ms": "1000"])
            let unknown = TopicPartition(topic: uniqueName(), partition: 0)
            let error = try await kafkaError { _ = try await fixture.client.admin.listOffsets([unknown: .latest]) }
            #expect(error.code == .unknownTopicOrPartition)
            #expect(error.topic == unknown.topic)
            let beyond = try await kafkaError {
                _ = try await fixture.client.admin.listOffsets([fixture.partition(7): .latest])
            }
            #expect(beyond.code == .unknownTopicOrPartition)
            #expect(beyond.message == "the topic has no such partition")
            #expect(beyond.topic == fixture.topic)
            #expect(beyond.partition == 7)
        }

        @Test(arguments: KafkaHome.all) func groupOffsetsAsJavaSeesThem(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            try await fixture.produce(0..<10, partition: 0)
            try await fixture.produce(0..<4, partition: 1)
            let group = uniqueName()
            try await fixture.client.admin.commitOffsets(
                group: group, [fixture.partition(0): 5, fixture.partition(1): 4])
            try await fixture.client.admin.commitOffsets(group: group, [fixture.partition(0): 7])
            let output = try await fixture.tool("consumer-groups", ["--describe", "--group", group])
            var rows: [[Substring]] = []
            for line in output.split(separator: "\n") where line.contains(fixture.topic) {
                // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG
                rows.append(Array(line.split(separator: " ", omittingEmptySubsequences: true)[2..<6]))
            }
            #expect(rows.sorted { $0[0] < $1[0] } == [["0", "7", "10", "3"], ["1", "4", "4", "0"]])
        }
    }
}
