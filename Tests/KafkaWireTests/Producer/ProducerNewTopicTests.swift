import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

/// Topics whose brokers are not ready yet. `request.timeout.ms` and `delivery.timeout.ms` are longer than the tests may
/// take, so a test fails if anything waits for one of them.
@Suite("A producer with a new topic or a slow broker", .serialized, .timeLimit(.minutes(2)))
struct ProducerNewTopicTests {
    private static let defaults = [
        "retry.backoff.ms": "100", "retry.backoff.max.ms": "1000", "reconnect.backoff.ms": "50",
        "request.timeout.ms": "600000", "delivery.timeout.ms": "1200000", "max.block.ms": "600000",
        "default.api.timeout.ms": "600000",
    ]

    private func record(_ partition: Int32) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: [1])
    }

    @Test("2,000 new partitions whose leaders are unavailable for a while are written soon after")
    func manyPartitions() async throws {
        try await withFake(brokers: 3, properties: Self.defaults) { fake, cluster in
            fake.createTopic("t", partitions: 2000)
            for code in [ErrorCode.unknownTopicOrPartition, .notLeaderOrFollower, .leaderNotAvailable] {
                fake.inject(.error(code), into: .produce, times: 8)
            }
            let producer = KafkaProducer(cluster: cluster)
            var deliveries: [Delivery] = []
            for partition in Int32(0)..<2000 { deliveries.append(try await producer.enqueue(record(partition))) }
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
        }
    }

    @Test("a partition whose leader always refuses delays no other partition")
    func onePartition() async throws {
        let properties = Self.defaults.merging(["linger.ms": "0", "retry.backoff.max.ms": "600000"]) { $1 }
        try await withFake(brokers: 2, properties: properties) { fake, cluster in
            fake.createTopic("t", partitions: 4)
            fake.inject(.error(.notLeaderOrFollower), into: .produce, partition: TopicPartition("t"), times: 100_000)
            let producer = KafkaProducer(cluster: cluster)
            let isDone = Lock(false)
            let stuck = try await producer.enqueue(record(0))
            let waiting = Task {
                _ = try? await stuck.metadata
                isDone.withLock { $0 = true }
            }
            // A back-off for the whole producer, or for a broker, would have grown to minutes before these are sent.
            for round in Int32(0)..<60 {
                _ = try await producer.send(record(1 + round % 3))
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(!isDone.withLock { $0 })
            await producer.close(within: .milliseconds(100))
            await waiting.value
        }
    }

    @Test("a slow broker delays only the partitions that it leads")
    func slowBroker() async throws {
        try await withFake(brokers: 2, properties: Self.defaults) { fake, cluster in
            fake.createTopic("t", partitions: 8)
            fake.inject(.held, into: .produce, broker: 1)
            let producer = KafkaProducer(cluster: cluster)
            var deliveries: [Int32: [Delivery]] = [:]
            for partition in Int32(0)..<8 {
                let leader = try #require(fake.leader(of: TopicPartition("t", partition)))
                deliveries[leader, default: []].append(try await producer.enqueue(record(partition)))
            }
            for delivery in try #require(deliveries[2]) { _ = try await delivery.metadata }
            for _ in 0..<10 {
                for partition in Int32(0)..<8 where fake.leader(of: TopicPartition("t", partition)) == 2 {
                    _ = try await producer.send(record(partition))
                }
            }
            fake.releaseAnswers()
            for delivery in try #require(deliveries[1]) { _ = try await delivery.metadata }
            await producer.close()
        }
    }

    @Test(
        "a broker that does not respond to metadata requests does not delay records by request.timeout.ms",
        arguments: [APIKey.metadata, .initProducerID])
    func silentBroker(api: APIKey) async throws {
        try await withFake(brokers: 3, properties: Self.defaults) { fake, cluster in
            fake.createTopic("t", partitions: 3)
            let own = try #require((Int32(0)..<3).first { fake.leader(of: TopicPartition("t", $0)) == 2 })
            // The client asks the first broker.
            _ = try await cluster.describe(topics: ["t"])
            let producer = KafkaProducer(cluster: cluster)
            if api == .metadata { _ = try await producer.send(record(own)) }
            fake.inject(.held, into: api, broker: 1, times: 100_000)
            fake.elect(3, for: TopicPartition("t", own))
            _ = try await producer.send(record(own))
            // From now on the client asks the others first.
            let questions = fake.requests.count { $0.api == api && $0.node == 1 }
            try await cluster.refresh(topics: ["t"])
            #expect(fake.requests.count { $0.api == api && $0.node == 1 } == questions)
            fake.releaseAnswers()
            await producer.close()
        }
    }
}
