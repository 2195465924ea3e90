import KafkaFake
import Testing

@testable import KafkaWire

/// Reads at least this many records.
///
/// - Returns: The records by partition.
func read(
    _ iterator: inout KafkaConsumer.Iterator, _ count: Int
) async throws -> [Int32: [ReadRecord]] {
    var found: [Int32: [ReadRecord]] = [:]
    var left = count
    while left > 0, let batch = try await iterator.next() {
        let records = try batch.readRecords()
        found[batch.partition, default: []] += records
        left -= records.count
    }
    return found
}

func numbered(_ range: Range<Int64>) -> [ReadRecord] {
    range.map { ReadRecord(offset: $0, value: "\($0)") }
}

@Suite("A consumer of healthy brokers", .timeLimit(.minutes(1)))
struct ConsumerTests {
    /// Fills a partition with records whose values are their offsets, in batches of a certain size.
    private func fill(_ fake: FakeCluster, _ partition: TopicPartition, _ count: Int, perBatch: Int = 10) throws {
        let begin = Int(fake.offsets(of: partition)?.upperBound ?? 0)
        for start in stride(from: begin, to: begin + count, by: perBatch) {
            try fake.fill(partition, [(start..<min(start + perBatch, begin + count)).map(String.init)])
        }
    }

    private func consumer(_ cluster: Cluster) -> KafkaConsumer {
        KafkaConsumer(cluster: cluster, offsetReset: cluster.configuration.consumer.offsetReset)
    }

    @Test("the partitions of several brokers are read, each in order", arguments: [SpokenVersions.latest, .kafka21])
    func order(versions: SpokenVersions) async throws {
        try await withFake(brokers: 3, versions: versions) { fake, cluster in
            fake.createTopic("t", partitions: 6)
            for index in Int32(0)..<6 { try fill(fake, TopicPartition("t", index), 200) }
            let consumer = consumer(cluster)
            var starts: [TopicPartition: ConsumerStart] = [:]
            for index in Int32(0)..<6 { starts[TopicPartition("t", index)] = ConsumerStart(.earliest) }
            await consumer.assign(starts)
            var iterator = consumer.makeAsyncIterator()
            let found = try await read(&iterator, 1200)
            for index in Int32(0)..<6 { #expect(found[index] == numbered(0..<200)) }
            #expect(consumer.positions.values.allSatisfy { $0 == 200 })
            #expect(consumer.isCaughtUp)
            await consumer.close()
            #expect(try await iterator.next() == nil)
        }
    }

    @Test("reading from the middle of a batch returns no earlier record", arguments: [Int64(0), 1, 9, 10, 15, 19])
    func middle(offset: Int64) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, TopicPartition("t"), 20)
            let consumer = consumer(cluster)
            await consumer.assign([TopicPartition("t"): ConsumerStart(.offset(offset))])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20 - Int(offset))[0] == numbered(offset..<20))
            await consumer.close()
        }
    }

    @Test("a batch larger than each limit is read, and so are those after it")
    func largerThanLimits() async throws {
        let properties = ["max.partition.fetch.bytes": "500", "fetch.max.bytes": "700"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let large = String(repeating: "x", count: 5000)
            for index in Int32(0)..<2 {
                try fake.fill(TopicPartition("t", index), [["a"], [large], ["b", "c"], [large, large], ["d"]])
            }
            let consumer = consumer(cluster)
            await consumer.assign([
                TopicPartition("t", 0): ConsumerStart(.earliest), TopicPartition("t", 1): ConsumerStart(.earliest),
            ])
            var iterator = consumer.makeAsyncIterator()
            let found = try await read(&iterator, 14)
            for index in Int32(0)..<2 {
                #expect(found[index]?.map(\.offset) == Array(0..<7))
                #expect(found[index]?.map(\.value.count) == [1, 5000, 1, 1, 5000, 5000, 1])
            }
            await consumer.close()
        }
    }

    @Test("a record that is produced while a fetch waits is read at once")
    func longPolling() async throws {
        try await withFake(properties: ["fetch.max.wait.ms": "20000"]) { fake, cluster in
            fake.createTopic("t")
            let consumer = consumer(cluster)
            await consumer.assign([TopicPartition("t"): ConsumerStart(.latest)])
            try await eventually("a fetch waits") { fake.count(.fetch) == 1 }
            let started = ContinuousClock.now
            try fill(fake, TopicPartition("t"), 1)
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 1)[0] == numbered(0..<1))
            #expect(.now - started < .seconds(10))
            await consumer.close()
        }
    }

    @Test("control batches and batches emptied by compaction move the position")
    func withoutRecords() async throws {
        try await withFake { fake, cluster in
            let partition = TopicPartition("t")
            fake.createTopic("t")
            try fill(fake, partition, 2)
            fake.append(try batchBytes(["marker"], control: true), to: partition)
            // An emptied batch keeps its offsets: three of them here.
            var empty = Array(try batchBytes(["x"]).prefix(RecordBatchHeader.byteCount))
            empty.replaceSubrange(8..<12, with: [0, 0, 0, 49])
            empty.replaceSubrange(23..<27, with: [0, 0, 0, 2])
            empty.replaceSubrange(57..<61, with: [0, 0, 0, 0])
            fake.append(withChecksum(empty), to: partition)
            let consumer = consumer(cluster)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            var batches: [[ReadRecord]] = []
            while consumer.positions[partition] != 6, let batch = try await iterator.next() {
                batches.append(try batch.readRecords())
            }
            #expect(batches == [numbered(0..<2), [], []])
            #expect(consumer.isCaughtUp)
            await consumer.close()
        }
    }

    @Test("another assignment begins at its place, and nothing of the earlier one is read")
    func assignAgain() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 2)
            for index in Int32(0)..<2 { try fill(fake, TopicPartition("t", index), 100) }
            let consumer = consumer(cluster)
            await consumer.assign([TopicPartition("t", 0): ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 10)[0] == numbered(0..<10))
            await consumer.assign([TopicPartition("t", 1): ConsumerStart(.offset(50))])
            let found = try await read(&iterator, 50)
            #expect(found == [1: numbered(50..<100)])
            #expect(consumer.positions == [TopicPartition("t", 1): 100])
            // Many times, so that seeks meet every state of the fetches.
            for round in Int64(0)..<50 {
                await consumer.assign([TopicPartition("t", 0): ConsumerStart(.offset(round))])
                let batch = try #require(try await iterator.next())
                #expect(try batch.readRecords().first?.offset == round)
            }
            await consumer.close()
        }
    }

    @Test("brokers without fetch sessions are read")
    func withoutSessions() async throws {
        try await withFake { fake, cluster in
            fake.limitFetchSessions(to: 0)
            fake.createTopic("t", partitions: 3)
            for index in Int32(0)..<3 { try fill(fake, TopicPartition("t", index), 50) }
            let consumer = consumer(cluster)
            var starts: [TopicPartition: ConsumerStart] = [:]
            for index in Int32(0)..<3 { starts[TopicPartition("t", index)] = ConsumerStart(.earliest) }
            await consumer.assign(starts)
            var iterator = consumer.makeAsyncIterator()
            let found = try await read(&iterator, 150)
            for index in Int32(0)..<3 { #expect(found[index] == numbered(0..<50)) }
            await consumer.close()
        }
    }

    @Test("gzip is read, and a time limit ends the wait")
    func gzipAndTimeout() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            fake.append(try batchBytes((0..<100).map(String.init), compression: .gzip), to: TopicPartition("t"))
            let consumer = consumer(cluster)
            await consumer.assign([TopicPartition("t"): ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 100)[0] == numbered(0..<100))
            guard case .timedOut = try await iterator.next(timeout: .milliseconds(10)) else {
                Issue.record("a batch arrived")
                return
            }
            await consumer.close()
        }
    }

    @Test("a cancelled task gets no further batch, even if some are buffered")
    func cancelledInABacklog() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, TopicPartition("t"), 200)
            let consumer = consumer(cluster)
            await consumer.assign([TopicPartition("t"): ConsumerStart(.earliest)])
            let reading = Task {
                var batches = 0
                for try await _ in consumer {
                    batches += 1
                    unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
                }
                return batches
            }
            await #expect(throws: CancellationError.self) { try await reading.value }
            await consumer.close()
        }
    }
}
