import Foundation
import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Changes of a log other than appends, such as retention and compaction.
    @Suite(needsKafka) struct Log {
        @Test(arguments: KafkaHome.all) func brokersTimestamps(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, configs: ["message.timestamp.type": "LogAppendTime"])
            let producer = fixture.client.producer()
            let before = Int64(Date.now.timeIntervalSince1970 * 1000)
            let metadata = try await producer.send(
                ProducerRecord(
                    topic: fixture.topic, value: [1],
                    timestamp: KafkaTimestamp(millisecondsSince1970: 1_000_000_000_000)))
            let after = Int64(Date.now.timeIntervalSince1970 * 1000)
            await producer.close()
            #expect((before...after).contains(metadata.timestamp.millisecondsSince1970))
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            let batch = try await reading.batch()
            #expect(batch.timestampType == .logAppendTime)
            #expect(try batch.copies().map(\.timestamp) == [metadata.timestamp])
        }

        private func deleteRecords(_ fixture: TopicFixture, below offset: Int64) async throws {
            let folder = try TemporaryFolder()
            let file = folder.url.appending(path: "offsets.json")
            let json = """
                {"version": 1, "partitions": [{"topic": "\(fixture.topic)", "partition": 0, "offset": \(offset)}]}
                """
            try Data(json.utf8).write(to: file)
            let output = try await fixture.tool("delete-records", ["--offset-json-file", file.path])
            #expect(output.contains("low_watermark: \(offset)"))
        }

        @Test(arguments: KafkaHome.all) func deletedRecordsByPolicy(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<100)
            try await deleteRecords(fixture, below: 60)
            let first = try await fixture.client.admin.listOffsets([fixture.partition(): .earliest])
            #expect(first[fixture.partition()]?.offset == 60)

            var failing = await fixture.client.read([fixture.partition(): .offset(10)])
            let error = try await kafkaError { _ = try await failing.batch() }
            #expect(error.code == .offsetOutOfRange)
            #expect(error.topic == fixture.topic && error.partition == 0 && error.offset == 10)

            let earliest = fixture.client.consumer(offsetReset: .earliest)
            await earliest.assign([fixture.partition(): ConsumerStart(.offset(10))])
            var reading = Reading(earliest)
            #expect(try await reading.records(40).map(\.offset) == Array(60..<100))

            let latest = fixture.client.consumer(offsetReset: .latest)
            await latest.assign([fixture.partition(): ConsumerStart(.offset(10))])
            reading = Reading(latest)
            try await eventually("the position is at the end of the log") {
                try await reading.expectNothing(within: .milliseconds(20))
                return latest.positions[fixture.partition()] == 100
            }
            try await eventually("nothing is left to read") { latest.isCaughtUp }
            try await fixture.produce(100..<101)
            #expect(try await reading.records(1).map(\.text) == ["100"])

            // An offset beyond the end is also out of range.
            var beyond = await fixture.client.read([fixture.partition(): .offset(200)])
            #expect(try await kafkaError { _ = try await beyond.batch() }.code == .offsetOutOfRange)
        }

        /// Only the last record of each key is left, but the position still advances to the end.
        @Test(arguments: KafkaHome.all) func compactedLog(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(
                home,
                configs: [
                    "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.001", "segment.ms": "200",
                    "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "200",
                ])
            let producer = fixture.client.producer()
            func send(_ number: Int) async throws {
                _ = try await producer.enqueue(
                    ProducerRecord(
                        topic: fixture.topic, key: Array("\(number % 5)".utf8), value: Array("\(number)".utf8)))
            }
            for number in 0..<1000 { try await send(number) }
            await producer.flush()
            var next = 1000
            // A record after segment.ms closes the segment, so that it can be compacted.
            try await eventually("the log is compacted", timeout: .seconds(60), every: .milliseconds(300)) {
                try await send(next)
                next += 1
                await producer.flush()
                var reading = await fixture.client.read([fixture.partition(): .offset(0)])
                let records = try await reading.recordsToTheEnd(of: [fixture.partition()], client: fixture.client)
                #expect(records.last?.text == "\(next - 1)")
                #expect(records.map(\.offset) == records.map(\.offset).sorted())
                // Each remaining record has its own offset as its value.
                #expect(records.allSatisfy { $0.text == "\($0.offset)" })
                await reading.consumer.close()
                return records.count < 500
            }
            await producer.close()
        }

        /// Transaction markers occupy offsets but are not returned as records.
        @Test(arguments: KafkaHome.all) func transactionsOfJava(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let result = try await fixture.cluster.tool(
                "producer-perf",
                [
                    "--topic", fixture.topic, "--num-records", "400", "--record-size", "40", "--throughput", "200",
                    "--transactional-id", uniqueName(), "--transaction-duration-ms", "100", "--producer-props",
                    "bootstrap.servers=\(fixture.cluster.bootstrap)",
                ], timeout: .seconds(120))
            try #require(result.status == 0, "\(result.err)")
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            var records: [ReadRecord] = []
            var markers = 0
            let ends = try await fixture.client.admin.listOffsets([fixture.partition(): .latest])
            let end = try #require(ends[fixture.partition()]?.offset)
            while reading.consumer.positions[fixture.partition(), default: 0] < end {
                let batch = try await reading.batch()
                if batch.isControl {
                    markers += 1
                    #expect(try batch.controlRecordType() == .commit)
                }
                #expect(batch.isTransactional)
                records += try batch.copies()
            }
            #expect(records.count == 400)
            #expect(records.allSatisfy { $0.value?.count == 40 })
            #expect(markers >= 2)
            #expect(end == Int64(400 + markers))
        }

        /// In a recreated topic the offsets refer to other records, so a consumer must report an error.
        @Test(arguments: KafkaHome.all) func topicIsRecreatedWhileItIsRead(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<10)
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            _ = try await reading.records(10)
            let other = try fixture.client([:])
            try await other.admin.deleteTopic(fixture.topic)
            try await eventually("the topic can be recreated") {
                do {
                    try await other.admin.createTopic(fixture.topic, partitions: 1)
                    return true
                } catch let error as KafkaError where error.code == .topicAlreadyExists {
                    return false
                }
            }
            try await TopicFixture.send("other", to: fixture.topic, with: other)
            let error = try await kafkaError { _ = try await reading.batch(within: .seconds(20)) }
            #expect(error.code == .inconsistentTopicId)
            #expect(error.topic == fixture.topic)
        }
    }
}

extension TopicFixture {
    static func send(_ text: String, to topic: String, with client: KafkaClient) async throws {
        let producer = client.producer()
        _ = try await producer.send(ProducerRecord(topic: topic, value: Array(text.utf8)))
        await producer.close()
    }
}
