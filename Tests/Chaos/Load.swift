import CommandLineSupport
import Concurrency
import Foundation
import KafkaWire

/// Sends a known sequence to each partition, and records the offset of each acknowledged record.
final class Load: Sendable {
    private let client: KafkaClient
    private let producer: KafkaProducer
    private let partitions: [TopicPartition]
    /// Records per second and partition.
    private let rate: Double
    private let journal: Journal
    /// The offsets of each partition's records, in the order of the sequence.
    private let acknowledged: Lock<[TopicPartition: [Int64]]>
    private let isEnding = Lock(false)

    /// - Parameters:
    ///   - client: Its `delivery.timeout.ms` must exceed the run's length: the outcome of an expired record is unknown.
    ///   - partitions: The partitions to send to.
    ///   - rate: Records per second of all partitions together.
    ///   - journal: The run's log.
    init(client: KafkaClient, partitions: [TopicPartition], rate: Int, journal: Journal) {
        self.client = client
        self.partitions = partitions
        self.rate = Double(rate) / Double(max(1, partitions.count))
        self.journal = journal
        producer = client.producer()
        acknowledged = Lock(Dictionary(uniqueKeysWithValues: partitions.map { ($0, []) }))
    }

    /// The settings of its client.
    static let properties = [
        "acks": "all", "linger.ms": "5", "delivery.timeout.ms": "7200000", "max.block.ms": "7200000",
        "request.timeout.ms": "10000", "metadata.max.age.ms": "10000",
    ]

    /// The offsets of each partition's records, in the order of the sequence.
    var offsets: [TopicPartition: [Int64]] { acknowledged.withLock { $0 } }

    var count: Int { acknowledged.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    /// Sends until `end` is called, and returns when all records are acknowledged.
    ///
    /// - Throws: `KafkaError` if a record expires.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for partition in partitions { group.addTask { [self] in try await send(to: partition) } }
            try await group.waitForAll()
        }
        await producer.close()
    }

    /// Stops sending.
    func end() { isEnding.withLock { $0 = true } }

    private func send(to partition: TopicPartition) async throws {
        let (deliveries, continuation) = AsyncThrowingStream.makeStream(of: Delivery.self)
        async let collected: Void = collect(deliveries, of: partition)
        do {
            let began = ContinuousClock.now
            var number: Int64 = 0
            while !isEnding.withLock({ $0 }) {
                let due = Int64((ContinuousClock.now - began) / .seconds(1) * rate)
                while number < due, !isEnding.withLock({ $0 }) {
                    let record = ProducerRecord(
                        topic: partition.topic, partition: partition.partition, value: Reading.json(of: number))
                    continuation.yield(try await producer.enqueue(record))
                    number += 1
                }
                try await Task.sleep(for: .milliseconds(10))
            }
            continuation.finish()
        } catch {
            continuation.finish(throwing: error)
        }
        try await collected
    }

    private func collect(_ deliveries: AsyncThrowingStream<Delivery, any Error>, of partition: TopicPartition)
        async throws
    {
        var last: Int64 = -1
        for try await delivery in deliveries {
            let offset = try await delivery.metadata.offset
            if offset <= last { journal.find("the producer was given offset \(offset) after \(last) in \(partition)") }
            last = offset
            acknowledged.withLock { $0[partition]?.append(offset) }
        }
    }
}
