import KafkaWire
import TestSupport
import Testing

/// Tests against Tansu, another implementation of the protocol, for machines without Java.
///
/// Tansu was seen to lack the following, which is only tested with real Kafka:
/// - For a timestamp it returns the first offset or 0, by its own clock.
/// - It accepts any topic name, replication factor and topic setting. LogAppendTime and compaction have no effect.
/// - An offset beyond the end is not out of range.
/// - A record does not wake a waiting fetch, which only polls again after half of its wait.
/// - It has no fetch sessions, and only one broker, in memory.
@Suite(.serialized, .enabled("Tansu can't be installed here") { await TansuBroker.skipReason() == nil })
struct TansuTests {
    private func client(_ properties: [String: String] = [:]) async throws -> KafkaClient {
        let broker = try await TansuBroker.shared()
        return try KafkaClient(
            bootstrapServers: broker.bootstrap, properties: ["auto.offset.reset": "none"].merging(properties) { $1 })
    }

    private func topic(_ client: KafkaClient, partitions: Int32) async throws -> [TopicPartition] {
        let name = uniqueName()
        try await client.admin.createTopic(name, partitions: partitions, replicationFactor: 1)
        return (0..<partitions).map { TopicPartition(topic: name, partition: $0) }
    }

    @Test func topicsAreCreatedAndDeleted() async throws {
        let client = try await client()
        let partitions = try await topic(client, partitions: 3)
        let described = try await client.admin.describe(topics: [partitions[0].topic])[0]
        #expect(described.partitions.map(\.partition) == [0, 1, 2])
        let twice = try await kafkaError {
            try await client.admin.createTopic(partitions[0].topic, partitions: 1, replicationFactor: 1)
        }
        #expect(twice.code == .topicAlreadyExists)
        try await client.admin.deleteTopic(partitions[0].topic)
        let other = try await self.client()
        let gone = try await kafkaError { _ = try await other.admin.describe(topics: [partitions[0].topic]) }
        #expect(gone.code == .unknownTopicOrPartition)
        await client.close()
        await other.close()
    }

    @Test(arguments: [
        ["acks": "all"], ["acks": "all", "enable.idempotence": "false"], ["acks": "1"],
        ["acks": "all", "compression.type": "gzip"], ["acks": "0"],
    ]) func recordsArriveUnchanged(_ properties: [String: String]) async throws {
        let client = try await client(properties.merging(["linger.ms": "20"]) { $1 })
        let partitions = try await topic(client, partitions: 2)
        let producer = client.producer()
        for number in 0..<200 {
            _ = try await producer.enqueue(
                ProducerRecord(
                    topic: partitions[0].topic, partition: Int32(number % 2), key: Array("k\(number)".utf8),
                    value: number % 3 == 0 ? nil : Array("v\(number)".utf8),
                    headers: number % 5 == 0 ? [RecordHeader("h", [1])] : [],
                    timestamp: KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000 + Int64(number))))
        }
        await producer.close()
        var reading = await client.read([partitions[0]: .earliest, partitions[1]: .earliest])
        let records = try await reading.records(200).sorted { ($0.offset, $0.partition) < ($1.offset, $1.partition) }
        for (number, record) in records.enumerated() {
            #expect(record.partition == Int32(number % 2) && record.offset == Int64(number / 2))
            #expect(record.key == Array("k\(number)".utf8))
            #expect(record.text == (number % 3 == 0 ? "" : "v\(number)"))
            #expect(record.headers == (number % 5 == 0 ? [RecordHeader("h", [1])] : []))
            #expect(record.timestamp.millisecondsSince1970 == 1_700_000_000_000 + Int64(number))
        }
        await client.close()
    }

    @Test func offsetsAndContinuedReading() async throws {
        let client = try await client()
        let partition = try await topic(client, partitions: 1)[0]
        let producer = client.producer()
        for number in 0..<10 {
            _ = try await producer.send(ProducerRecord(topic: partition.topic, value: [UInt8(number)]))
        }
        #expect(try await client.admin.listOffsets([partition: .earliest])[partition]?.offset == 0)
        #expect(try await client.admin.listOffsets([partition: .latest])[partition]?.offset == 10)
        var reading = await client.read([partition: .offset(6)])
        #expect(try await reading.records(4).map(\.offset) == [6, 7, 8, 9])
        _ = try await producer.send(ProducerRecord(topic: partition.topic, value: [10]))
        #expect(try await reading.records(1).map(\.value) == [[10]])
        await producer.close()
        await client.close()
    }

    @Test func fromTheMiddleOfABatch() async throws {
        let client = try await client(["linger.ms": "1000"])
        let partition = try await topic(client, partitions: 1)[0]
        let producer = client.producer()
        for number in 0..<100 {
            _ = try await producer.enqueue(
                ProducerRecord(topic: partition.topic, value: Array("\(number)".utf8)))
        }
        await producer.close()
        var reading = await client.read([partition: .offset(42)])
        let batch = try await reading.batch()
        #expect(batch.baseOffset == 0 && batch.firstOffset == 42)
        #expect(try batch.copies().map(\.text) == (42..<100).map(String.init))
        await client.close()
    }

    /// Without sessions every fetch names all partitions.
    @Test func largeRecordsOfSeveralPartitions() async throws {
        let client = try await client(["fetch.max.bytes": "1000", "max.partition.fetch.bytes": "500"])
        let partitions = try await topic(client, partitions: 3)
        let producer = client.producer()
        for size in [10, 900_000, 20] {
            for partition in partitions {
                _ = try await producer.send(
                    ProducerRecord(
                        topic: partition.topic, partition: partition.partition,
                        value: Array(repeating: UInt8(partition.partition), count: size)))
            }
        }
        await producer.close()
        var reading = await client.read(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
        let records = try await reading.records(9)
        for partition in partitions {
            let own = records.filter { $0.partition == partition.partition }
            #expect(own.map { $0.value?.count } == [10, 900_000, 20])
            #expect(own.allSatisfy { $0.value?.first == UInt8(partition.partition) })
        }
        await client.close()
    }

    @Test func groupOffsetsAreAccepted() async throws {
        let client = try await client()
        let partition = try await topic(client, partitions: 1)[0]
        let group = uniqueName()
        try await client.admin.commitOffsets(group: group, [partition: 3])
        let answer = try await client.cluster.anyConnection().call(
            OffsetFetchRequest(
                groups: [
                    OffsetFetchRequest.Group(
                        groupId: group,
                        topics: [OffsetFetchRequest.GroupTopic(name: partition.topic, partitionIndexes: [0])])
                ]), timeout: .seconds(10))
        #expect(answer.groups.first?.topics.first?.partitions.first?.committedOffset == 3)
        await client.close()
    }

    @Test func recreatedTopicHasAnotherID() async throws {
        let client = try await client()
        let name = try await topic(client, partitions: 1)[0].topic
        let first = try await client.admin.describe(topics: [name])[0].id
        try await client.admin.deleteTopic(name)
        try await client.admin.createTopic(name, partitions: 1, replicationFactor: 1)
        let second = try await client.admin.describe(topics: [name])[0].id
        #expect(first != .zero && second != .zero && first != second)
        let error = try await kafkaError { try await client.admin.deleteTopic(uniqueName()) }
        #expect(error.code == .unknownTopicOrPartition)
        await client.close()
    }
}
