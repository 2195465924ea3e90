#if os(Linux)
    import Foundation
    import KafkaFake
    import KafkaWire
    import TestSupport
    import Testing

    /// How many allocations reading and writing a record costs.
    ///
    /// The difference between a run with many records and one with few is what the records cost, without the program's
    /// start and the connections. A batch has about a thousand records, so that an allocation per batch hardly counts, and
    /// an additional allocation per record exceeds each bound.
    ///
    /// The program is a debug build, whose bounds are higher: an optimised one allocates nothing for a record, except the
    /// key and the value of a record that is read as a copy.
    @Suite struct AllocationTests {
        private static let few = 20_000
        private static let many = 120_000

        /// The library that counts, compiled once.
        private static let library = Task { try await CountingLibrary() }

        private struct CountingLibrary: Sendable {
            let path: String
            /// Contains the library, and is removed with it.
            private let folder: TemporaryFolder

            init() async throws {
                folder = try TemporaryFolder()
                path = folder.url.appending(path: "count-allocations.so").path
                let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "count-allocations.c")
                let compiled = try await run("clang", ["-shared", "-fPIC", "-O1", "-o", path, source.path])
                try #require(compiled.status == 0, "\(compiled.err)")
            }
        }

        @Test(arguments: [([String](), 0.1), (["--decode"], 0.1), (["--by-record"], 3.3)])
        func readingARecordAllocatesNoMoreThan(options: [String], bound: Double) async throws {
            let fake = try FakeCluster()
            fake.createTopic("read", partitions: 1)
            let client = try KafkaClient(
                bootstrapServers: fake.bootstrapServers, properties: ["batch.size": "131072", "linger.ms": "100"])
            let producer = client.producer()
            for number in 0..<Self.many {
                _ = try await producer.enqueue(
                    ProducerRecord(topic: "read", key: "key", value: #"{"number":\#(number)}"#))
            }
            await producer.close()
            await client.close()
            let perRecord = try await allocationsPerRecord(["fetch", "--topic", "read"] + options, fake)
            #expect(perRecord < bound)
            await fake.close()
        }

        @Test func writingARecordAllocatesNoMoreThanMeasured() async throws {
            let fake = try FakeCluster()
            fake.createTopic("written", partitions: 1)
            let perRecord = try await allocationsPerRecord(
                ["produce", "--topic", "written", "--property", "batch.size=131072"], fake)
            #expect(perRecord < 7.7)
            await fake.close()
        }

        private func allocationsPerRecord(_ arguments: [String], _ fake: FakeCluster) async throws -> Double {
            let few = try await allocations(arguments, fake, records: Self.few)
            let many = try await allocations(arguments, fake, records: Self.many)
            return Double(many - few) / Double(Self.many - Self.few)
        }

        private func allocations(_ arguments: [String], _ fake: FakeCluster, records: Int) async throws -> Int {
            let folder = try TemporaryFolder()
            let library = try await Self.library.value
            let counts = folder.url.appending(path: "allocations").path
            let result = try await run(
                try Repository.program("ClientBenchmark"),
                arguments + ["--bootstrap-servers", fake.bootstrapServers, "--records", String(records)],
                environment: ["LD_PRELOAD": library.path, "ALLOCATIONS_FILE": counts])
            try #require(result.status == 0, "\(result.err)")
            let text = try String(contentsOf: URL(filePath: counts), encoding: .utf8)
            return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
    }
#endif
