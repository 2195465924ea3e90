import Foundation
import KafkaWire
import TestSupport
import Testing

/// All tests against real brokers. They run one after the other because they share the brokers and the machine.
@Suite(.serialized) enum RealKafka {}

/// Skips tests, with the reason, if there is no real Kafka.
let needsKafka: ConditionTrait = .enabled(if: KafkaHome.newest != nil, "\(KafkaHome.skipReason)")

/// Skips tests that take minutes, and says how to enable them.
let needsLongTests: ConditionTrait = .enabled(
    if: !(ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty, "set TFI_LONG_TESTS=1 to run it")

/// A client of the shared single broker of a Kafka version, with a topic for one test.
struct TopicFixture {
    let cluster: KafkaCluster
    let client: KafkaClient
    let topic: String

    /// - Parameters:
    ///   - partitions: The topic's partition count; 0 to create no topic.
    ///   - configs: The topic's settings.
    ///   - properties: The client's settings.
    ///   - isServed: Whether to wait until the leader serves the partitions, a moment after its election.
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

    /// Creates another client of the same broker with other settings.
    func client(_ properties: [String: String]) throws -> KafkaClient {
        try KafkaClient(
            bootstrapServers: cluster.bootstrap, properties: ["auto.offset.reset": "none"].merging(properties) { $1 })
    }

    /// Runs one of Kafka's tools against the broker.
    ///
    /// - Returns: The tool's standard output.
    /// - Throws: `ProgramError` if the tool fails.
    @discardableResult
    func tool(_ name: String, _ arguments: [String], input: String = "") async throws -> String {
        let result = try await cluster.tool(
            name, ["--bootstrap-server", cluster.bootstrap] + arguments, input: input, timeout: .seconds(120))
        guard result.status == 0 else { throw ProgramError("\(name) ended with \(result.status): \(result.err)") }
        return result.out
    }

    /// Sends the numbers of a range as values to a partition, and waits until they are delivered.
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

/// A unique name, for example for a topic.
func uniqueName() -> String { "t-" + String(UInt64.random(in: 0..<1 << 60), radix: 36) }

/// Returns the error that a call throws.
///
/// - Throws: `ProgramError` if the call throws nothing.
func kafkaError(_ body: () async throws -> Void) async throws -> KafkaError {
    do {
        try await body()
    } catch let error as KafkaError {
        return error
    }
    throw ProgramError("no error was thrown")
}
