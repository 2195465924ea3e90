import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// No record content may stop `-C` or `-G`, or hide the records after it.
@Suite("Record content", .timeLimit(.minutes(1)))
struct RecordContentTests {
    private static let timestamps: [Int64] = [5, .max, .max - 1, -1, -2, 0, .min, .min + 1, .max, 7]
    private static let everyByte = (0...255).map { UInt8($0) }

    private func withRecords(_ body: (FakeCluster) async throws -> Void) async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let producer = client.producer()
        do {
            // Each record gets its own batch, because a batch can't hold the differences between these timestamps.
            for timestamp in Self.timestamps {
                _ = try await producer.send(
                    ProducerRecord(
                        topic: "t", key: Self.everyByte, value: Self.everyByte,
                        headers: [
                            RecordHeader("", Self.everyByte), RecordHeader("none", nil), RecordHeader("\u{0}", []),
                        ], timestamp: KafkaTimestamp(millisecondsSince1970: timestamp)))
            }
            try await body(fake)
        } catch {
            await producer.close()
            await client.close()
            await fake.close()
            throw error
        }
        await producer.close()
        await client.close()
        await fake.close()
    }

    private func kafkawire(_ fake: FakeCluster, _ arguments: String...) async throws -> ProgramResult {
        try await run(try Repository.program("kafkawire"), ["-b", fake.bootstrapServers] + arguments)
    }

    private var lines: String { Self.timestamps.enumerated().map { "\($0) \($1)\n" }.joined() }

    @Test func anyTimestampIsPrinted() async throws {
        try await withRecords { fake in
            let all = try await kafkawire(fake, "-Ceq", "-t", "t", "-f", "%o %T\\n")
            #expect(all.status == 0, "\(all.err)")
            #expect(all.out == lines)
            let counted = try await kafkawire(
                fake, "-Cqu", "-t", "t", "-f", "%o %T\\n", "-c", "\(Self.timestamps.count)")
            #expect(counted.out == lines)
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func anyTimestampIsPrintedInAGroup(protocolName: String) async throws {
        try await withRecords { fake in
            let read = try await kafkawire(
                fake, "-G", "g", "t", "-qo", "beginning", "-e", "-f", "%o %T\\n", "-X",
                "group.protocol=\(protocolName)")
            #expect(read.status == 0, "\(read.err)")
            #expect(read.out == lines)
            #expect(
                fake.committedOffset(group: "g", of: TopicPartition(topic: "t", partition: 0))
                    == Int64(Self.timestamps.count))
        }
    }

    @Test func anyByteIsPrintedInAnyFormat() async throws {
        try await withRecords { fake in
            let json = try await kafkawire(fake, "-CeqJ", "-t", "t")
            #expect(json.status == 0, "\(json.err)")
            let objects = try json.out.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            #expect(objects.map { ($0["ts"] as? NSNumber)?.int64Value } == Self.timestamps)
            let text = try await kafkawire(fake, "-Ceq", "-t", "t", "-f", "%t%p%k%s%h%K%S%o\\n%%")
            #expect(text.status == 0, "\(text.err)")
            let count = Self.timestamps.count
            #expect(text.out.contains("256256\(count - 1)\n%"))
        }
    }

    @Test func endTimestampStopsAtFirstRecordNotBeforeIt() async throws {
        try await withRecords { fake in
            let before = try await kafkawire(fake, "-Cq", "-t", "t", "-o", "e@6", "-f", "%T\\n")
            #expect(before.out == "5\n")
        }
    }
}
