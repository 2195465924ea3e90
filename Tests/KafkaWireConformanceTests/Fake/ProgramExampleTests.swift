import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// The programs of the articles on shutdown and on health probes, against a cluster in memory.
@Suite struct ProgramExampleTests {
    private static let topic = "work"
    private let fake: FakeCluster
    private let partition = TopicPartition(topic: topic, partition: 0)

    init() throws {
        fake = try FakeCluster()
        fake.createTopic(Self.topic)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal ends the worker between two records, and what is processed is committed`(signal: Int32) async throws
    {
        // One batch, which takes 50 s: the worker must not finish it.
        try await produce(1000)
        let worker = try await startWorker(millisecondsPerRecord: 50)
        try await eventually("the worker is within the batch") { try processed(worker).count > 2 }
        let clock = ContinuousClock.now
        worker.signal(signal)
        let ended = try await worker.result()
        #expect(ended.status == 0, "\(ended.err)")
        #expect(ContinuousClock.now - clock < .seconds(10))
        let count = try processed(worker).count
        #expect(count < 1000)
        #expect(fake.committedOffset(group: "signals", of: partition) == Int64(count))
        #expect(fake.members(ofGroup: "signals")?.isEmpty ?? true)
    }

    @Test func `the next worker continues with the next record`() async throws {
        try await produce(60)
        let first = try await startWorker(millisecondsPerRecord: 50)
        try await eventually("the worker is within the batch") { try processed(first).count > 2 }
        first.signal(SIGTERM)
        #expect(try await first.result().status == 0)
        let second = try await startWorker(millisecondsPerRecord: 0)
        try await eventually("the second worker has read the rest") { try processed(second).last == 59 }
        second.signal(SIGTERM)
        #expect(try await second.result().status == 0)
        #expect(try processed(first) + processed(second) == Array(0..<60))
    }

    @Test func `a signal ends a worker that waits for records`() async throws {
        let worker = try await startWorker(millisecondsPerRecord: 0)
        try await eventually("the worker is a member") { fake.members(ofGroup: "signals")?.isEmpty == false }
        worker.signal(SIGTERM)
        let ended = try await worker.result(timeout: .seconds(15))
        #expect(ended.status == 0, "\(ended.err)")
    }

    @Test func `without a broker the worker still ends, and says what it could not do`() async throws {
        try await produce(1000)
        let worker = try await startWorker(millisecondsPerRecord: 50)
        try await eventually("the worker is within the batch") { try processed(worker).count > 2 }
        await fake.stop(broker: 1)
        worker.signal(SIGTERM)
        let ended = try await worker.result(timeout: .seconds(40))
        #expect(ended.status == 1)
        #expect(ended.err.contains("not closed within"), "\(ended.err)")
    }

    @Test func `the probes tell a broker's outage from a broken process`() async throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "health").path
        #expect(try await probe("live", file).status == 1, "nothing has reported yet")

        try await produce(1)
        let reader = try await RunningProgram.start(
            try Repository.program("example-health-probes"), ["run", fake.bootstrapServers, Self.topic, file])
        try await eventually("the reader is ready") { try await probe("ready", file).status == 0 }
        #expect(try await probe("live", file).out == "ok\n")

        await fake.stop(broker: 1)
        try await eventually("the reader is not ready") { try await probe("ready", file).status == 1 }
        // The group's session times out later, so the reason is the silence.
        #expect(try await probe("ready", file).out.contains("no broker has answered for"))
        #expect(try await probe("live", file).status == 0)

        try fake.start(broker: 1)
        try await eventually("the reader is ready again") { try await probe("ready", file).status == 0 }

        // Suspended, as a process that hangs.
        reader.signal(SIGSTOP)
        try await eventually("the reader is not live") { try await probe("live", file).status == 1 }
        #expect(try await probe("live", file).out.hasPrefix("no report for "))
        reader.signal(SIGCONT)
        try await eventually("the reader is live again") { try await probe("live", file).status == 0 }
    }

    private func probe(_ name: String, _ file: String) async throws -> ProgramResult {
        try await run(try Repository.program("example-health-probes"), [name, file])
    }

    private func startWorker(millisecondsPerRecord: Int) async throws -> RunningProgram {
        try await RunningProgram.start(
            try Repository.program("example-signals-and-shutdown"),
            [fake.bootstrapServers, Self.topic, "\(millisecondsPerRecord)"])
    }

    /// The offsets that a worker has printed.
    private func processed(_ worker: RunningProgram) throws -> [Int] {
        try worker.output().split(separator: "\n").compactMap { line in
            line.hasPrefix("\(Self.topic)-0 ") ? line.split(separator: " ").last.flatMap { Int($0) } : nil
        }
    }

    private func produce(_ count: Int) async throws {
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers, properties: ["linger.ms": "100"])
        let producer = client.producer()
        var deliveries: [Delivery] = []
        for number in 0..<count {
            deliveries.append(try await producer.enqueue(ProducerRecord(topic: Self.topic, value: "\(number)")))
        }
        for delivery in deliveries { _ = try await delivery.metadata }
        await producer.close()
        await client.close()
    }
}
