import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Changing the assignment of a consumer that reads", .timeLimit(.minutes(1)))
struct AssignmentTests {
    private let zero = TopicPartition("t", 0)
    private let one = TopicPartition("t", 1)

    /// A topic of two partitions with 100 records each in batches of ten. The values are the offsets.
    private func withTopic(
        properties: [String: String] = [:], _ body: (FakeCluster, KafkaConsumer) async throws -> Void
    ) async throws {
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            for partition in [zero, one] { try fill(fake, partition, 100) }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            try await body(fake, consumer)
            await consumer.close()
        }
    }

    private func fill(_ fake: FakeCluster, _ partition: TopicPartition, _ count: Int) throws {
        let begin = Int(fake.offsets(of: partition)?.upperBound ?? 0)
        for start in stride(from: begin, to: begin + count, by: 10) {
            try fake.fill(partition, [(start..<start + 10).map(String.init)])
        }
    }

    private let beginning = ConsumerStart(.earliest)

    @Test("the records of the other partitions are read once while partitions are added and removed")
    func addAndRemove() async throws {
        try await withTopic(properties: ["max.partition.fetch.bytes": "300"]) { _, consumer in
            await consumer.fetcher.add([zero: beginning])
            var iterator = consumer.makeAsyncIterator()
            var offsets: [Int32: [Int64]] = [:]
            for round in 0..<10 {
                if round % 2 == 0 {
                    await consumer.fetcher.add([one: ConsumerStart(.offset(Int64(round)))])
                } else {
                    await consumer.fetcher.revoke([one])
                }
                let batch = try #require(try await iterator.next())
                #expect(round % 2 == 0 || batch.partition == 0)
                offsets[batch.partition, default: []] += try batch.readRecords().map(\.offset)
            }
            while offsets[0]?.last != 99 {
                let batch = try #require(try await iterator.next())
                #expect(batch.partition == 0)
                offsets[0, default: []] += try batch.readRecords().map(\.offset)
            }
            #expect(offsets[0] == Array(0..<100))
            #expect(consumer.assignment == [zero])
        }
    }

    @Test("a seek moves its partition, whatever was fetched before, and leaves the others as they are")
    func seek() async throws {
        try await withTopic { fake, consumer in
            await consumer.assign([zero: beginning, one: beginning])
            var iterator = consumer.makeAsyncIterator()
            let before = try await read(&iterator, 200)
            #expect(before[0] == numbered(0..<100) && before[1] == numbered(0..<100))
            try await consumer.seek([zero: .offset(95)])
            #expect(try await read(&iterator, 5) == [0: numbered(95..<100)])
            try await consumer.seek([zero: .earliest])
            #expect(try await read(&iterator, 100) == [0: numbered(0..<100)])
            // The first record of each batch has the timestamp 1000, each other one a millisecond more.
            try await consumer.seek([zero: .timestamp(KafkaTimestamp(millisecondsSince1970: 1009))])
            #expect(try await read(&iterator, 91) == [0: numbered(9..<100)])
            try await consumer.seek([one: .latest, zero: .timestamp(KafkaTimestamp(millisecondsSince1970: 5000))])
            try await eventually("the ends are resolved") { consumer.positions == [zero: 100, one: 100] }
            for partition in [zero, one] { try fill(fake, partition, 10) }
            let after = try await read(&iterator, 20)
            #expect(after[0] == numbered(100..<110) && after[1] == numbered(100..<110))
            let error = await #expect(throws: KafkaError.self) {
                try await consumer.seek([TopicPartition("t", 7): .earliest, zero: .offset(109)])
            }
            #expect(error?.partition == 7)
            #expect(try await read(&iterator, 1) == [0: numbered(109..<110)])
        }
    }

    @Test(
        "an offset that the log doesn't have is reported once, until a seek; the other partition is read completely"
    )
    func seekAfterError() async throws {
        for (bad, good) in [(zero, one), (one, zero)] {
            try await withTopic { _, consumer in
                await consumer.assign([bad: ConsumerStart(.offset(500)), good: ConsumerStart(.offset(0))])
                var iterator = consumer.makeAsyncIterator()
                var offsets: [Int32: [ReadRecord]] = [:]
                let error = await #expect(throws: KafkaError.self) {
                    while let batch = try await iterator.next() {
                        offsets[batch.partition, default: []] += try batch.readRecords()
                    }
                }
                #expect(error?.code == .offsetOutOfRange)
                #expect(consumer.failedPartitions.mapValues(\.code) == [bad: .offsetOutOfRange])
                try await consumer.seek([bad: .offset(50)])
                #expect(consumer.failedPartitions.isEmpty)
                while offsets.values.reduce(0, { $0 + $1.count }) < 150 {
                    for (partition, records) in try await read(&iterator, 1) {
                        offsets[partition, default: []] += records
                    }
                }
                #expect(offsets[bad.partition] == numbered(50..<100))
                #expect(offsets[good.partition] == numbered(0..<100))
            }
        }
    }

    @Test("adding and removing partitions by hand does not disturb the others")
    func incremental() async throws {
        try await withTopic(properties: ["max.partition.fetch.bytes": "300"]) { _, consumer in
            await consumer.assign([zero: beginning])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20) == [0: numbered(0..<20)])
            await consumer.assign(adding: [one: ConsumerStart(.offset(40))])
            #expect(consumer.assignment == [zero, one])
            var found: [Int32: [ReadRecord]] = [:]
            while found.values.reduce(0, { $0 + $1.count }) < 140 {
                for (partition, records) in try await read(&iterator, 1) { found[partition, default: []] += records }
            }
            #expect(found == [0: numbered(20..<100), 1: numbered(40..<100)])
            await consumer.assign(adding: [zero: ConsumerStart(.offset(90))])
            await consumer.unassign([one, TopicPartition("other")])
            #expect(consumer.assignment == [zero])
            #expect(try await read(&iterator, 10) == [0: numbered(90..<100)])
            await consumer.unassign([zero])
            #expect(consumer.assignment.isEmpty && consumer.positions.isEmpty)
        }
    }

    @Test("a paused partition is neither fetched nor handed out, and resumes without a gap")
    func pause() async throws {
        try await withTopic(properties: ["fetch.max.wait.ms": "10"]) { fake, consumer in
            await consumer.assign([zero: beginning, one: beginning])
            var iterator = consumer.makeAsyncIterator()
            let first = try #require(try await iterator.next())
            let paused = TopicPartition("t", first.partition)
            let other = paused == zero ? one : zero
            await consumer.pause([paused])
            #expect(consumer.paused == [paused])
            #expect(try await read(&iterator, 100) == [other.partition: numbered(0..<100)])
            #expect(consumer.isCaughtUp)
            try fill(fake, paused, 20)
            try fill(fake, other, 20)
            #expect(try await read(&iterator, 20) == [other.partition: numbered(100..<120)])
            #expect(consumer.positions == [paused: 10, other: 120])
            await consumer.resume([paused])
            #expect(try await read(&iterator, 110) == [paused.partition: numbered(10..<120)])
            #expect(consumer.paused.isEmpty)
            #expect(consumer.lag == [zero: 0, one: 0])
        }
    }

    @Test("the next iterator continues with the rest of a response")
    func anotherIterator() async throws {
        try await withTopic { _, consumer in
            await consumer.assign([zero: beginning])
            var offsets: [Int64] = []
            while offsets.count < 100 {
                for try await batch in consumer {
                    offsets += try batch.readRecords().map(\.offset)
                    break
                }
            }
            #expect(offsets == Array(0..<100))
        }
    }

    @Test("a partition without a leader does not keep another one from being read")
    func leaderless() async throws {
        try await withTopic { fake, consumer in
            fake.elect(nil, for: zero)
            await consumer.assign([zero: beginning])
            await consumer.fetcher.add([one: beginning])
            var iterator = consumer.makeAsyncIterator()
            let first = try await read(&iterator, 100)
            #expect(first == [1: numbered(0..<100)])
            fake.elect(1, for: zero)
            let second = try await read(&iterator, 100)
            #expect(second == [0: numbered(0..<100)])
        }
    }
}
