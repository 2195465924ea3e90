import KafkaWire
import TestSupport
import Testing

/// A transactional load. A producer writes numbers into a topic. A processor copies them into another topic, in
/// transactions that include the offsets. The check at the end expects each number exactly once.
final class TransactionalLoad: Sendable {
    let client: KafkaClient
    let input = uniqueName()
    let output = uniqueName()
    private let group = ConsumerGroupMetadata(groupID: uniqueName())
    private let partitions: [TopicPartition]
    private let progress = Progress()
    private let tasks: [Task<Void, any Error>]

    private actor Progress {
        private(set) var isEnding = false
        private(set) var written: [Int32: Int] = [:]
        private(set) var processed = 0
        private(set) var aborted = 0

        func end() { isEnding = true }
        func wrote(_ partition: Int32) { written[partition, default: 0] += 1 }
        func processed(_ count: Int) { processed += count }
        func abortedOne() { aborted += 1 }
    }

    init(_ bootstrap: String, partitions count: Int32, replicationFactor: Int16) async throws {
        func client(_ properties: [String: String]) throws -> KafkaClient {
            let common = [
                "auto.offset.reset": "none", "isolation.level": "read_committed", "request.timeout.ms": "10000",
                "fetch.max.bytes": "100000", "linger.ms": "2",
            ]
            return try KafkaClient(
                bootstrapServers: bootstrap, properties: common.merging(properties) { $1 })
        }
        let plain = try client(["batch.size": "2000"])
        self.client = plain
        let (input, output, progress, group) = (input, output, progress, group)
        for topic in [input, output] {
            try await plain.admin.createTopic(topic, partitions: count, replicationFactor: replicationFactor)
        }
        let partitions = (0..<count).map { TopicPartition(topic: input, partition: $0) }
        self.partitions = partitions
        let feeding = Task { try await Self.feed(plain, input, count, progress) }
        let transactionalID = uniqueName()
        let processing = Task {
            while !Task.isCancelled {
                // Replace a producer that was fenced or whose transaction timed out.
                let transactional = try client(["transactional.id": transactionalID, "transaction.timeout.ms": "30000"])
                do {
                    try await Self.process(transactional, partitions, to: output, group, progress)
                } catch {
                    await progress.abortedOne()
                }
                await transactional.close()
            }
        }
        tasks = [feeding, processing]
    }

    /// Writes 0, 1, 2 … to each partition, at a rate that leaves processor time for the rest.
    private static func feed(
        _ client: KafkaClient, _ topic: String, _ count: Int32, _ progress: Progress
    ) async throws {
        let producer = client.producer()
        var number = 0
        while await !progress.isEnding {
            var deliveries: [Delivery] = []
            for _ in 0..<10 {
                for partition in 0..<count {
                    deliveries.append(
                        try await producer.enqueue(
                            ProducerRecord(topic: topic, partition: partition, value: Array("\(number)".utf8))))
                }
                number += 1
            }
            for delivery in deliveries { await progress.wrote(try await delivery.metadata.partition) }
        }
        await producer.close()
    }

    /// Processes records from the group's committed offsets on. The caller restarts it after an error.
    private static func process(
        _ client: KafkaClient, _ partitions: [TopicPartition], to output: String, _ group: ConsumerGroupMetadata,
        _ progress: Progress
    ) async throws {
        let producer = client.producer()
        let consumer = client.consumer()
        defer {
            Task {
                await consumer.close()
                await producer.close()
            }
        }
        // This ends a predecessor's transaction, so the committed offsets are final afterwards.
        try await producer.initTransactions()
        let committed = try await client.admin.listGroupOffsets(group.groupID, of: partitions, requiresStable: true)
        var starts: [TopicPartition: ConsumerStart] = [:]
        for partition in partitions {
            starts[partition] = ConsumerStart(.offset(try committed[partition]?.get().offset ?? 0))
        }
        await consumer.assign(starts)
        var iterator = consumer.makeAsyncIterator()
        while !Task.isCancelled {
            guard case .batch(var batch) = try await iterator.next(timeout: .milliseconds(100)) else { continue }
            var offsets: [TopicPartition: OffsetAndMetadata] = [:]
            var count = 0
            try await producer.beginTransaction()
            do {
                // A transaction takes all batches that are available, up to 20.
                for left in (0..<20).reversed() {
                    for record in try batch.copies() {
                        _ = try await producer.enqueue(
                            ProducerRecord(topic: output, partition: batch.partition, value: record.value))
                        count += 1
                    }
                    offsets[TopicPartition(topic: batch.topic, partition: batch.partition)] = OffsetAndMetadata(
                        batch.nextOffset, leaderEpoch: batch.leaderEpoch)
                    guard left > 0, case .batch(let next) = try await iterator.next(timeout: .zero) else { break }
                    batch = next
                }
                try await producer.sendOffsets(offsets, group: group)
                try await producer.commitTransaction()
            } catch {
                try? await producer.abortTransaction()
                throw error
            }
            await progress.processed(count)
        }
    }

    /// Waits until `count` more records have been processed.
    func awaitProgress(_ count: Int = 1000) async throws {
        let processed = await progress.processed
        try await eventually("\(count) more records processed", timeout: .seconds(90)) {
            await progress.processed >= processed + count
        }
    }

    /// Stops writing, waits until all records are processed, and compares the output with the input.
    func endAndCheck() async throws {
        await progress.end()
        try await tasks[0].value
        let written = await progress.written
        let total = written.values.reduce(0, +)
        // If the answer to a commit was lost, its records are not counted here, so compare committed offsets instead.
        try await eventually("all \(total) records are processed", timeout: .seconds(90), every: .milliseconds(200)) {
            let offsets = try await client.admin.listGroupOffsets(group.groupID, of: partitions)
            let ends = try await client.admin.listOffsets(
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .latest) }))
            return try partitions.allSatisfy { try offsets[$0]?.get().offset == ends[$0]?.offset }
        }
        tasks[1].cancel()
        try await tasks[1].value
        let outputs = partitions.map { TopicPartition(topic: output, partition: $0.partition) }
        var reading = await client.read(Dictionary(uniqueKeysWithValues: outputs.map { ($0, .earliest) }))
        var found: [Int32: [Int]] = [:]
        for record in try await reading.recordsToTheEnd(of: outputs, client: client) {
            found[record.partition, default: []].append(Int(record.text) ?? -1)
        }
        for partition in partitions.map(\.partition) {
            let count = try #require(written[partition])
            let numbers = found[partition] ?? []
            let firstWrong = zip(numbers, 0...).first { $0 != $1 }
            #expect(numbers.count == count, "partition \(partition)")
            #expect(firstWrong == nil, "partition \(partition)")
        }
        print("\(total) records exactly once, with \(await progress.aborted) restarts")
        await client.close()
    }
}
