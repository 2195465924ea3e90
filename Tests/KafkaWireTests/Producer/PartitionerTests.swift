import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("The choice of a record's partition", .timeLimit(.minutes(1)))
struct PartitionerTests {
    /// Pseudo-random numbers that are the same each time.
    private func random(_ seed: UInt64) -> () -> Double {
        var state = seed
        return {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 53)
        }
    }

    private func topic(_ count: Int) -> ProducerTopic {
        var topic = ProducerTopic(partitionCount: count, random: 0)
        for index in 0..<count {
            let partition = TopicPartition("t", Int32(index))
            topic.partitions.append(ProducerPartition(partition: partition, isSerialized: true, now: .now))
        }
        return topic
    }

    private func batch(created: ContinuousClock.Instant = .now) -> ProducerBatch {
        let partition = TopicPartition("t")
        return ProducerBatch(
            partition: partition, recordCount: 1, outcome: BatchOutcome(partition: partition), created: created,
            reserved: 0)
    }

    @Test("records without a key go to one partition for batch.size bytes, and all partitions get equal shares")
    func sticky() {
        var configuration = ProducerConfiguration()
        configuration.batchSize = 1000
        var topic = topic(5)
        let chance = random(1)
        var counts = [Int](repeating: 0, count: 5)
        var changes = 0
        var last = 0
        for _ in 0..<50_000 {
            let slot = topic.stickySlot(bound: 100, configuration, now: { .now }, random: chance)
            counts[slot] += 1
            if slot != last { changes += 1 }
            last = slot
        }
        #expect((4990...5000).contains(changes))
        #expect(counts.allSatisfy { abs($0 - 10_000) < 1000 }, "\(counts)")
    }

    @Test("the partition doesn't change within a batch")
    func betweenBatches() throws {
        var configuration = ProducerConfiguration()
        configuration.batchSize = 1000
        var topic = topic(2)
        let partition = topic.partitions[0]
        partition.open(now: .now, bound: 100, limit: 1000, pool: BufferPool(limit: 0))
        for _ in 0..<20 {
            // The batch has begun, and has room for more bytes than were counted.
            #expect(topic.stickySlot(bound: 100, configuration, now: { .now }, random: { 0 }) == 0)
        }
        partition.completeOpen()
        #expect(topic.stickySlot(bound: 100, configuration, now: { .now }, random: { 0 }) == 1)
    }

    @Test("a partition with many queued batches gets fewer records, and none once they have waited too long")
    func adaptive() {
        func shares(_ change: (inout ProducerConfiguration) -> Void) -> [Int] {
            var configuration = ProducerConfiguration()
            configuration.batchSize = 100
            change(&configuration)
            var topic = topic(3)
            for _ in 0..<9 { topic.partitions[1].append(batch(created: .now - .seconds(5))) }
            let chance = random(2)
            var counts = [0, 0, 0]
            for _ in 0..<30_000 {
                counts[topic.stickySlot(bound: 100, configuration, now: { .now }, random: chance)] += 1
            }
            return counts
        }
        let adaptive = shares { _ in }
        #expect(adaptive[1] > 0 && adaptive[1] * 5 < adaptive[0], "\(adaptive)")
        let even = shares { $0.partitionsAdaptively = false }
        #expect(even.allSatisfy { abs($0 - 10_000) < 1000 }, "\(even)")
        let unavailable = shares { $0.partitionAvailabilityTimeout = .seconds(1) }
        #expect(unavailable[1] == 0, "\(unavailable)")
    }

    @Test("a partition without a leader gets no records without a key, unless no other has one")
    func leaderless() {
        func shares(leaderless: Set<Int>) -> [Int] {
            var configuration = ProducerConfiguration()
            configuration.batchSize = 100
            var topic = topic(3)
            for index in leaderless { topic.partitions[index].hasLeader = false }
            topic.leadersChanged()
            let chance = random(3)
            var counts = [0, 0, 0]
            for _ in 0..<3000 {
                counts[topic.stickySlot(bound: 100, configuration, now: { .now }, random: chance)] += 1
            }
            return counts
        }
        // The first record would have gone to partition 0.
        let one = shares(leaderless: [0])
        #expect(one[0] == 0 && one[1] > 1000 && one[2] > 1000, "\(one)")
        #expect(shares(leaderless: [0, 2]) == [0, 3000, 0])
        #expect(shares(leaderless: [1, 2]) == [3000, 0, 0])
        let all = shares(leaderless: [0, 1, 2])
        #expect(all.allSatisfy { abs($0 - 1000) < 200 }, "\(all)")
    }

    @Test("when a partition loses its leader, the next record without a key goes to another one")
    func leaderLost() throws {
        let accumulator = Accumulator(
            configuration: ProducerConfiguration(), pool: BufferPool(limit: 0), timing: Timing(random: { 0 }))
        func learn(_ leaders: [Int32?]) {
            let partitions = leaders.enumerated().map { index, leader in
                PartitionDescription(
                    partition: Int32(index), leader: leader, leaderEpoch: 0, replicas: [1], inSyncReplicas: [1])
            }
            accumulator.learn(TopicDescription(name: "t", id: .zero, isInternal: false, partitions: partitions))
        }
        func next() throws -> Int32? {
            let appended = try accumulator.append(
                topic: "t", partition: nil, key: nil, value: nil, headers: [], timestamp: 0)
            guard case .appended(let delivery) = appended else { return nil }
            return delivery.batch.partition.partition
        }
        learn([1, 1])
        #expect(try next() == 0)
        // The open batch there doesn't keep the record.
        learn([nil, 1])
        #expect(try next() == 1)
        #expect(try next() == 1)
        // No other partition is better.
        learn([nil, nil])
        #expect(try next() == 1)
        learn([1, nil, nil])
        #expect(try next() == 0)
        #expect(accumulator.partitionCount(of: "t") == 3)
    }

    private struct ByFirstByte: Partitioner {
        func partition(topic: String, key: RawSpan?, value: RawSpan?, partitionCount: Int32) -> Int32? {
            guard let value, value.byteCount > 0 else { return nil }
            return Int32(value.array[0]) % partitionCount
        }
    }

    @Test("a custom partitioner chooses, except for a record that names its partition")
    func custom() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 4)
            var configuration = cluster.configuration
            configuration.producer.partitioner = ByFirstByte()
            let other = Cluster(configuration: configuration)
            let producer = KafkaProducer(cluster: other)
            for byte in UInt8(0)..<20 {
                let chosen = try await producer.send(ProducerRecord(topic: "t", key: [1], value: [byte]))
                #expect(chosen.partition == Int32(byte % 4))
                let named = try await producer.send(ProducerRecord(topic: "t", partition: 3, value: [byte]))
                #expect(named.partition == 3)
            }
            // A record that it leaves to the default.
            let key: [UInt8] = Array("k".utf8)
            let left = try await producer.send(ProducerRecord(topic: "t", key: key, value: nil))
            let expected = unsafe Murmur2.partition(forKey: key.span.bytes, count: 4)
            #expect(left.partition == expected)
            await producer.close()
            await other.close()
        }
    }

    @Test("with partitioner.ignore.keys the key has no effect")
    func ignoredKeys() async throws {
        try await withFake(properties: ["partitioner.ignore.keys": "true", "batch.size": "300"]) { fake, cluster in
            fake.createTopic("t", partitions: 3)
            let producer = KafkaProducer(cluster: cluster)
            for _ in 0..<300 {
                _ = try await producer.enqueue(ProducerRecord(topic: "t", key: Array("k".utf8), value: [1]))
            }
            await producer.close()
            for index in Int32(0)..<3 { #expect(try fake.log(of: TopicPartition("t", index)).count > 50) }
        }
    }
}

extension RawSpan {
    fileprivate var array: [UInt8] { Array(self) }
}
