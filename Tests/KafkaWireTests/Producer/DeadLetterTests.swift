import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Dead letters", .timeLimit(.minutes(1)))
struct DeadLetterTests {
    private struct Failure: Error, CustomStringConvertible {
        let description = "no such customer"
    }

    @Test func `key, value and headers are copied, and the origin and the error are added`() async throws {
        let headers = [RecordHeader("a", "1"), RecordHeader("a", nil), RecordHeader("b", [0xff, 0])]
        let record = ConsumerRecord(
            topic: "orders", partition: 258, offset: 0x0102_0304, timestamp: KafkaTimestamp(millisecondsSince1970: 5),
            key: [0, 0xff], value: nil, headers: headers)
        try await withFake { fake, cluster in
            fake.createTopic("orders.dlt")
            let producer = KafkaProducer(cluster: cluster, settings: cluster.configuration)
            try await producer.sendDeadLetter(record, to: "orders.dlt", error: Failure(), group: "g")
            await producer.close()
            let letters = try fake.records(of: "orders.dlt")
            let letter = try #require(letters.first)
            #expect(letters.count == 1)
            #expect(letter.key == [0, 0xff] && letter.value == nil)
            #expect(Array(letter.headers.prefix(3)) == headers)
            let added = Dictionary(uniqueKeysWithValues: letter.headers.dropFirst(3).map { ($0.name, $0.value) })
            #expect(added["kafka_dlt-original-topic"] == Array("orders".utf8))
            #expect(added["kafka_dlt-original-partition"] == [0, 0, 1, 2])
            #expect(added["kafka_dlt-original-offset"] == [0, 0, 0, 0, 1, 2, 3, 4])
            #expect(added["kafka_dlt-original-timestamp"] == [0, 0, 0, 0, 0, 0, 0, 5])
            #expect(added["kafka_dlt-original-consumer-group"] == Array("g".utf8))
            #expect(added["kafka_dlt-exception-message"] == Array("no such customer".utf8))
            #expect(added.count == 7)
        }
    }
}
