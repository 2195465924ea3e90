import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite(
    "Threads and descriptors of clients", .timeLimit(.minutes(5)),
    .enabled(if: ProcessResources.areKnown, "there is no /proc"))
struct ReleaseTests {
    /// How many connections to the brokers are open. Both ends are in this process.
    private func connections(to fake: FakeCluster) throws -> Int {
        try fake.brokerIDs.reduce(0) { try $0 + (ProcessResources.sockets(port: fake.port(of: $1)) - 1) / 2 }
    }

    // A second is the aim, and a fifth of it is what it takes beside other builds. The rest is for a machine that is busier
    // still, and for the sanitizers.
    private let soon = Duration.seconds(3)

    @Test("20 clients that are dropped without close() give their connections back at once")
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

    @Test("so do a producer, a consumer and a group's member that have worked")
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

    @Test("200 clients that produce and consume share a few threads, and leave none")
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
        // The fake has a thread for each connection, and the others are the client's.
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
