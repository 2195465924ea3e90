import ExampleOrders
import KafkaFake
import KafkaWire
import Testing

/// Each test has its own cluster in memory, so all of them can run at once.
@Suite struct OrderServiceTests {
    private let fake: FakeCluster
    private let client: KafkaClient
    private let producer: KafkaProducer
    private let service: OrderService
    private let partition = TopicPartition(topic: "orders", partition: 0)

    init() throws {
        fake = try FakeCluster()
        fake.createTopic("orders")
        // Short times, so that a test of a failure takes a moment only.
        client = try KafkaClient(
            bootstrapServers: fake.bootstrapServers,
            properties: [
                "linger.ms": "0", "retry.backoff.ms": "1", "request.timeout.ms": "3000", "delivery.timeout.ms": "6000",
            ])
        producer = client.producer()
        service = OrderService(producer: producer)
    }

    private func close() async {
        await producer.close()
        await client.close()
        await fake.close()
    }

    @Test func `an order is a record with its id as the key`() async throws {
        #expect(try await service.place(id: "7", item: "tea") == 0)
        let consumer = client.consumer()
        await consumer.assign([partition: .earliest])
        var records = consumer.records.makeAsyncIterator()
        let record = try #require(try await records.next())
        #expect(record.key == Array("7".utf8) && record.value == Array("tea".utf8))
        await consumer.close()
        await close()
    }

    @Test func `the client retries a temporary error, and writes the order once`() async throws {
        fake.inject(.error(.notLeaderOrFollower), into: .produce, times: 2)
        #expect(try await service.place(id: "7", item: "tea") == 0)
        #expect(fake.requests.filter { $0.api == .produce }.count == 3)
        #expect(fake.offsets(of: partition) == 0..<1)
        await close()
    }

    @Test func `a lost response does not write the order twice`() async throws {
        fake.inject(.hangUp(.beforeAnswer), into: .produce)
        #expect(try await service.place(id: "7", item: "tea") == 0)
        #expect(fake.offsets(of: partition) == 0..<1)
        await close()
    }

    @Test func `a missing permission refuses the order`() async throws {
        fake.inject(.error(.topicAuthorizationFailed), into: .produce)
        await #expect(throws: OrderService.Refusal.notPlaced) { try await service.place(id: "7", item: "tea") }
        #expect(fake.offsets(of: partition) == 0..<0)
        await close()
    }

    @Test func `without a response the outcome is unknown`() async throws {
        fake.inject(.silence, into: .produce, times: 10)
        await #expect(throws: OrderService.Refusal.unknown) { try await service.place(id: "7", item: "tea") }
        // The broker has the order, although it did not answer.
        #expect(fake.offsets(of: partition) == 0..<1)
        await close()
    }
}
