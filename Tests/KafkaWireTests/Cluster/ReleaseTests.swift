import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite(
    "Threads and file descriptors of clients", .timeLimit(.minutes(5)),
    .enabled(if: ProcessResources.areKnown, "this system has no /proc"))
struct ReleaseTests {
    /// The number of open connections to the brokers. Both ends are in this process.
    private func connections(to fake: FakeCluster) throws -> Int {
        try fake.brokerIDs.reduce(0) { try $0 + (ProcessResources.sockets(port: fake.port(of: $1)) - 1) / 2 }
    }

    // The goal is one second, and 0.2 s is typical while other builds run. The rest is for busier machines and the
    // sanitizers.
    private let soon = Duration.seconds(3)

    @Test("20 clients that are released without close() close their connections soon")
    func dropped() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        do {
            var clients: [KafkaClient] = []
            for _ in 0..<20 {
                let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
                _ = try await client.admin.describe(topics: ["t"])
                clients.append(client)
            }
            try await eventually("each has a connection") { try connections(to: fake) == 20 }
        }
        try await eventually("the connections are closed", within: soon) { try connections(to: fake) == 0 }
        await fake.close()
    }

    @Test("a used producer, consumer and group member do so too")
    func droppedAtWork() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        do {
            let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
            let producer = client.producer()
            _ = try await producer.send(ProducerRecord(topic: "t", value: [1]))
            let consumer = client.consumer(offsetReset: .earliest)
            await consumer.assign([TopicPartition("t"): ConsumerStart(.earliest)])
            for try await batch in consumer where batch.recordCount > 0 { break }
            let member = try KafkaClient(
                bootstrapServers: fake.bootstrapServers,
                properties: ["group.id": "g", "auto.offset.reset": "earliest"]
            ).consumer()
            try await member.subscribe(to: .topics(["t"]))
            for try await batch in member where batch.recordCount > 0 { break }
            #expect(try connections(to: fake) > 0)
        }
        try await eventually("the connections are closed", within: soon) { try connections(to: fake) == 0 }
        await fake.close()
    }

    @Test("200 clients that produce and consume share a few threads, and leave none behind")
    func manyClients() async throws {
        let fake = try FakeCluster(brokers: 3)
        fake.createTopic("t", partitions: 3)
        let before = try ProcessResources.count("task")
        var clients: [(KafkaClient, KafkaProducer, KafkaConsumer)] = []
        for index in 0..<200 {
            let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
            let producer = client.producer()
            let consumer = client.consumer(offsetReset: .earliest)
            let partition = TopicPartition("t", Int32(index % 3))
            _ = try await producer.send(
                ProducerRecord(topic: "t", partition: partition.partition, value: [UInt8(truncatingIfNeeded: index)]))
            await consumer.assign([partition: ConsumerStart(.earliest)])
            for try await batch in consumer where batch.recordCount > 0 { break }
            clients.append((client, producer, consumer))
        }
        let open = try connections(to: fake)
        #expect(open >= 600)
        // The fake has one thread per connection; the others are the clients'.
        let own = try ProcessResources.count("task") - before - open
        #expect(own < 100)
        #expect(try ProcessResources.threads(named: "kafka ") <= 16 + 16)
        clients = []
        try await eventually("the connections are closed", within: soon) {
            try connections(to: fake) == 0
        }
        await fake.close()
    }
}
