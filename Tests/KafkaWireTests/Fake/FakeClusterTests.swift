import KafkaFake
import KafkaWire
import Testing

@Suite("The fake cluster with the client")
struct FakeClusterTests {
    @Test("sent records are read back in order, from several brokers")
    func roundTrip() async throws {
        let fake = try FakeCluster(brokers: 3)
        fake.createTopic("t", partitions: 6)
        let client = KafkaClient(try ClientConfiguration(bootstrapServers: fake.bootstrapServers))
        let producer = client.producer()
        for index in 0..<1000 {
            _ = try await producer.enqueue(
                ProducerRecord(topic: "t", partition: Int32(index % 6), value: Array("\(index)".utf8)))
        }
        await producer.close()

        let consumer = client.consumer()
        let partitions = (0..<6).map { TopicPartition(topic: "t", partition: $0) }
        await consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, ConsumerStart(.earliest)) }))
        var read: [Int32: [Int]] = [:]
        var iterator = consumer.makeAsyncIterator()
        while read.values.reduce(0, { $0 + $1.count }) < 1000, let batch = try await iterator.next() {
            read[batch.partition, default: []] += try batch.readRecords().map { Int($0.value) ?? -1 }
        }
        for partition in 0..<6 {
            #expect(read[Int32(partition)] == Array(stride(from: partition, to: 1000, by: 6)))
        }
        await consumer.close()
        await client.close()
        await fake.close()
    }
}
