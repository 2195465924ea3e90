import KafkaWire
import TestSupport
import Testing

/// A cluster of three brokers that tests may stop and kill. Each test restores it. Broker I is in rack `rack-I`, and
/// lets clients read from the replica in their own rack.
actor ThreeBrokers {
    private static let one = ThreeBrokers()
    private var starting: Task<KafkaCluster, any Error>?

    static func cluster() async throws -> KafkaCluster { try await one.started() }

    private func started() async throws -> KafkaCluster {
        let home = try #require(KafkaHome.newest)
        let task =
            starting
            ?? Task {
                try await KafkaCluster.start(
                    home, brokers: 3,
                    settings: [
                        "min.insync.replicas": "2", "broker.rack": "rack-%I",
                        "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
                    ])
            }
        starting = task
        return try await task.value
    }

    /// Waits until every partition of a topic has all of its replicas in sync.
    static func awaitInSync(_ topic: String, client: KafkaClient) async throws {
        try await eventually("all replicas of \(topic) are in sync", timeout: .seconds(90), every: .milliseconds(200)) {
            let description = try await client.admin.describe(topics: [topic])[0]
            return description.partitions.allSatisfy { $0.inSyncReplicas.count == 3 && $0.leader != nil }
        }
    }
}

/// Tasks that produce continuously, each to every partition in turn, and one task that reads their records.
final class Traffic: Sendable {
    let topic: String
    let partitions: [TopicPartition]
    private let client: KafkaClient
    private let producer: KafkaProducer
    private let consumer: KafkaConsumer
    private let progress = Progress()
    private let writers: [Task<Void, any Error>]
    private let reader: Task<SequenceCheck, any Error>

    /// The counts of delivered and read records, and failures.
    actor Progress {
        private(set) var isEnding = false
        private(set) var delivered = 0
        private(set) var read = 0
        private(set) var failures: [String] = []

        var counts: (delivered: Int, read: Int, failures: [String]) { (delivered, read, failures) }

        func end() { isEnding = true }
        func took(_ count: Int) { read += count }
        func wrote() { delivered += 1 }
        func failed(_ error: any Error) { failures.append("\(error)") }
    }

    init(_ client: KafkaClient, topic: String, partitions count: Int32, writers writerCount: Int = 3) async {
        self.client = client
        self.topic = topic
        partitions = (0..<count).map { TopicPartition(topic: topic, partition: $0) }
        let (producer, consumer, progress) = (client.producer(), client.consumer(), progress)
        self.producer = producer
        self.consumer = consumer
        await consumer.assign(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, ConsumerStart(.earliest)) }))
        writers = (0..<writerCount).map { writer in
            Task {
                var waiting: [Delivery] = []
                func settle(_ delivery: Delivery) async {
                    do {
                        _ = try await delivery.metadata
                        await progress.wrote()
                    } catch {
                        await progress.failed(error)
                    }
                }
                var number = 0
                while await !progress.isEnding {
                    for partition in 0..<count {
                        let value = Array("\(writer) \(number)".utf8)
                        waiting.append(
                            try await producer.enqueue(
                                ProducerRecord(topic: topic, partition: partition, value: value)))
                    }
                    number += 1
                    // Limits the deliveries in flight, so that those from before a failure are awaited after it.
                    if waiting.count > 600 {
                        for delivery in waiting.prefix(300) { await settle(delivery) }
                        waiting.removeFirst(300)
                    }
                }
                for delivery in waiting { await settle(delivery) }
            }
        }
        reader = Task {
            var check = SequenceCheck()
            for try await batch in consumer {
                let records = try batch.copies()
                for record in records { check.take(record, step: 1) }
                await progress.took(records.count)
            }
            return check
        }
    }

    /// Waits until `count` more records have been delivered and `count` more have been read.
    func awaitProgress(_ count: Int = 3000) async throws {
        let (delivered, read, _) = await progress.counts
        try await eventually("\(count) more records delivered and read", timeout: .seconds(90)) {
            let now = await progress.counts
            if let failure = now.failures.first { throw ProgramError("a record failed: \(failure)") }
            return now.delivered >= delivered + count && now.read >= read + count
        }
    }

    /// Stops writing, and compares the delivered records with those read meanwhile and with those of a new consumer.
    func endAndCheck() async throws {
        await progress.end()
        for writer in writers { try await writer.value }
        await producer.close()
        let (delivered, _, failures) = await progress.counts
        #expect(failures == [])
        let ends = try await client.admin.listOffsets(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
        #expect(ends.values.reduce(0) { $0 + Int($1.offset) } == delivered)
        try await eventually("everything is read: \(delivered)") { await progress.read >= delivered }
        await consumer.close()
        let live = try await reader.value
        #expect(live.problems == [])
        #expect(live.count == delivered)

        var fresh = SequenceCheck()
        var reading = await client.read(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
        for record in try await reading.recordsToTheEnd(of: partitions, client: client) { fresh.take(record, step: 1) }
        #expect(fresh.problems == [])
        #expect(fresh.count == delivered)
        #expect(fresh.nextOffset == live.nextOffset)
    }
}
