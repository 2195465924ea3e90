import Foundation
import KafkaWire
import TestSupport
import Testing

/// All tests against real brokers, one after the other: they share the brokers and the machine.
@Suite(.serialized) enum RealKafka {}

/// Whether tests that need a real Kafka can run, and why not.
let needsKafka: ConditionTrait = .enabled(if: KafkaHome.newest != nil, "\(KafkaHome.skipReason)")

/// Whether tests that take minutes are wanted, and how to want them.
let needsLongTests: ConditionTrait = .enabled(
    if: !(ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty, "set TFI_LONG_TESTS=1 to run it")

/// A client of the shared single broker of a version, with a topic of the test's own.
struct TopicFixture {
    let cluster: KafkaCluster
    let client: KafkaClient
    let topic: String

    /// - Parameters:
    ///   - partitions: 0 for no topic.
    ///   - configs: The topic's settings.
    ///   - properties: The client's.
    ///   - isServed: Whether to wait until the partitions' leader serves them, a moment after it is named as that.
    init(
        _ home: KafkaHome, partitions: Int32 = 1, configs: [String: String] = [:], properties: [String: String] = [:],
        isServed: Bool = true
    ) async throws {
        cluster = try await KafkaCluster.shared(home)
        client = try KafkaClient(
            bootstrapServers: cluster.bootstrap, properties: ["auto.offset.reset": "none"].merging(properties) { $1 })
        let name = uniqueName()
        topic = name
        guard partitions > 0 else { return }
        try await client.admin.createTopic(name, partitions: partitions, configs: configs)
        guard isServed else { return }
        _ = try await client.admin.listOffsets(
            Dictionary(
                uniqueKeysWithValues: (0..<partitions).map { (TopicPartition(topic: name, partition: $0), .latest) }))
    }

    func partition(_ index: Int32 = 0) -> TopicPartition { TopicPartition(topic: topic, partition: index) }

    /// Another client of the same broker, with other settings.
    func client(_ properties: [String: String]) throws -> KafkaClient {
        try KafkaClient(
            bootstrapServers: cluster.bootstrap, properties: ["auto.offset.reset": "none"].merging(properties) { $1 })
    }

    /// Runs one of Kafka's tools against the broker.
    ///
    /// - Returns: Standard output.
    /// - Throws: `ProgramError` where the tool fails.
    @discardableResult
    func tool(_ name: String, _ arguments: [String], input: String = "") async throws -> String {
        let result = try await cluster.tool(
            name, ["--bootstrap-server", cluster.bootstrap] + arguments, input: input, timeout: .seconds(120))
        guard result.status == 0 else { throw ProgramError("\(name) ended with \(result.status): \(result.err)") }
        return result.out
    }

    /// Sends values "first" to "last" to a partition, each in its own time, and waits for them.
    func produce(_ range: Range<Int>, partition: Int32 = 0, with client: KafkaClient? = nil) async throws {
        let producer = (client ?? self.client).producer()
        var deliveries: [Delivery] = []
        for number in range {
            deliveries.append(
                try await producer.enqueue(
                    ProducerRecord(topic: topic, partition: partition, value: Array("\(number)".utf8))))
        }
        for delivery in deliveries { _ = try await delivery.metadata }
        await producer.close()
    }
}

/// A name that no other test has.
func uniqueName() -> String { "t-" + String(UInt64.random(in: 0..<1 << 60), radix: 36) }

/// The error that a call throws, for a closer look.
func kafkaError(_ body: () async throws -> Void) async throws -> KafkaError {
    do {
        try await body()
    } catch let error as KafkaError {
        return error
    }
    throw ProgramError("no error was thrown")
}
