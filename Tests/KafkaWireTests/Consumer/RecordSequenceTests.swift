import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A consumer's records one by one", .timeLimit(.minutes(1)))
struct RecordSequenceTests {
    private let partition = TopicPartition("t")

    private func withRecords(_ body: (FakeCluster, KafkaConsumer) async throws -> Void) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            for start in stride(from: 0, to: 30, by: 10) {
                try fake.fill(partition, [(start..<start + 10).map(String.init)])
            }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            try await body(fake, consumer)
            await consumer.close()
        }
    }

    @Test func `each is a copy, and a loop continues where the last one stopped`() async throws {
        try await withRecords { fake, consumer in
            var offsets: [Int64] = []
            while offsets.count < 30 {
                for try await record in consumer.records {
                    #expect(record.value.map { String(decoding: $0, as: UTF8.self) } == "\(record.offset)")
                    #expect(record.topic == "t" && record.partition == 0 && record.leaderEpoch == 0)
                    #expect(record.timestamp.millisecondsSince1970 == 1000 + record.offset % 10)
                    #expect(record.key == nil && record.headers.isEmpty)
                    offsets.append(record.offset)
                    if record.offset % 7 == 6 || record.offset == 29 { break }
                }
            }
            #expect(offsets == Array(0..<30))
            #expect(consumer.isCaughtUp)
        }
    }

    @Test func `the position is after the record, which is processed when the application asks for the next one`()
        async throws
    {
        try await withRecords { fake, consumer in
            var iterator = consumer.records.makeAsyncIterator()
            for offset in Int64(0)..<30 {
                #expect(try await iterator.next()?.offset == offset)
                #expect(consumer.positions == [partition: offset + 1])
                #expect(consumer.buffer.collect(\.processed?.offset) == [partition: offset])
            }
            fake.append(try batchBytes(["marker"], control: true), to: partition)
            try fake.fill(partition, [["31"]])
            #expect(try await iterator.next()?.offset == 31)
            #expect(consumer.buffer.collect(\.processed?.offset) == [partition: 31])
        }
    }

    @Test func `a seek or a revoked partition ends the batch`() async throws {
        try await withRecords { fake, consumer in
            var iterator = consumer.records.makeAsyncIterator()
            #expect(try await iterator.next()?.offset == 0)
            try await consumer.seek([partition: .offset(25)])
            #expect(try await iterator.next()?.offset == 25)
            await consumer.fetcher.revoke([partition])
            #expect(consumer.assignment.isEmpty)
            let ending = Task {
                var iterator = iterator
                return try await iterator.next()
            }
            await consumer.close()
            #expect(try await ending.value == nil)
        }
    }

    @Test func `a record that can't be read is reported once, and isn't skipped without a seek`() async throws {
        try await withRecords { fake, consumer in
            // The checksum is right, but the second record is damaged.
            var broken = try batchBytes(["x", "y"])
            broken[RecordBatchHeader.byteCount + 8] = 0x7f
            fake.append(withChecksum(broken), to: partition)
            try fake.fill(partition, [["32"]])
            var iterator = consumer.records.makeAsyncIterator()
            for offset in Int64(0)..<31 { #expect(try await iterator.next()?.offset == offset) }
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.code == .corruptMessage)
            #expect(consumer.positions == [partition: 31])
            #expect(consumer.buffer.collect(\.processed?.offset) == [partition: 31])
            #expect(consumer.failedPartitions.mapValues(\.code) == [partition: .corruptMessage])
            try await consumer.seek([partition: .offset(32)])
            #expect(try await iterator.next()?.offset == 32)
        }
    }
}
