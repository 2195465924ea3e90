import Concurrency
import KafkaFake
import KafkaWire

/// The client's calls in one conversation. Every call may throw.
struct Conversation: Sendable {
    private let fake: FakeCluster
    private let role: ConversationFuzzer.Role
    private let options: UInt8
    private let partitions = [
        TopicPartition(topic: "t", partition: 0), TopicPartition(topic: "t", partition: 1),
    ]

    /// The time limit for closing, because a broker may throttle the client for any time.
    private let closeLimit = Duration.milliseconds(300)

    init(_ fake: FakeCluster, _ role: ConversationFuzzer.Role, _ options: UInt8) {
        self.fake = fake
        self.role = role
        self.options = options
    }

    /// The alternative that the options select.
    private func choice<Value>(_ shift: Int, _ values: [Value]) -> Value {
        values[Int(options >> shift) % values.count]
    }

    func run() async throws {
        var properties = [
            "request.timeout.ms": "300", "default.api.timeout.ms": "300", "max.block.ms": "300",
            "delivery.timeout.ms": "300", "linger.ms": "0", "retry.backoff.ms": "1", "retry.backoff.max.ms": "5",
            "reconnect.backoff.ms": "1", "reconnect.backoff.max.ms": "5", "fetch.max.wait.ms": "5",
            "socket.connection.setup.timeout.ms": "300", "heartbeat.interval.ms": "5", "auto.commit.interval.ms": "5",
            "isolation.level": choice(3, ["read_uncommitted", "read_committed"]),
            "auto.offset.reset": choice(4, ["earliest", "latest", "none"]),
        ]
        switch role {
        case .classicMember:
            properties["group.id"] = "g"
            properties["partition.assignment.strategy"] = choice(6, ["range", "cooperative-sticky"])
        case .consumerMember:
            properties["group.id"] = "g"
            properties["group.protocol"] = "consumer"
        case .transactions:
            properties["transactional.id"] = "x"
        case .consumer, .producer, .administrator: break
        }
        // Shorten the backoff to about the broker's response time.
        let timing = Timing(sleep: { try await Task.sleep(for: min($0, .milliseconds(2))) })
        let client = KafkaClient(
            cluster: Cluster(
                configuration: try ClientConfiguration(
                    bootstrapServers: fake.bootstrapServers, properties: properties), timing: timing))
        switch role {
        case .consumer: await consume(client)
        case .classicMember, .consumerMember: await beMember(client)
        case .producer: await produce(client)
        case .transactions: await transact(client)
        case .administrator: await administer(client)
        }
        await client.close()
    }

    /// Reads some batches and all their records.
    private func read(_ consumer: KafkaConsumer, steps: Int = 5) async {
        var iterator = consumer.makeAsyncIterator()
        for _ in 0..<steps {
            guard let step = try? await iterator.next(timeout: .milliseconds(20)), case .batch(let batch) = step else {
                continue
            }
            var records = batch.makeIterator()
            while let record = try? records.next() {
                // The numbers that an application may use.
                _ = (record.offset, record.timestamp, batch.nextOffset, batch.recordCount)
            }
        }
        _ = (consumer.lag, consumer.positions, consumer.highWatermarks, consumer.isCaughtUp)
    }

    private func consume(_ client: KafkaClient) async {
        let consumer = client.consumer()
        let start = choice(
            5,
            [
                ConsumerStart(.latest), ConsumerStart(.earliest), ConsumerStart(.offset(3), leaderEpoch: 0),
                ConsumerStart(.timestamp(KafkaTimestamp(millisecondsSince1970: 1001))), ConsumerStart(.offset(100)),
            ])
        await consumer.assign([partitions[0]: start, partitions[1]: ConsumerStart(.earliest)])
        await read(consumer)
        fake.elect(fake.brokerIDs.last, for: partitions[0])
        fake.truncate(partitions[1], to: 3)
        await read(consumer)
        try? await consumer.seek([partitions[0]: .earliest, partitions[1]: .offset(.max)])
        await consumer.pause([partitions[0]])
        await read(consumer, steps: 2)
        await consumer.resume([partitions[0]])
        await read(consumer, steps: 3)
        await consumer.close(within: closeLimit)
    }

    private func beMember(_ client: KafkaClient) async {
        let (first, second) = (client.consumer(), client.consumer())
        try? await first.subscribe(to: .topics(["t"]))
        await read(first, steps: 3)
        try? await second.subscribe(to: .topics(["t"]))
        for _ in 0..<3 {
            await read(first, steps: 2)
            await read(second, steps: 2)
        }
        try? await first.commit()
        _ = try? await first.committed(partitions)
        await second.close(within: closeLimit)
        await read(first, steps: 2)
        await first.close(within: closeLimit)
    }

    private func produce(_ client: KafkaClient) async {
        let producer = client.producer()
        var deliveries: [Delivery] = []
        for round in 0..<6 as Range<UInt8> {
            let record = ProducerRecord(
                topic: "t", partition: round % 3 == 0 ? 0 : nil, key: round % 2 == 0 ? [round] : nil, value: [round])
            if let delivery = try? await producer.enqueue(record) { deliveries.append(delivery) }
            if round == 2 { await producer.flush() }
        }
        for delivery in deliveries {
            if let metadata = try? await delivery.metadata { _ = (metadata.offset, metadata.timestamp) }
        }
        await producer.close(within: closeLimit)
    }

    private func transact(_ client: KafkaClient) async {
        let producer = client.producer()
        for round in 0..<3 as Range<UInt8> {
            _ = try? await producer.withTransaction { transaction in
                _ = try await transaction.enqueue(ProducerRecord(topic: "t", partition: 0, value: [round]))
                try await transaction.sendOffsets(
                    [partitions[0]: OffsetAndMetadata(Int64(round))], group: ConsumerGroupMetadata(groupID: "g"))
                if round == 1 { throw FuzzFinding("an abort on purpose") }
            }
        }
        await producer.close(within: closeLimit)
    }

    private func administer(_ client: KafkaClient) async {
        let admin = client.admin
        // A group with a member.
        let member = try? KafkaClient(
            bootstrapServers: fake.bootstrapServers,
            properties: ["group.id": "g", "group.protocol": choice(6, ["classic", "consumer"])])
        let consumer = member?.consumer()
        try? await consumer?.subscribe(to: .topics(["t"]))
        _ = try? await admin.alterGroupOffsets("h", [partitions[0]: OffsetAndMetadata(1)])
        _ = try? await admin.describeCluster()
        _ = try? await admin.listTopics()
        _ = try? await admin.describe(topics: ["t"])
        _ = try? await admin.listOffsets(
            [partitions[0]: .latest, partitions[1]: .timestamp(KafkaTimestamp(millisecondsSince1970: 1001))])
        _ = try? await admin.createTopic("u", partitions: 1)
        _ = try? await admin.createPartitions(["u": 2])
        _ = try? await admin.listGroups()
        _ = try? await admin.describeGroups(["g", "h"])
        _ = try? await admin.listGroupOffsets("g")
        _ = try? await admin.listGroupOffsets("h", of: partitions)
        _ = try? await admin.deleteGroupOffsets("h", of: partitions)
        _ = try? await admin.describeConfigs([ConfigResource(.topic, "t")])
        _ = try? await admin.deleteRecords(before: [partitions[0]: 1])
        await consumer?.close(within: .seconds(1))
        await member?.close()
    }
}
