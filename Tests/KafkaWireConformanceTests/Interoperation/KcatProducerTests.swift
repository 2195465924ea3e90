import Foundation
import KafkaWire
import TestSupport
import Testing

private let needsKcat: ConditionTrait = .enabled(if: Kcat.path != nil, "\(Kcat.skipReason)")

extension RealKafka {
    /// kcat and kafkawire send the same input; the resulting records must be equal.
    @Suite("kcat -P", needsKafka, needsKcat) struct KcatProducerTests {
        /// The parts of a record that don't differ between runs.
        private struct Sent: Hashable {
            let partition: Int32
            let key: [UInt8]?
            let value: [UInt8]?
            let headers: [GeneratedRecord.Header]
        }

        private func programs() throws -> [String] { [try #require(Kcat.path), try Repository.program("kafkawire")] }

        /// Runs a program, and returns the sent records by partition and the program's output.
        private func sent(
            _ program: String, _ home: KafkaHome, _ arguments: [String], input: String, partitions: Int32, count: Int
        ) async throws -> (records: [Sent], output: String) {
            let fixture = try await TopicFixture(home, partitions: partitions)
            let result = try await run(
                program, ["-b", fixture.cluster.bootstrap, "-P", "-t", fixture.topic] + arguments,
                environment: ["HOME": "/nonexistent", "KCAT_CONFIG": ""], input: input)
            #expect(result.status == 0, "\(program) \(arguments): \(result.err)")
            let places = (0..<partitions).map { fixture.partition($0) }
            var reading = await fixture.client.read(
                Dictionary(uniqueKeysWithValues: places.map { ($0, OffsetSpec.earliest) }))
            let records = try await reading.records(count).map { record in
                Sent(
                    partition: record.partition, key: record.key, value: record.value,
                    headers: record.headers.map { GeneratedRecord.Header(name: $0.name, value: $0.value) })
            }
            return ((0..<partitions).flatMap { index in records.filter { $0.partition == index } }, result.out)
        }

        @Test(arguments: KafkaHome.all) func linesBecomeEqualMessages(_ home: KafkaHome) async throws {
            let folder = try TemporaryFolder()
            let files = ["one", "two"].map { folder.path + "/" + $0 }
            for path in files { try "a:1\nb:2\nc:3\n".write(toFile: path, atomically: true, encoding: .utf8) }
            let lines = "a:1\nb:2\nc:\nno key"
            let cases: [(arguments: [String], count: Int)] = [
                ([], 4), (["-K:"], 4), (["-K:", "-Z"], 4), (["-k", "fixed"], 4), (["-k", "fixed", "-K:"], 4),
                (["-H", "a=1", "-H", "b", "-H", "a=b=c"], 4), (["-D", ":"], 4), (["-c", "2"], 2), (["-z", "gzip"], 4),
                (["-X", "compression.codec=snappy", "-X", "topic.request.required.acks=1"], 4),
                (["-X", "queue.buffering.max.ms=5", "-X", "message.timeout.ms=10000"], 4),
                (["-X", "enable.idempotence=true", "-X", "max.in.flight=5"], 4), (["-T", "-K:"], 4),
                (["-l", files[0]], 3), (files, 2), (["-X", "transactional.id=\(uniqueName())"], 4),
            ]
            for (arguments, count) in cases {
                var results: [(records: [Sent], output: String)] = []
                for program in try programs() {
                    results.append(
                        try await sent(program, home, arguments, input: lines, partitions: 1, count: count))
                }
                #expect(results[0].records == results[1].records, "\(arguments)")
                // kcat omits the delimiters in the output of -T.
                #expect(results[0].output == results[1].output.replacing("\n", with: ""), "\(arguments)")
                if arguments.contains("-T") { #expect(results[1].output == lines + "\n") }
            }
        }

        @Test(
            arguments: KafkaHome.all.prefix(1),
            ["consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"])
        func aKeyGoesToTheSamePartition(_ home: KafkaHome, partitioner: String) async throws {
            let count = 60
            let lines = (0..<count).map { "key \($0 * $0):\($0)\n" }.joined()
            for name in ["partitioner", "topic.partitioner"] {
                var results: [[Sent]] = []
                for program in try programs() {
                    results.append(
                        try await sent(
                            program, home, ["-K:", "-X", "\(name)=\(partitioner)"], input: lines, partitions: 7,
                            count: count
                        ).records)
                }
                #expect(results[0] == results[1])
                #expect(Set(results[0].map(\.partition)).count == 7)
            }
        }

        @Test(arguments: KafkaHome.all) func aMessageGoesToTheGivenPartition(_ home: KafkaHome) async throws {
            for program in try programs() {
                let records = try await sent(program, home, ["-p", "2"], input: "a\nb\n", partitions: 4, count: 2)
                    .records
                #expect(records.map(\.partition) == [2, 2])
            }
        }

        /// A dump by kcat, which writes invalid UTF-8 unchanged, can be loaded without loss.
        @Test(arguments: KafkaHome.all) func aDumpOfKcatLoads(_ home: KafkaHome) async throws {
            let (from, to) = (try await TopicFixture(home, partitions: 2), try await TopicFixture(home, partitions: 2))
            // kcat truncates a header name at its first NUL.
            let records = try await from.send(
                DumpRecords.make(1_000, partitions: 2, seed: 21).filter { record in
                    record.headers.allSatisfy { !$0.name.utf8.contains(0) }
                })
            let moved = try await run(
                "/bin/bash",
                [
                    "-c", "set -o pipefail; \"$0\" -b $2 -C -q -e -J -t $3 | \"$1\" -b $2 -P -J -t $4",
                    try #require(Kcat.path), try Repository.program("kafkawire"), from.cluster.bootstrap, from.topic,
                    to.topic,
                ], environment: ["HOME": "/nonexistent", "KCAT_CONFIG": ""])
            #expect(moved.status == 0, "\(moved.err)")
            #expect(records.count > 500)
            #expect(try await to.generatedRecords(count: records.count, partitions: 2) == records)
        }
    }
}
