import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// `-C -J` and `-P -J` between topics of a real broker.
    @Suite("Dumps", needsKafka) struct DumpTests {
        @Test(arguments: KafkaHome.all) func anyRecordSurvives(_ home: KafkaHome) async throws {
            let (from, to) = (try await TopicFixture(home, partitions: 3), try await TopicFixture(home, partitions: 3))
            let records = try await from.send(DumpRecords.make(5_000, partitions: 3, seed: 1))
            let moved = try await run(
                "/bin/bash",
                [
                    "-c",
                    "set -o pipefail; \"$0\" -b $1 -C -q -e -J -t $2 | \"$0\" -b $1 -P -J -t $3 -X compression.codec=zstd",
                    try Repository.program("kafkawire"), from.cluster.bootstrap, from.topic, to.topic,
                ])
            #expect(moved.status == 0, "\(moved.err)")
            #expect(try await to.generatedRecords(count: 5_000, partitions: 3) == records)
        }
    }
}

/// Generated records for dumps, with timestamps that a broker accepts.
enum DumpRecords {
    static func make(_ count: Int, partitions: Int32, seed: UInt64) -> [GeneratedRecord] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            GeneratedRecord(partitions: partitions, times: 1_600_000_000_000...1_700_000_000_000, using: &random)
        }
    }
}

extension TopicFixture {
    /// Sends records, and returns them, each partition's in order.
    func send(_ records: [GeneratedRecord]) async throws -> [GeneratedRecord] {
        let producer = client.producer()
        var deliveries: [Delivery] = []
        for record in records {
            deliveries.append(
                try await producer.enqueue(
                    ProducerRecord(
                        topic: topic, partition: record.partition, key: record.key, value: record.value,
                        headers: record.headers.map { RecordHeader($0.name, $0.value) },
                        timestamp: KafkaTimestamp(millisecondsSince1970: record.timestamp))))
        }
        for delivery in deliveries { _ = try await delivery.metadata }
        await producer.close()
        return records.inOrderOfPartitions
    }

    /// Reads the topic's records, each partition's in order.
    func generatedRecords(count: Int, partitions: Int32) async throws -> [GeneratedRecord] {
        let places = (0..<partitions).map { partition($0) }
        var reading = await client.read(Dictionary(uniqueKeysWithValues: places.map { ($0, OffsetSpec.earliest) }))
        return try await reading.records(count).map { record in
            GeneratedRecord(
                partition: record.partition, key: record.key, value: record.value,
                headers: record.headers.map { GeneratedRecord.Header(name: $0.name, value: $0.value) },
                timestamp: record.timestamp.millisecondsSince1970)
        }.inOrderOfPartitions
    }
}

extension [GeneratedRecord] {
    fileprivate var inOrderOfPartitions: [GeneratedRecord] {
        Dictionary(grouping: self, by: \.partition).sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
