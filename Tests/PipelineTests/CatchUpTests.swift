import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// The end of a run with `--until-caught-up`.
    @Suite struct CatchUpTests {
        @Test func anOpenTransactionIsAwaitedAndReported() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let client = try KafkaClient(
                bootstrapServers: pipeline.fake.bootstrapServers, properties: ["transactional.id": "tx"])
            let producer = client.producer()
            try await producer.initTransactions()
            try await producer.beginTransaction()
            let delivery = try await producer.enqueue(pipeline.passage(1, partitions: 1))
            _ = try await delivery.metadata
            let consumer = try await pipeline.startConsumer([
                "--until-caught-up", "--property", "isolation.level=read_committed",
            ])
            try await eventually("the wait is reported") {
                try consumer.errors().contains(
                    "waiting for 1 partitions: TFI-0 is at offset 0 of 1; an open transaction of a producer"
                )
            }
            #expect(try await pipeline.units().isEmpty)
            try await producer.commitTransaction()
            let result = try await consumer.result(timeout: .seconds(20))
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.units() == [1])
            await producer.close()
            await client.close()
            await pipeline.close()
        }
    }
}
