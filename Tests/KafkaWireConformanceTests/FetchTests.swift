import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Fetching: start positions, limits and fetch sessions.
    @Suite(needsKafka) struct Fetch {
        @Test(arguments: KafkaHome.all) func fromTheMiddleOfABatch(_ home: KafkaHome) async throws {
            for compression in ["none", "gzip"] {
                let fixture = try await TopicFixture(
                    home, properties: ["linger.ms": "1000", "compression.type": compression])
                try await fixture.produce(0..<1000)
                var reading = await fixture.client.read([fixture.partition(): .offset(617)])
                let batch = try await reading.batch()
                #expect(batch.baseOffset == 0 && batch.firstOffset == 617)
                let records = try batch.copies()
                #expect(records.map(\.offset) == Array(617..<1000))
                #expect(records.map(\.text) == (617..<1000).map(String.init))
                #expect(reading.consumer.positions == [fixture.partition(): 1000])
            }
        }

        @Test(arguments: KafkaHome.all) func recordLargerThanTheLimits(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let client = try fixture.client([
                "fetch.max.bytes": "1000", "max.partition.fetch.bytes": "500", "batch.size": "0",
            ])
            let producer = client.producer()
            for partition in Int32(0)..<2 {
                for size in [10, 700_000, 20, 900_000, 30] {
                    _ = try await producer.send(
                        ProducerRecord(
                            topic: fixture.topic, partition: partition,
                            value: Array(repeating: UInt8(partition), count: size)))
                }
            }
            await producer.close()
            var reading = await client.read([fixture.partition(0): .earliest, fixture.partition(1): .earliest])
            let records = try await reading.records(10)
            for partition in Int32(0)..<2 {
                let own = records.filter { $0.partition == partition }
                #expect(own.map(\.offset) == [0, 1, 2, 3, 4])
                #expect(own.map { $0.value?.count } == [10, 700_000, 20, 900_000, 30])
            }
        }

        /// A session names each partition once. It forgets unassigned partitions, and fetches reassigned ones again.
        @Test(arguments: KafkaHome.all) func partitionsComeAndGo(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 3)
            let other = try await TopicFixture(home)
            let consumer = fixture.client.consumer()
            await consumer.assign([
                fixture.partition(0): ConsumerStart(.earliest), fixture.partition(1): ConsumerStart(.earliest),
            ])
            var reading = Reading(consumer)
            // Each record takes one or two fetches of the same session.
            for number in 0..<40 {
                try await fixture.produce(number..<number + 1, partition: Int32(number % 2))
                let record = try await reading.records(1)[0]
                #expect(record.text == "\(number)" && record.partition == Int32(number % 2))
            }
            await consumer.assign([
                fixture.partition(1): ConsumerStart(.offset(18)), fixture.partition(2): ConsumerStart(.earliest),
                other.partition(): ConsumerStart(.latest),
            ])
            try await fixture.produce(100..<101, partition: 0)
            try await fixture.produce(102..<103, partition: 2)
            #expect(Set(try await reading.records(3).map(\.text)) == ["37", "39", "102"])
            try await eventually("the other topic's end is known") { consumer.positions[other.partition()] == 0 }
            try await other.produce(7..<8)
            #expect(try await reading.records(1).map(\.text) == ["7"])
            // After reassigning the first partition, only its records arrive, including those written meanwhile.
            await consumer.assign([fixture.partition(0): ConsumerStart(.offset(20))])
            try await fixture.produce(103..<104, partition: 2)
            try await fixture.produce(104..<105, partition: 0)
            #expect(try await reading.records(2).map(\.text) == ["100", "104"])
            #expect(consumer.positions == [fixture.partition(0): 22])
        }

        /// Sends the requests of a fetch session by hand (KIP-227): the broker remembers the session's partitions, and
        /// forgets those that the client removes.
        @Test(arguments: KafkaHome.all) func sessionByHand(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let connection = try await fixture.client.cluster.anyConnection()
            let id = try await fixture.client.admin.describe(topics: [fixture.topic])[0].id
            func fetch(
                _ session: Int32, _ epoch: Int32, offsets: [Int32: Int64] = [:], forgotten: [Int32] = []
            ) async throws -> FetchResponse {
                let partitions = offsets.sorted { $0.key < $1.key }.map { index, offset in
                    FetchRequest.Partition(partition: index, fetchOffset: offset, partitionMaxBytes: 100_000)
                }
                let topic = FetchRequest.Topic(topic: "", topicId: id, partitions: partitions)
                let forget = FetchRequest.ForgottenTopic(topic: "", topicId: id, partitions: forgotten)
                let request = FetchRequest(
                    maxWaitMs: 100, minBytes: 1, sessionId: session, sessionEpoch: epoch,
                    topics: partitions.isEmpty ? [] : [topic], forgottenTopicsData: forgotten.isEmpty ? [] : [forget])
                return try await connection.call(request, timeout: .seconds(10))
            }
            func partitionsWithRecords(_ response: FetchResponse) -> [Int32] {
                response.responses.flatMap(\.partitions).filter { $0.records?.isEmpty == false }.map(\.partitionIndex)
            }
            let opened = try await fetch(0, 0, offsets: [0: 0, 1: 0])
            let session = opened.sessionId
            #expect(opened.errorCode == 0 && session != 0 && partitionsWithRecords(opened).isEmpty)
            try await fixture.produce(0..<1, partition: 0)
            try await fixture.produce(0..<1, partition: 1)
            // A request that names no partition returns both.
            #expect(Set(partitionsWithRecords(try await fetch(session, 1))) == [0, 1])
            let moved = try await fetch(session, 2, offsets: [0: 1])
            #expect(partitionsWithRecords(moved) == [1])
            #expect(partitionsWithRecords(try await fetch(session, 3, forgotten: [1])).isEmpty)
            // The broker rejects a wrong epoch and an unknown session.
            #expect(ErrorCode(rawValue: try await fetch(session, 9).errorCode) == .invalidFetchSessionEpoch)
            #expect(ErrorCode(rawValue: try await fetch(session &+ 1, 1).errorCode) == .fetchSessionIdNotFound)
        }

        /// With a maximum wait of 20 s a record arrives much earlier, because the broker answers when it has one.
        @Test(arguments: KafkaHome.all) func recordIsReadImmediately(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["fetch.max.wait.ms": "20000", "linger.ms": "0"])
            let producer = fixture.client.producer()
            var reading = await fixture.client.read([fixture.partition(): .earliest])
            _ = try await producer.send(ProducerRecord(topic: fixture.topic, value: [0]))
            _ = try await reading.records(1)
            var latencies: [Duration] = []
            for number in 1...30 {
                let start = ContinuousClock.now
                _ = try await producer.enqueue(ProducerRecord(topic: fixture.topic, value: [UInt8(number)]))
                #expect(try await reading.records(1, within: .seconds(15))[0].value == [UInt8(number)])
                latencies.append(.now - start)
            }
            await producer.close()
            // The median, because a busy machine may delay single records.
            #expect(latencies.sorted()[15] < .seconds(2), "\(latencies)")
        }

        @Test(arguments: KafkaHome.all) func positionsAndWatermarks(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<10)
            var reading = await fixture.client.read([fixture.partition(): .offset(4)])
            #expect(!reading.consumer.isCaughtUp)
            #expect(try await reading.records(6).map(\.offset) == Array(4..<10))
            #expect(reading.consumer.positions == [fixture.partition(): 10])
            #expect(reading.consumer.highWatermarks == [fixture.partition(): 10])
            #expect(reading.consumer.isCaughtUp)
        }

        @Test(arguments: KafkaHome.all) func partitionThatDoesNotExist(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, properties: ["default.api.timeout.ms": "1000"])
            var reading = await fixture.client.read([fixture.partition(5): .offset(0)])
            let error = try await kafkaError { _ = try await reading.batch() }
            #expect(error.code == .unknownTopicOrPartition)
            #expect(error.partition == 5)
        }
    }
}
