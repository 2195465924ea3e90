import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// `-C -J` and `-P -J`: a dump can be loaded without loss.
@Suite("Dumps", .timeLimit(.minutes(2)))
struct DumpTests {
    private func kafkawire(
        _ fake: FakeCluster, _ arguments: String..., input: String = ""
    ) async throws -> ProgramResult {
        try await run(
            try Repository.program("kafkawire"), ["-b", fake.bootstrapServers] + arguments, input: input)
    }

    /// Pipes a dump of one topic, or of several topics read by a group, into a second run of the program.
    private func pipe(_ fake: FakeCluster, _ read: String, _ write: String) async throws -> ProgramResult {
        try await run(
            "/bin/bash",
            [
                "-c", "set -o pipefail; \"$0\" -b $1 -q \(read) -J | \"$0\" -b $1 -P -J \(write)",
                try Repository.program("kafkawire"), fake.bootstrapServers,
            ])
    }

    /// Reads all records of a topic, each partition's in order.
    private func records(_ fake: FakeCluster, _ topic: String, partitions: Int32) async throws -> [GeneratedRecord] {
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let consumer = client.consumer()
        let places = (0..<partitions).map { TopicPartition(topic: topic, partition: $0) }
        let ends = try await client.admin.listOffsets(
            Dictionary(uniqueKeysWithValues: places.map { ($0, OffsetSpec.latest) }))
        await consumer.assign(Dictionary(uniqueKeysWithValues: places.map { ($0, ConsumerStart(.earliest)) }))
        var read: [Int32: [GeneratedRecord]] = [:]
        var left = ends.values.reduce(0) { $0 + $1.offset }
        var batches = consumer.makeAsyncIterator()
        while left > 0, let batch = try await batches.next() {
            var records = batch.makeIterator()
            while let record = try records.next() {
                read[batch.partition, default: []].append(GeneratedRecord(record, partition: batch.partition))
                left -= 1
            }
        }
        await consumer.close()
        await client.close()
        return (0..<partitions).flatMap { read[$0] ?? [] }
    }

    /// Sends generated records, and returns them, each partition's in order.
    @discardableResult
    private func send(
        _ fake: FakeCluster, _ count: Int, to topic: String, partitions: Int32, seed: UInt64,
        times: ClosedRange<Int64> = 0...1_700_000_000_000
    ) async throws -> [GeneratedRecord] {
        var random = SeededRandom(seed: seed)
        let records = (0..<count).map { _ in GeneratedRecord(partitions: partitions, times: times, using: &random) }
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let producer = client.producer()
        for record in records { _ = try await producer.enqueue(record.producerRecord(topic: topic)) }
        await producer.flush()
        await producer.close()
        await client.close()
        return (0..<partitions).flatMap { partition in records.filter { $0.partition == partition } }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func anyRecordSurvives(seed: UInt64) async throws {
        try await withFake { fake in
            for topic in ["from", "to"] { fake.createTopic(topic, partitions: 3) }
            let sent = try await send(fake, 2_000, to: "from", partitions: 3, seed: seed)
            let moved = try await pipe(fake, "-C -e -t from", "-t to")
            #expect(moved.status == 0, "\(moved.err)")
            #expect(try await records(fake, "to", partitions: 3) == sent)
        }
    }

    @Test func anyTimestampSurvives() async throws {
        try await withFake { fake in
            for topic in ["from", "to"] { fake.createTopic(topic, partitions: 2) }
            let sent = try await send(fake, 500, to: "from", partitions: 2, seed: 4, times: .min ... .max)
            let moved = try await pipe(fake, "-C -e -t from", "-t to")
            #expect(moved.status == 0, "\(moved.err)")
            #expect(try await records(fake, "to", partitions: 2) == sent)
        }
    }

    @Test func severalTopicsAreLoadedIntoTopicsOfTheSameNames() async throws {
        try await withFake { fake in
            var sent: [String: [GeneratedRecord]] = [:]
            for (topic, seed) in [("a", 9), ("b", 10)] as [(String, UInt64)] {
                fake.createTopic(topic, partitions: 2)
                sent[topic] = try await send(fake, 100, to: topic, partitions: 2, seed: seed)
            }
            let dump = try await kafkawire(fake, "-G", "g", "a", "b", "-qJo", "beginning", "-c", "200")
            #expect(dump.status == 0, "\(dump.err)")
            try await withFake { other in
                for topic in ["a", "b"] { other.createTopic(topic, partitions: 2) }
                let loaded = try await kafkawire(other, "-P", "-J", input: dump.out)
                #expect(loaded.status == 0, "\(loaded.err)")
                for topic in ["a", "b"] {
                    #expect(try await records(other, topic, partitions: 2) == sent[topic])
                }
            }
        }
    }

    @Test func thePartitionCanBeOverridden() async throws {
        try await withFake(topics: ["one"]) { fake in
            let lines =
                #"{"partition":7,"key":"a","payload":"1"}"# + "\n\n" + #"{"partition":8,"key":"a","payload":"2"}"#
            let refused = try await kafkawire(fake, "-P", "-J", "-t", "one", input: lines)
            #expect(refused.status == 78)
            #expect(
                refused.err.contains("kafkawire: standard input, line 1: the topic one has no partition 7\n"),
                "\(refused.err)")
            for choice in ["0", "-1"] {
                let sent = try await kafkawire(fake, "-P", "-J", "-t", "one", "-p", choice, input: lines)
                #expect(sent.status == 0, "\(sent.err)")
            }
            #expect(try await kafkawire(fake, "-Ceq", "-t", "one", "-f", "%k%s ").out == "a1 a2 a1 a2 ")
        }
    }

    @Test func filesOfLinesAndOtherDelimiters() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            for name in ["one", "two"] {
                try "{\"payload\":\"\(name)\"};{\"payload\":null}".write(
                    toFile: folder.path + "/" + name, atomically: true, encoding: .utf8)
            }
            let sent = try await kafkawire(
                fake, "-P", "-J", "-D", ";", "-t", "t", folder.path + "/one", folder.path + "/two")
            #expect(sent.status == 0, "\(sent.err)")
            let read = try await kafkawire(fake, "-CeqJ", "-D", ";", "-t", "t")
            #expect(read.out.split(separator: ";").count == 4)
            #expect(!read.out.contains("\n"))
            #expect(try await kafkawire(fake, "-CeqZ", "-t", "t").out == "one\nNULL\ntwo\nNULL\n")
        }
    }

    @Test(arguments: [
        ("{\"payload\":\"x\"", "the line ends"), (#"{"payload":5}"#, "\"payload\" has to be a string"),
        (#"{"payload":{"base64":"A"}}"#, "the base64 in \"payload\" is not valid"),
        (#"{"payload":"","ts":99999999999999999999}"#, "beyond the numbers of 64 bits"),
        (#"{"payload":"\ud83d"}"#, "half of a surrogate pair"), (#"{"payload":"","payload":""}"#, "twice"),
        (#"{"payload":"","headers":[{"base64":"/w=="},"x"]}"#, "the name of a header is not UTF-8"),
        (#"{"topic":"a b","payload":""}"#, "cannot be a topic's name"),
        (#"{"topic":{"base64":"/w=="},"payload":""}"#, "its \"topic\" is not UTF-8"), ("text", "an object is expected"),
    ])
    func linesBeforeABadLineAreSent(bad: String, sentence: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            let good = (0..<500).map { #"{"topic":"t","payload":"\#($0)"}"# + "\n" }.joined()
            let sent = try await kafkawire(fake, "-P", "-J", input: good + bad + "\n" + #"{"topic":"t","payload":"z"}"#)
            #expect(sent.status == (sentence.hasPrefix("cannot") ? 64 : 65))
            #expect(sent.err.hasPrefix("kafkawire: standard input, line 501: "), "\(sent.err)")
            #expect(sent.err.contains(sentence), "\(sent.err)")
            #expect(sent.err.split(separator: "\n").filter { $0.hasPrefix("kafkawire: ") }.count == 1)
            let numbers = (0..<500).map { "\($0)\n" }.joined()
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t").out == numbers)
            // With -E the line is skipped.
            let skipped = try await kafkawire(
                fake, "-P", "-J", "-E", input: bad + "\n" + #"{"topic":"t","payload":"z"}"#)
            #expect(skipped.status == sent.status)
            #expect(skipped.err.contains("% skipped: standard input, line 1: "), "\(skipped.err)")
            #expect(skipped.err.contains("1 message was skipped"), "\(skipped.err)")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t", "-o", "-1").out == "z\n")
        }
    }

    @Test func aBadLineAbortsATransaction() async throws {
        try await withFake(topics: ["t"]) { fake in
            let sent = try await kafkawire(
                fake, "-P", "-J", "-t", "t", "-X", "transactional.id=x", input: #"{"payload":"1"}"# + "\n{\n")
            #expect(sent.status == 65)
            #expect(sent.err.contains("line 2: "), "\(sent.err)")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t").out.isEmpty)
            let kept = try await kafkawire(fake, "-Ceq", "-t", "t", "-X", "isolation.level=read_uncommitted")
            #expect(kept.out == "1\n")
        }
    }

    @Test(arguments: [["-k", "x"], ["-K", ":"], ["-H", "a=b"], ["-Z"]])
    func optionsThatJSONLinesReplaceAreRejected(option: [String]) async throws {
        let result = try await run(
            try Repository.program("kafkawire"), ["-b", "h:1", "-P", "-J", "-t", "t"] + option)
        #expect(result.status == 64)
        #expect(result.err.contains("\(option[0]) has no effect with -P -J"))
    }
}

extension GeneratedRecord {
    /// Copies a record that was read.
    init(_ record: borrowing Record, partition: Int32) {
        func array(_ bytes: RawSpan?) -> [UInt8]? {
            guard let bytes else { return nil }
            return Array(bytes)
        }
        var headers: [Header] = []
        var iterator = record.headers.makeIterator()
        while let header = iterator.next() {
            headers.append(
                Header(name: String(decoding: Array(header.name), as: UTF8.self), value: array(header.value)))
        }
        self.init(
            partition: partition, key: array(record.key), value: array(record.value), headers: headers,
            timestamp: record.timestamp.millisecondsSince1970)
    }

    func producerRecord(topic: String) -> ProducerRecord {
        ProducerRecord(
            topic: topic, partition: partition, key: key, value: value,
            headers: headers.map { RecordHeader($0.name, $0.value) },
            timestamp: KafkaTimestamp(millisecondsSince1970: timestamp))
    }
}
