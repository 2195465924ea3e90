import TestSupport
import Testing

@testable import KafkaWire

extension RealKafka {
    /// Fetching from the nearest replica (KIP-392).
    @Suite(needsKafka) struct NearestReplica {
        private func source(_ consumer: KafkaConsumer, _ partition: TopicPartition) async -> Int32? {
            consumer.buffer.cursor(of: partition)?.source
        }

        @Test(.timeLimit(.minutes(3))) func readsFromItsRackAndBackFromTheLeader() async throws {
            let cluster = try await ThreeBrokers.cluster()
            let writing = try KafkaClient(bootstrapServers: cluster.bootstrap)
            let topic = uniqueName()
            try await writing.admin.createTopic(topic, partitions: 1, replicationFactor: 3)
            let partition = TopicPartition(topic: topic, partition: 0)
            try await ThreeBrokers.awaitInSync(topic, client: writing)
            let leader = try #require(try await writing.admin.describe(topics: [topic])[0].partitions[0].leader)
            let near = leader % 3 + 1

            let client = try KafkaClient(
                bootstrapServers: cluster.bootstrap,
                properties: ["client.rack": "rack-\(near)", "auto.offset.reset": "none"])
            let consumer = client.consumer()
            await consumer.assign([partition: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            let producer = writing.producer()
            var sent = 0
            var read: [String] = []
            func sendAndRead() async throws {
                for _ in 0..<50 {
                    let value = Array("\(sent)".utf8)
                    _ = try await producer.send(ProducerRecord(topic: topic, partition: 0, value: value))
                    sent += 1
                }
                while read.count < sent, let batch = try await iterator.next() {
                    read += try batch.copies().map(\.text)
                }
                #expect(read == (0..<sent).map(String.init))
            }
            try await sendAndRead()
            try await eventually("the near replica is read from") { await source(consumer, partition) == near }
            try await sendAndRead()
            #expect(await source(consumer, partition) == near)
            #expect(consumer.lag == [partition: 0])

            // The consumer reads from the leader while the replica is down, and returns to the replica afterwards.
            try await cluster.kill(Int(near))
            try await sendAndRead()
            #expect(await source(consumer, partition) != near)
            try await cluster.start(Int(near))
            try await ThreeBrokers.awaitInSync(topic, client: writing)
            try await eventually("the near replica is read from again", timeout: .seconds(30)) {
                try await sendAndRead()
                return await source(consumer, partition) == near
            }
            await consumer.close()
            await producer.close()
            await client.close()
            await writing.close()
        }
    }
}
