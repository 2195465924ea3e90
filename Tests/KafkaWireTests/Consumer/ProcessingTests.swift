import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Parallel processing of a consumer's records", .timeLimit(.minutes(1)))
struct ProcessingTests {
    private struct Failure: Error, Equatable {}

    /// Handlers that wait for the test, by the value of their record.
    private final class Gate: Sendable {
        private let state = Lock((begun: [String](), ended: [String](), open: Set<String>(), isOpen: false))
        private let changed = Signal()

        func open(_ values: String...) {
            state.withLock { $0.open.formUnion(values) }
            changed.notify()
        }

        func openAll() {
            state.withLock { $0.isOpen = true }
            changed.notify()
        }

        /// - Throws: `CancellationError` if the task is cancelled before.
        func pass(_ record: ConsumerRecord) async throws {
            let value = text(record.value)
            state.withLock { $0.begun.append(value) }
            while !state.withLock({ $0.isOpen || $0.open.contains(value) }) {
                try Task.checkCancellation()
                await changed.wait()
            }
            state.withLock { $0.ended.append(value) }
            // One notification is kept at most: pass it on to a handler that has not begun to wait.
            changed.notify()
        }

        var begun: [String] { state.withLock { $0.begun } }
        var ended: [String] { state.withLock { $0.ended } }
    }

    private static func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }
    private let partition = TopicPartition("t", 0)

    private func record(_ key: String?, _ value: String, partition: Int32 = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, key: key, value: value)
    }

    private func withMember(
        partitions: Int = 1, _ records: [ProducerRecord],
        _ body: (GroupFixture, RunningMember, Gate) async throws -> Void
    ) async throws {
        try await withGroup(.consumer, partitions: partitions) { group in
            try group.fake.produce(records)
            let member = try group.member(["enable.auto.commit": "false"])
            try await member.consumer.subscribe(to: .topics(["t"]))
            try await body(group, member, Gate())
        }
    }

    @Test func `a slow key holds up neither other keys nor their order, and only the prefix is committed`() async throws
    {
        let records = [
            record("slow", "s0"), record("fast", "f0"), record("slow", "s1"), record("fast", "f1"), record(nil, "n0"),
        ]
        try await withMember(records) { group, member, gate in
            gate.open("f0", "f1", "n0", "s1")
            let consumer = member.consumer
            let processing = Task { try await consumer.process(maximumConcurrency: 3) { try await gate.pass($0) } }
            try await eventually("the fast keys are done") { Set(gate.ended).isSuperset(of: ["f0", "f1", "n0"]) }
            #expect(!gate.begun.contains("s1"))
            #expect(group.committed(partition) == nil)
            gate.open("s0")
            try await eventually("everything is committed") { group.committed(partition) == 5 }
            let ended = gate.ended
            #expect(ended.count == 5)
            #expect(ended.filter { $0.hasPrefix("s") } == ["s0", "s1"])
            #expect(ended.filter { $0.hasPrefix("f") } == ["f0", "f1"])
            await consumer.close()
            try await processing.value
        }
    }

    @Test func `no more records are read than may be uncommitted`() async throws {
        let records = (0..<10).map { record("\($0)", "\($0)") }
        try await withMember(records) { group, member, gate in
            let consumer = member.consumer
            let processing = Task {
                try await consumer.process(maximumConcurrency: 2, maximumUncommitted: 4) { try await gate.pass($0) }
            }
            try await eventually("two handlers run") { gate.begun.count == 2 }
            gate.open("1", "2", "3")
            try await eventually("only the slow one runs") { gate.ended.count == 3 }
            try await eventually("the reader is at its limit") { consumer.positions[partition] == 4 }
            #expect(gate.begun.count == 4)
            gate.openAll()
            try await eventually("everything is committed") { group.committed(partition) == 10 }
            await consumer.close()
            try await processing.value
        }
    }

    @Test func `an error ends the processing, and another call continues at the failed record`() async throws {
        let records = (0..<6).map { record("\($0)", "\($0)") }
        try await withMember(records) { group, member, gate in
            let consumer = member.consumer
            let seen = Lock<[Int64]>([])
            await #expect(throws: Failure.self) {
                try await consumer.process(maximumConcurrency: 1) { record in
                    if record.offset == 3 { throw Failure() }
                    seen.withLock { $0.append(record.offset) }
                }
            }
            #expect(seen.withLock { $0 } == [0, 1, 2])
            #expect(group.committed(partition) == 3)
            let processing = Task {
                try await consumer.process(maximumConcurrency: 1) { record in seen.withLock { $0.append(record.offset) }
                }
            }
            try await eventually("everything is committed") { group.committed(partition) == 6 }
            #expect(seen.withLock { $0 } == [0, 1, 2, 3, 4, 5])
            await consumer.close()
            try await processing.value
        }
    }

    @Test func `a cancelled call commits what is processed and nothing else`() async throws {
        try await withMember([record("a", "a"), record("b", "b"), record("c", "c")]) { group, member, gate in
            gate.open("a", "c")
            let consumer = member.consumer
            let processing = Task { try await consumer.process { try await gate.pass($0) } }
            try await eventually("two are done") { Set(gate.ended) == ["a", "c"] && gate.begun.contains("b") }
            processing.cancel()
            await #expect(throws: CancellationError.self) { try await processing.value }
            #expect(group.committed(partition) == 1)
            #expect(consumer.positions[partition] == 1)
        }
    }

    @Test(arguments: GroupKind.all)
    func `a rebalance waits for running handlers, and no record is lost`(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 2) { group in
            for partition in Int32(0)..<2 {
                try group.fake.produce((0..<5).map { record("\($0 % 3)", "\(partition):\($0)", partition: partition) })
            }
            let gates = [Gate(), Gate()]
            gates[1].openAll()
            let first = try group.member(["enable.auto.commit": "false"])
            try await first.consumer.subscribe(to: .topics(["t"]))
            let consumers = [first.consumer, try group.member(["enable.auto.commit": "false"]).consumer]
            let firstProcessing = Task { try await consumers[0].process { try await gates[0].pass($0) } }
            try await eventually("handlers of both partitions run") { gates[0].begun.count == 6 }
            try await consumers[1].subscribe(to: .topics(["t"]))
            let secondProcessing = Task { try await consumers[1].process { try await gates[1].pass($0) } }
            try await eventually("the second member has joined") {
                consumers[1].groupMetadata?.generationID ?? -1 >= 0 || kind != .consumer
            }
            // The first member's records of both partitions are in progress, so neither may have been given away.
            #expect(gates[1].begun.isEmpty)
            gates[0].openAll()
            try await eventually("both members have a partition") { consumers.allSatisfy { $0.assignment.count == 1 } }
            try await eventually("everything is committed") {
                (0..<2).allSatisfy { group.committed(TopicPartition("t", $0)) == 5 }
            }
            let all = gates[0].ended + gates[1].ended
            #expect(all.count == 10)
            #expect(Set(all).count == 10)
            for consumer in consumers { await consumer.close() }
            try await firstProcessing.value
            try await secondProcessing.value
        }
    }

    @Test func `automatic commits and a missing group are refused`() async throws {
        try await withFake(properties: ["group.id": "g"]) { _, cluster in
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            let error = await #expect(throws: KafkaError.self) { try await consumer.process { _ in } }
            #expect(error?.code == .invalidConfig)
        }
        try await withFake { _, cluster in
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            let error = await #expect(throws: KafkaError.self) { try await consumer.process { _ in } }
            #expect(error?.code == .invalidGroupId)
        }
    }
}
