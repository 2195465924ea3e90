import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Records of the fake cluster without a client", .timeLimit(.minutes(1)))
struct FakeRecordTests {
    @Test func `records are read as they were written`() async throws {
        try await withFake { fake, _ in
            fake.createTopic("t", partitions: 3)
            let headers = [RecordHeader("h", "1"), RecordHeader("h", nil)]
            let timestamp = KafkaTimestamp(millisecondsSince1970: 77)
            let written = try fake.produce([
                ProducerRecord(topic: "t", partition: 2, key: "k", value: "v", headers: headers, timestamp: timestamp),
                ProducerRecord(topic: "t", partition: 1, key: "k", value: nil, timestamp: timestamp),
                ProducerRecord(topic: "t", partition: 2, key: nil, value: "w", timestamp: timestamp),
            ])
            #expect(written.map(\.offset) == [0, 0, 1])
            let records = try fake.records(of: "t")
            #expect(records.map(\.partition) == [1, 2, 2])
            #expect(records.map(\.offset) == [0, 0, 1])
            #expect(records.map(\.value) == [nil, Array("v".utf8), Array("w".utf8)])
            #expect(records.map(\.key) == [Array("k".utf8), Array("k".utf8), nil])
            #expect(records[1].headers == headers)
            #expect(records.allSatisfy { $0.timestamp == timestamp })
        }
    }

    @Test func `aborted records are left out by default`() async throws {
        try await withFake(properties: ["transactional.id": "x"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster, settings: cluster.configuration)
            struct Failure: Error {}
            try? await producer.withTransaction { transaction in
                _ = try await transaction.enqueue(ProducerRecord(topic: "t", value: "aborted"))
                await producer.flush()
                throw Failure()
            }
            try await producer.withTransaction { transaction in
                _ = try await transaction.enqueue(ProducerRecord(topic: "t", value: "committed"))
            }
            await producer.close()
            #expect(try fake.records(of: "t").map(\.value) == [Array("committed".utf8)])
            #expect(try fake.records(of: "t", isolation: .readUncommitted).count == 2)
        }
    }

    @Test func `a missing topic is an error`() async throws {
        try await withFake { fake, _ in
            #expect(throws: KafkaError.self) { try fake.records(of: "t") }
            #expect(throws: KafkaError.self) { try fake.produce([ProducerRecord(topic: "t", value: "v")]) }
        }
    }
}
