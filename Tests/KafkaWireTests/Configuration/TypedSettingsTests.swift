import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Typed settings are validated by the rules of properties", .timeLimit(.minutes(1)))
struct TypedSettingsTests {
    private typealias Change = @Sendable (inout ClientConfiguration) -> Void

    /// Each makes the defaults invalid.
    private static let mistakes: [(name: String, change: Change)] = [
        ("enable.idempotence", { ($0.producer.acks, $0.producer.idempotence) = (.leader, true) }),
        ("transactional.id", { ($0.producer.acks, $0.producer.transactionalID) = (.leader, "x") }),
        ("max.in.flight", { $0.producer.maximumInFlightRequests = 0 }),
        ("max.in.flight", { $0.producer.maximumInFlightRequests = 6 }),
        ("batch.size", { $0.producer.batchSize = -1 }), ("buffer.memory", { $0.producer.bufferMemory = 0 }),
        ("max.request.size", { $0.producer.maximumRequestSize = 0 }),
        ("linger.ms", { $0.producer.linger = .seconds(-1) }),
        ("delivery.timeout.ms", { $0.producer.deliveryTimeout = .zero }),
        ("max.block.ms", { $0.producer.maximumBlockTime = .seconds(Int64.max) }),
        ("compression.gzip.level", { $0.producer.gzipLevel = 17 }),
        ("fetch.min.bytes", { $0.consumer.minimumFetchBytes = -1 }),
        ("fetch.max.bytes", { $0.consumer.maximumFetchBytes = 0 }),
        ("max.partition.fetch.bytes", { $0.consumer.maximumPartitionFetchBytes = -5 }),
        ("fetch.max.wait.ms", { $0.consumer.maximumFetchWait = .seconds(-1) }),
        ("maximumInflatedBytes", { $0.consumer.maximumInflatedBytes = 0 }),
        ("session.timeout.ms", { $0.group.sessionTimeout = .zero }),
        ("heartbeat.interval.ms", { $0.group.heartbeatInterval = $0.group.sessionTimeout }),
        ("partition.assignment.strategy", { $0.group.assignors = [] }),
        ("auto.commit.interval.ms", { $0.group.autoCommitInterval = .seconds(-1) }),
        ("request.timeout.ms", { $0.requestTimeout = .zero }),
        ("retry.backoff.ms", { $0.retryBackoff = .seconds(-1) }),
        ("receive.message.max.bytes", { $0.maximumReceiveMessageBytes = 0 }),
        ("connections.max.idle.ms", { $0.maximumConnectionIdle = .seconds(-1) }),
        ("bootstrap server", { $0.bootstrapServers = [] }),
    ]

    @Test("Each invalid setting is found and named", arguments: mistakes.indices)
    func validate(index: Int) throws {
        let (name, change) = Self.mistakes[index]
        var configuration = try ClientConfiguration(bootstrapServers: "localhost:9092")
        try configuration.validate()
        change(&configuration)
        let error = #expect(throws: KafkaError.self) { try configuration.validate() }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains(name) == true)
    }

    @Test("Valid settings stay valid, including fractions of milliseconds")
    func valid() throws {
        var configuration = try ClientConfiguration(bootstrapServers: "localhost:9092")
        configuration.producer.linger = .microseconds(500)
        configuration.maximumConnectionIdle = nil
        configuration.producer.zstdLevel = -7
        try configuration.validate()
        #expect(configuration.producer.linger == .microseconds(500))
    }

    @Test("With an invalid configuration every first call throws, and none hangs")
    func firstUse() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        var configuration = try ClientConfiguration(bootstrapServers: fake.bootstrapServers)
        configuration.producer.maximumInFlightRequests = 0
        let client = KafkaClient(configuration)
        let producer = client.producer()
        let sendError = await #expect(throws: KafkaError.self) {
            _ = try await producer.send(ProducerRecord(topic: "t", value: nil))
        }
        let adminError = await #expect(throws: KafkaError.self) { _ = try await client.admin.listTopics() }
        let consumer = client.consumer()
        await consumer.assign([TopicPartition("t"): ConsumerStart(.earliest)])
        let readError = await #expect(throws: KafkaError.self) { for try await _ in consumer { break } }
        for error in [sendError, adminError, readError] { #expect(error?.code == .invalidConfig) }
        let report = await producer.close(within: .seconds(20))
        #expect(report.undeliveredRecords == 0)
        await consumer.close()
        await client.close()
        await fake.close()
    }
}
