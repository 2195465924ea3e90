import Foundation
import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Java's clients and this client read each other's records.
    @Suite(needsKafka) struct Java {
        /// Reads keyed records of Java's console producer. Keys choose the same partitions in both clients.
        @Test(arguments: KafkaHome.all) func keyedRecordsOfJava(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 7)
            var keys = (0..<300).map { "key-\($0)" }
            keys += ["a", "ab", "abc", "abcd", "abcde", "äöü€", "UCP", "unit_collection_point", "unit_concern"]
            let lines = keys.map { "\($0):value of \($0)" }.joined(separator: "\n") + "\n"
            try await fixture.tool(
                "console-producer",
                [
                    "--topic", fixture.topic, home.version.hasPrefix("3.") ? "--property" : "--reader-property",
                    "parse.key=true", home.version.hasPrefix("3.") ? "--property" : "--reader-property",
                    "key.separator=:", "--compression-codec", "gzip",
                ], input: lines)
            let partitions = (0..<7).map { fixture.partition($0) }
            var reading = await fixture.client.read(
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            let javas = try await reading.recordsToTheEnd(of: partitions, client: fixture.client)
            #expect(javas.count == keys.count)
            #expect(
                Set(javas.map(\.text)) == Set(keys.map { "value of \($0)" }))

            let producer = fixture.client.producer()
            var ours: [[UInt8]: Int32] = [:]
            for key in keys {
                let key = Array(key.utf8)
                ours[key] = try await producer.enqueue(ProducerRecord(topic: fixture.topic, key: key, value: nil))
                    .metadata.partition
            }
            await producer.close()
            for record in javas {
                let key = try #require(record.key)
                #expect(ours[key] == record.partition, "\(String(decoding: key, as: UTF8.self))")
            }
            #expect(Set(javas.map(\.partition)).count == 7)
        }

        /// Each codec in both directions, in batches larger than the codecs' blocks.
        @Test(arguments: KafkaHome.all) func codecs(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let codecs = ["gzip", "snappy", "lz4", "zstd"]
            let count = 8000
            let numbers = (0..<count).map { "\($0)" }
            for codec in codecs {
                try await fixture.tool(
                    "console-producer",
                    ["--topic", fixture.topic, "--compression-codec", codec, "--batch-size", "200000"],
                    input: numbers.joined(separator: "\n") + "\n")
            }
            for codec in codecs {
                let client = try fixture.client([
                    "compression.type": codec, "compression.\(codec == "snappy" ? "gzip" : codec).level": "7",
                    "linger.ms": "50",
                ])
                try await fixture.produce(0..<count, with: client)
                await client.close()
            }
            let expected = (0..<8).flatMap { _ in numbers }
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            #expect(try await reading.records(8 * count).map(\.text) == expected)
            let output = try await fixture.tool(
                "console-consumer",
                ["--topic", fixture.topic, "--from-beginning", "--max-messages", "\(8 * count)"])
            #expect(output == expected.joined(separator: "\n") + "\n")
        }

        /// A group without members accepts offsets; a group with Java's consumer as a member rejects them.
        @Test(arguments: KafkaHome.all.prefix(1)) func groupWithMembers(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<1)
            let group = uniqueName()
            let member = try await RunningProgram.start(
                Repository.script("kafka.sh"),
                [
                    "tool", "console-consumer", "--bootstrap-server", fixture.cluster.bootstrap, "--topic",
                    fixture.topic, "--group", group, "--from-beginning", "--max-messages", "2", "--timeout-ms",
                    "60000",
                ], environment: ["KAFKA_HOME": home.path])
            try await eventually("Java's consumer is in the group") { try member.output().hasPrefix("0\n") }
            let error = try await kafkaError {
                try await fixture.client.admin.commitOffsets(group: group, [fixture.partition(): 1])
            }
            #expect(error.code == .unknownMemberId)
            #expect(error.isFromBroker && error.topic == fixture.topic)
            // The second record makes the member exit.
            try await fixture.produce(1..<2)
            #expect(try await member.result().status == 0)
            try await fixture.client.admin.commitOffsets(group: group, [fixture.partition(): 1])
        }

        @Test(arguments: KafkaHome.all) func bulkOfJava(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let result = try await fixture.cluster.tool(
                "producer-perf",
                [
                    "--topic", fixture.topic, "--num-records", "60000", "--record-size", "100", "--throughput", "-1",
                    "--producer-props", "bootstrap.servers=\(fixture.cluster.bootstrap)", "compression.type=gzip",
                ], timeout: .seconds(120))
            try #require(result.status == 0, "\(result.err)")
            let partitions = [fixture.partition(0), fixture.partition(1)]
            var reading = await fixture.client.read(
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            var next: [Int32: Int64] = [:]
            for record in try await reading.recordsToTheEnd(of: partitions, client: fixture.client) {
                if record.offset != next[record.partition, default: 0] || record.value?.count != 100 {
                    Issue.record("offset \(record.offset) with \(record.value?.count ?? 0) bytes")
                    break
                }
                next[record.partition] = record.offset + 1
            }
            #expect(next.values.reduce(0, +) == 60000)
        }

        /// Java's console consumer prints this client's records, compressed or not, with headers and timestamps.
        @Test(arguments: KafkaHome.all) func javaReadsOurs(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            var expected: [String] = []
            for (index, compression) in ["none", "gzip"].enumerated() {
                let client = try fixture.client(["compression.type": compression, "linger.ms": "100"])
                let producer = client.producer()
                for number in index * 500..<(index + 1) * 500 {
                    let timestamp = 1_700_000_000_000 + Int64(number)
                    let hasKey = number % 3 > 0
                    _ = try await producer.enqueue(
                        ProducerRecord(
                            topic: fixture.topic, key: hasKey ? Array("k\(number)".utf8) : nil,
                            value: Array("värde \(number)".utf8),
                            headers: number % 2 == 0
                                ? []
                                : [RecordHeader("h", Array("x\(number)".utf8)), RecordHeader("i", Array("y".utf8))],
                            timestamp: KafkaTimestamp(millisecondsSince1970: timestamp)))
                    let headers = number % 2 == 0 ? "NO_HEADERS" : "h:x\(number),i:y"
                    expected.append(
                        "CreateTime:\(timestamp)\tOffset:\(number)\t\(headers)\t\(hasKey ? "k\(number)" : "null")"
                            + "\tvärde \(number)")
                }
                await producer.close()
            }
            let property = home.version.hasPrefix("3.") ? "--property" : "--formatter-property"
            let shown = try await fixture.tool(
                "console-consumer",
                ["--topic", fixture.topic, "--from-beginning", "--max-messages", "1000", "--timeout-ms", "60000"]
                    + ["timestamp", "offset", "headers", "key"].flatMap { [property, "print.\($0)=true"] })
            let lines = shown.split(separator: "\n").map(String.init)
            #expect(lines.count == 1000)
            for (line, expected) in zip(lines, expected) where line != expected {
                Issue.record("Java shows '\(line)' for '\(expected)'")
                break
            }
        }

        /// The broker's own tool checks the batches on disk: checksums, counts, sequence numbers.
        @Test(arguments: KafkaHome.all) func logOnDiskIsSound(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["batch.size": "500", "linger.ms": "50"])
            try await fixture.produce(0..<200)
            try await fixture.produce(200..<300, with: try fixture.client(["compression.type": "gzip"]))
            let log = fixture.cluster.folder(broker: 1)
                .appending(path: "data/\(fixture.topic)-0/00000000000000000000.log")
            let result = try await fixture.cluster.tool("dump-log", ["--files", log.path], timeout: .seconds(120))
            #expect(result.status == 0)
            let batches = result.out.split(separator: "\n").filter { $0.hasPrefix("baseOffset:") }
            #expect(batches.count > 2)
            var next = 0
            for batch in batches {
                let match = try #require(
                    batch.firstMatch(of: /baseOffset: (\d+) lastOffset: (\d+) count: (\d+) baseSequence: (\d+)/))
                #expect(Int(match.1) == next)
                #expect(Int(match.4) == (next < 200 ? next : next - 200))
                next = (Int(match.2) ?? -1) + 1
                #expect(batch.contains("isvalid: true"))
            }
            #expect(next == 300)
        }
    }
}
