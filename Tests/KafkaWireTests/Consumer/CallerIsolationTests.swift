import Concurrency
import Dispatch
import KafkaFake
import Testing

@testable import KafkaWire

/// Calls stay on the caller's executor: what is buffered already is read and written without a switch to another one.
@Suite struct CallerIsolationTests {
    private static let count = 2000

    @Test func bufferedRecordsAreReadAndWrittenOnTheCallersExecutor() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t", partitions: 1)
        let client = try KafkaClient(
            bootstrapServers: fake.bootstrapServers, properties: ["batch.size": "131072", "linger.ms": "1000"])
        let service = Service()
        // A switch for each record would run a job for each.
        let writing = try await service.write(Self.count, client.producer())
        #expect(writing < Self.count / 20)
        let consumer = client.consumer()
        await consumer.assign([TopicPartition("t", 0): .earliest])
        let reading = try await service.read(Self.count, consumer)
        #expect(reading < Self.count / 20)
        await consumer.close()
        await client.close()
        await fake.close()
    }

    /// An actor with an executor of its own, as the main actor has.
    private actor Service {
        private nonisolated let executor = CountingExecutor()
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

        /// - Returns: The number of jobs that the executor has run meanwhile.
        func write(_ count: Int, _ producer: KafkaProducer) async throws -> Int {
            let before = executor.count
            for number in 0..<count {
                _ = try await producer.enqueue(ProducerRecord(topic: "t", partition: 0, value: "\(number)"))
            }
            await producer.close()
            return executor.count - before
        }

        /// - Returns: As `write`.
        func read(_ count: Int, _ consumer: KafkaConsumer) async throws -> Int {
            let before = executor.count
            var rest = count
            for try await _ in consumer.records {
                rest -= 1
                if rest == 0 { break }
            }
            return executor.count - before
        }
    }

    private final class CountingExecutor: SerialExecutor {
        private let jobs = Lock(0)
        private let queue = DispatchQueue(label: "CallerIsolationTests")

        var count: Int { jobs.withLock { $0 } }

        func enqueue(_ job: consuming ExecutorJob) {
            jobs.withLock { $0 += 1 }
            let job = UnownedJob(job)
            queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
        }
    }
}
