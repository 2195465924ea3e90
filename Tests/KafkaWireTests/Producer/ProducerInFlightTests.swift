import KafkaFake
import Testing

@testable import KafkaWire

@Suite("The number of requests in flight", .timeLimit(.minutes(1)))
struct ProducerInFlightTests {
    private let partition = TopicPartition("t")
    /// Settings with which each record is a batch, and an unanswered request doesn't time out during a test.
    private let properties = [
        "batch.size": "1", "linger.ms": "0", "request.timeout.ms": "3600000", "delivery.timeout.ms": "7200000",
    ]

    private func record(_ value: Int) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: 0, value: Array("\(value)".utf8))
    }

    /// Expects exactly this many requests, after a wait in which a faulty producer would send more.
    private func expectCount(_ count: Int, of fake: FakeCluster) async throws {
        try await eventually("\(count) requests are at the broker") { fake.count(.produce) >= count }
        try await Task.sleep(for: .milliseconds(100))
        #expect(fake.count(.produce) == count)
    }

    @Test("exactly max.in.flight.requests.per.connection requests are in flight", arguments: [1, 2, 5])
    func limit(maximum: Int) async throws {
        let limited = properties.merging(["max.in.flight.requests.per.connection": "\(maximum)"]) { $1 }
        try await withFake(properties: limited) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            // Until its first batch is acknowledged, a partition has only one batch in flight.
            _ = try await producer.send(record(0))
            fake.clearRequests()
            // The broker executes the requests but answers none of them.
            fake.inject(.silence, into: .produce)
            var deliveries: [Delivery] = []
            for index in 1..<12 { deliveries.append(try await producer.enqueue(record(index))) }
            try await expectCount(maximum, of: fake)
            fake.hangUp(broker: 1)
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<12))
        }
    }

    @Test("after a batch has failed, one batch is in flight until one is acknowledged")
    func afterFailure() async throws {
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record(0))
            fake.clearRequests()
            fake.inject(.error(.notEnoughReplicas), into: .produce)
            fake.inject(.silence, into: .produce)
            var deliveries = [try await producer.enqueue(record(1))]
            // It was refused and retried.
            try await eventually("the second attempt is at the broker") { fake.count(.produce) == 2 }
            for index in 2..<6 { deliveries.append(try await producer.enqueue(record(index))) }
            try await expectCount(2, of: fake)
            fake.hangUp(broker: 1)
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<6))
        }
    }
}
