import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// The example programs do what the documentation says.
    @Suite(needsKafka) struct Examples {
        private let home: KafkaHome

        init() throws {
            home = try #require(KafkaHome.newest)
        }

        /// A topic of these partitions; with 0 of them the broker creates it.
        @Test(arguments: [0, 1, 6] as [Int32]) func firstSteps(partitions: Int32) async throws {
            let fixture = try await TopicFixture(home, partitions: partitions)
            let result = try await run(
                try Repository.program("example-first-steps"), [fixture.cluster.bootstrap, fixture.topic])
            #expect(result.status == 0, "\(result.err)")
            let words = result.out.split(separator: "\n").dropFirst().compactMap { $0.split(separator: " ").last }
            #expect(words == ["hello", "in", "order", "once"])
        }

        @Test func signalsAndShutdown() async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<1000)
            let worker = try await RunningProgram.start(
                try Repository.program("example-signals-and-shutdown"),
                [fixture.cluster.bootstrap, fixture.topic, "50"])
            try await eventually("the worker is within its first batch") {
                try worker.output().contains("\(fixture.topic)-0 2\n")
            }
            worker.signal(15)
            let ended = try await worker.result(timeout: .seconds(25))
            #expect(ended.status == 0, "\(ended.err)")
            let count = ended.out.split(separator: "\n").count
            #expect(count < 1000)
            let offsets = try await fixture.client.admin.listGroupOffsets("signals")
            #expect(try offsets[fixture.partition()]?.get().offset == Int64(count))
        }

        @Test func administration() async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let result = try await run(try Repository.program("example-administration"), [fixture.cluster.bootstrap])
            #expect(result.status == 0, "\(result.err)")
            #expect(result.out.contains("broker 1 at \(fixture.cluster.bootstrap)\n"))
        }

        @Test(arguments: ["classic", "consumer"]) func groupWorker(_ `protocol`: String) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<10)
            let group = uniqueName()
            let worker = try await RunningProgram.start(
                try Repository.program("example-group-worker"),
                [fixture.cluster.bootstrap, fixture.topic, "group.id=\(group)", "group.protocol=\(`protocol`)"])
            try await eventually("the worker has read everything") {
                try await fixture.client.admin.listGroupOffsets(group)[fixture.partition()]?.get().offset == 10
            }
            worker.signal(15)
            let ended = try await worker.result()
            #expect(ended.status == 0, "\(ended.err)")
            #expect(ended.out.contains("\(fixture.topic)-0 from 0: "))
            #expect(try await fixture.client.admin.describeGroups([group])[group]?.get().state == .empty)
        }

        @Test func exactlyOnce() async throws {
            let (fixture, copy) = try await copying(100)
            let program = try await copier(fixture, to: copy)
            var reading = await fixture.client.read([TopicPartition(topic: copy, partition: 0): .earliest])
            #expect(try await reading.records(100).map(\.text) == (0..<100).map { "\($0)" })
            program.signal(2)
            #expect(try await program.result().status == 0)
        }

        @Test func exactlyOnceIsInterrupted() async throws {
            // Enough for more than a hundred transactions.
            let count = 10_000
            let (fixture, copy) = try await copying(count)
            func committed() async throws -> Int64 {
                let offsets = try await fixture.client.admin.listGroupOffsets(Self.copiersGroup)
                return try offsets[fixture.partition()]?.get().offset ?? 0
            }
            let first = try await copier(fixture, to: copy)
            try await eventually("the first transactions are committed") { try await committed() > 0 }
            first.signal(15)
            let ended = try await first.result()
            #expect(ended.status == 0, "\(ended.err)")
            #expect(try await committed() < Int64(count), "it ended before it was asked to")
            let described = try await fixture.client.admin.describeGroups([Self.copiersGroup])
            #expect(try described[Self.copiersGroup]?.get().state == .empty)

            let second = try await copier(fixture, to: copy)
            var reading = await fixture.client.read([TopicPartition(topic: copy, partition: 0): .earliest])
            let copied = try await reading.records(count, within: .seconds(60)).map(\.text)
            #expect(copied == (0..<count).map { "\($0)" })
            second.signal(15)
            #expect(try await second.result().status == 0)
        }

        /// The group id in the example.
        private static let copiersGroup = "example-copy"

        /// Creates a topic of numbers in small batches, and an empty topic into which to copy them.
        private func copying(_ count: Int) async throws -> (from: TopicFixture, to: String) {
            let fixture = try await TopicFixture(home, properties: ["isolation.level": "read_committed"])
            try await fixture.produce(0..<count, with: try fixture.client(["batch.size": "1000"]))
            let copy = uniqueName()
            try await fixture.client.admin.createTopic(copy, partitions: 1)
            return (fixture, copy)
        }

        private func copier(_ fixture: TopicFixture, to copy: String) async throws -> RunningProgram {
            try await RunningProgram.start(
                try Repository.program("example-exactly-once"), [fixture.cluster.bootstrap, fixture.topic, copy])
        }
    }
}
