import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// Members that commit offsets in transactions, and recreated topics.
    @Suite(needsKafka) struct GroupTransactions {
        private static let kinds: [[String: String]] = [
            ["partition.assignment.strategy": "cooperative-sticky"], ["partition.assignment.strategy": "range"],
            ["group.protocol": "consumer"],
        ]
        private static let cases = KafkaHome.all.flatMap { home in
            kinds.filter { home.version.hasPrefix("4") || $0["group.protocol"] == nil }.map { (home, $0) }
        }

        private final class Load: Sendable {
            let failures = Mutex<[KafkaError]>([])
            let isEnding = Mutex(false)
            private let counts = Mutex((sent: 0, processed: 0))

            /// The number of the next record.
            func next() -> Int {
                counts.withLock { counts in
                    defer { counts.sent += 1 }
                    return counts.sent
                }
            }

            func processed(_ count: Int) { counts.withLock { $0.processed += count } }

            var sent: Int { counts.withLock { $0.sent } }
            /// The number of records processed in committed transactions.
            var processed: Int { counts.withLock { $0.processed } }

            func end() { isEnding.withLock { $0 = true } }
            var hasEnded: Bool { isEnding.withLock { $0 } }
        }

        /// Runs a member that copies each record into another topic, in transactions that include the offsets.
        private static func process(
            _ fixture: TopicFixture, to output: String, _ properties: [String: String], name: String,
            until isEnding: @escaping @Sendable () -> Bool, _ load: Load
        ) async throws {
            let client = try fixture.client(
                [
                    "enable.auto.commit": "false", "auto.offset.reset": "earliest", "heartbeat.interval.ms": "100",
                    "session.timeout.ms": "6000", "transactional.id": name, "isolation.level": "read_committed",
                ].merging(properties) { $1 })
            let (consumer, producer) = (client.consumer(), client.producer())
            try await consumer.subscribe(to: .topics([fixture.topic]))
            var iterator = consumer.makeAsyncIterator()
            while !isEnding() {
                guard case .batch(let batch) = try await iterator.next(timeout: .milliseconds(50)) else { continue }
                guard let group = consumer.groupMetadata else { break }
                let partition = TopicPartition(topic: batch.topic, partition: batch.partition)
                do {
                    let count = try await producer.withTransaction { transaction in
                        var count = 0
                        var records = batch.makeIterator()
                        while let record = try records.next() {
                            let value = ConsumerRecord(record, of: batch).value
                            try await transaction.enqueue(ProducerRecord(topic: output, value: value))
                            count += 1
                        }
                        // Leaves time for rebalances within the transaction.
                        try await Task.sleep(for: .milliseconds(20))
                        try await transaction.sendOffsets(
                            [partition: OffsetAndMetadata(batch.nextOffset)], group: group)
                        return count
                    }
                    load.processed(count)
                } catch let error as KafkaError {
                    load.failures.withLock { $0.append(error) }
                    break
                }
            }
            await consumer.close()
            await producer.close()
            await client.close()
        }

        @Test(
            "a member that keeps its partitions commits through joins and leaves", .timeLimit(.minutes(5)),
            arguments: cases)
        func joinsAndLeaves(home: KafkaHome, properties: [String: String]) async throws {
            let fixture = try await TopicFixture(home, partitions: 6)
            let output = uniqueName()
            try await fixture.client.admin.createTopic(output, partitions: 1)
            let group = properties.merging(["group.id": uniqueName()]) { $1 }
            let load = Load()
            defer { load.end() }
            let feeding = Task {
                let producer = fixture.client.producer()
                while !load.hasEnded {
                    let number = load.next()
                    _ = try await producer.send(
                        ProducerRecord(
                            topic: fixture.topic, partition: Int32(number % 6), value: Array("\(number)".utf8)))
                    // Each record takes a transaction, so send about as many as the members can process.
                    try await Task.sleep(for: .milliseconds(25))
                }
                await producer.close()
            }
            let staying = Task {
                try await Self.process(
                    fixture, to: output, group, name: uniqueName(), until: { load.hasEnded }, load)
            }
            for _ in 0..<6 {
                let visit = Load()
                let passing = Task {
                    try await Self.process(
                        fixture, to: output, group, name: uniqueName(), until: { visit.hasEnded }, load)
                }
                try await Task.sleep(for: .seconds(1))
                visit.end()
                try await passing.value
            }
            #expect(load.failures.withLock { $0 } == [])
            load.end()
            try await feeding.value
            try await staying.value
            // Another member processes the rest. If a record was lost, it reaches its time limit.
            let end = ContinuousClock.now + .seconds(60)
            try await Self.process(
                fixture, to: output, group, name: uniqueName(),
                until: { load.processed >= load.sent || ContinuousClock.now > end }, load)
            #expect(load.failures.withLock { $0 } == [])
            #expect(load.processed == load.sent)
            // The output has each partition's records exactly once, in order.
            let numbers = try await Self.numbers(load.sent, in: output, fixture)
            for partition in 0..<6 {
                let seen = numbers.filter { $0 % 6 == partition }
                let expected = Array(stride(from: partition, to: load.sent, by: 6))
                #expect(seen == expected)
            }
        }

        /// Reads the first `count` numbers of a topic with one partition; fewer if the topic has no more.
        private static func numbers(_ count: Int, in topic: String, _ fixture: TopicFixture) async throws -> [Int] {
            let reader = try fixture.client(["isolation.level": "read_committed"]).consumer()
            await reader.assign([TopicPartition(topic: topic, partition: 0): ConsumerStart(.earliest)])
            var iterator = reader.makeAsyncIterator()
            var numbers: [Int] = []
            while numbers.count < count, case .batch(let batch) = try await iterator.next(timeout: .seconds(10)) {
                var records = batch.makeIterator()
                while let record = try records.next() {
                    let value = ConsumerRecord(record, of: batch).value ?? []
                    numbers.append(try #require(Int(String(decoding: value, as: UTF8.self))))
                }
            }
            await reader.close()
            return numbers
        }

        @Test("offsets of a recreated topic are not committed", .timeLimit(.minutes(2)), arguments: cases)
        func recreated(home: KafkaHome, properties: [String: String]) async throws {
            let fixture = try await TopicFixture(home)
            let group = properties.merging(["group.id": uniqueName(), "auto.offset.reset": "earliest"]) { $1 }
            func produce(_ count: Int) async throws {
                let producer = fixture.client.producer()
                for number in 0..<count {
                    _ = try await producer.enqueue(
                        ProducerRecord(topic: fixture.topic, value: Array("\(number)".utf8)))
                }
                await producer.flush()
                await producer.close()
            }
            func read(_ consumer: KafkaConsumer, _ count: Int64) async throws {
                var iterator = consumer.makeAsyncIterator()
                while consumer.positions[fixture.partition()] != count {
                    _ = try await iterator.next(timeout: .milliseconds(100))
                }
                _ = try await iterator.next(timeout: .milliseconds(1))
            }
            try await produce(100)
            let client = try fixture.client(group.merging(["auto.commit.interval.ms": "600000"]) { $1 })
            let consumer = client.consumer()
            try await consumer.subscribe(to: .topics([fixture.topic]))
            try await read(consumer, 100)
            try await fixture.client.admin.deleteTopic(fixture.topic)
            try await eventually("the topic is created again") {
                (try? await fixture.client.admin.createTopic(fixture.topic, partitions: 1)) != nil
            }
            try await produce(150)
            let error = await #expect(throws: KafkaError.self) {
                try await consumer.commit([fixture.partition(): OffsetAndMetadata(100)])
            }
            #expect(error?.code == .inconsistentTopicId)
            await consumer.close()
            let next = try fixture.client(group).consumer()
            #expect(try await next.committed([fixture.partition()]) == [:])
            try await next.subscribe(to: .topics([fixture.topic]))
            try await read(next, 150)
            await next.close()
            await client.close()
        }
    }
}
