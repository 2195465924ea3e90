// Writes three records and reads them back.
//
//     swift run example-first-steps localhost:9092

import KafkaWire

@main
struct FirstSteps {
    static func main() async throws {
        let servers = CommandLine.arguments.dropFirst().first ?? "localhost:9092"
        let client = try KafkaClient(bootstrapServers: servers, properties: ["compression.type": "lz4"])
        do {
            try await client.admin.createTopic("first-steps", partitions: 1)
        } catch let error as KafkaError where error.code == .topicAlreadyExists {
            // It exists from an earlier run.
        }

        let producer = client.producer()
        var written: [RecordMetadata] = []
        for word in ["in", "order", "once"] {
            written.append(
                try await producer.send(ProducerRecord(topic: "first-steps", key: "word", value: word)))
        }
        await producer.close()

        let consumer = client.consumer()
        await consumer.assign([written[0].topicPartition: .offset(written[0].offset)])
        for try await record in consumer.records {
            print("\(record.offset): \(shown(record.value ?? []))")
            if record.offset == written[2].offset { break }
        }
        await consumer.close()
        await client.close()
    }

    /// Replaces characters of foreign text that control a terminal.
    private static func shown(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    }
}
