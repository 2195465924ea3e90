import CommandLineSupport
import KafkaWire

/// A topic of a Kafka cluster, to which the plant's messages are sent.
final class KafkaPlant: MessageSink {
    private let client: KafkaClient
    private let producer: KafkaProducer
    private let topic: String
    private let partitionCount: Int32
    private let passageKey = Array(PlantMessage.Kind.passage.key.utf8)
    private let concernKey = Array(PlantMessage.Kind.concern.key.utf8)
    private let deliveries: DeliveryLog
    private let watching: Task<Void, Never>

    private init(client: KafkaClient, topic: String, partitionCount: Int32) {
        self.client = client
        producer = client.producer()
        self.topic = topic
        self.partitionCount = partitionCount
        let deliveries = DeliveryLog()
        self.deliveries = deliveries
        watching = Task { await deliveries.watch() }
    }

    /// The client's settings: this program's defaults, which `--config` and `--property` override.
    ///
    /// - Throws: A failure with status `usage`, or `noInput` if the file cannot be read.
    static func configuration(_ options: ParsedOptions) async throws(Failure) -> ClientConfiguration {
        // A wrong address should be reported soon after the start. Later, delivery.timeout.ms limits how long to wait
        // for brokers.
        let soon = [
            "default.api.timeout.ms": "8000", "socket.connection.setup.timeout.ms": "5000",
            "max.block.ms": "\(Int32.max)",
        ]
        do throws(KafkaError) {
            guard let path = options[CommonOptions.config] else {
                return try ClientConfiguration(properties: options.clientProperties(defaults: soon))
            }
            let file = try await PropertiesFile.read(path)
            return try ClientConfiguration(
                file, overriddenBy: options.clientProperties(defaults: soon, file: Set(file.entries.map(\.name))))
        } catch {
            throw Failure(error.message, status: error.code == .resourceNotFound ? .noInput : .usage)
        }
    }

    /// Connects, and creates the topic if it does not exist.
    ///
    /// - Parameters:
    ///   - partitions: The number of partitions of a new topic.
    ///   - onEvent: Called with a line to show when the client begins to wait for something, and when that ends.
    /// - Throws: A failure that says what to do; `CancellationError`.
    static func open(
        _ configuration: ClientConfiguration, topic: String, partitions: Int32,
        onEvent: @escaping @Sendable (String) -> Void
    ) async throws -> KafkaPlant {
        let servers = configuration.bootstrapServers.map(\.description).joined(separator: ",")
        let silence = Failure(
            "the brokers at \(servers) do not answer; check --bootstrap-servers, and whether Kafka runs there",
            status: .unavailable)
        do {
            let client = KafkaClient(configuration, hooks: hooks(onEvent))
            return try await withDeadline(.seconds(13), failure: silence) {
                let count = try await partitionCount(of: topic, client: client, toMake: partitions)
                let plant = KafkaPlant(client: client, topic: topic, partitionCount: count)
                try await plant.producer.ready(for: topic)
                return plant
            }
        } catch let error as KafkaError {
            throw failure(error)
        }
    }

    private static func hooks(_ onEvent: @escaping @Sendable (String) -> Void) -> ClientHooks {
        let reasons = RecentReasons()
        var hooks = ClientHooks()
        hooks.availabilityChanged = { change in
            if case .lost(let broker, let reason) = change { reasons.printed(reason, of: "lost \(broker)") }
            onEvent("\(change)")
        }
        hooks.retrying = { event in
            let isNew =
                event.error.map { reasons.isNew($0.message, of: event.operation) }
                ?? reasons.isNewSuccess(of: event.operation)
            if isNew { onEvent("\(event)") }
        }
        return hooks
    }

    private static func partitionCount(of topic: String, client: KafkaClient, toMake partitions: Int32)
        async throws -> Int32
    {
        do {
            return try await existingPartitionCount(of: topic, client: client)
        } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
            do {
                try await client.admin.createTopic(topic, partitions: partitions)
            } catch let error as KafkaError where error.code == .topicAlreadyExists {
                // Another program created it first, perhaps with another number of partitions.
            }
            return try await existingPartitionCount(of: topic, client: client)
        }
    }

    private static func existingPartitionCount(of topic: String, client: KafkaClient) async throws -> Int32 {
        let descriptions = try await client.admin.describe(topics: [topic])
        guard let count = descriptions.first?.partitions.count, count > 0 else {
            throw KafkaError(.leaderNotAvailable, "the topic has no partitions yet", topic: topic)
        }
        return Int32(count)
    }

    func offer(_ message: PlantMessage, value: Span<UInt8>) throws -> Bool {
        if let error = deliveries.error { throw Self.failure(error) }
        let key = message.kind == .passage ? passageKey : concernKey
        do throws(KafkaError) {
            // The bytes are copied before the call returns.
            let delivery = try unsafe producer.tryEnqueue(
                topic: topic, partition: UnitPartitioner.partition(of: message.unit, count: partitionCount),
                key: key.span.bytes, value: value.bytes)
            if let delivery { deliveries.add(delivery) }
            return delivery != nil
        } catch {
            throw Self.failure(error)
        }
    }

    func waitForRoom() async throws {
        do {
            try await producer.ready(for: topic)
        } catch let error as KafkaError {
            throw Self.failure(error)
        }
    }

    /// Waits until all accepted messages are delivered or have failed, and closes the connections.
    ///
    /// - Throws: The failure of the first record that was not delivered.
    func finish() async throws(Failure) {
        await producer.flush()
        deliveries.end()
        await watching.value
        await producer.close()
        await client.close()
        if let error = deliveries.error { throw Self.failure(error) }
    }

    private static func failure(_ error: KafkaError) -> Failure {
        switch error.code {
        case .invalidConfig:
            Failure(error.message, status: .usage)
        case .networkException, .requestTimedOut, .brokerNotAvailable:
            Failure("\(error.message); check --bootstrap-servers, and whether Kafka runs there", status: .unavailable)
        case .unknownTopicOrPartition, .invalidTopicException:
            Failure("\(error)", status: .configuration)
        default:
            Failure("the brokers do not accept the messages: \(error)", status: .unavailable)
        }
    }
}
