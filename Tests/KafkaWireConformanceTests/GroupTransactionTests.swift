import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// Members whose transactions commit their offsets, and topics that are deleted and created again.
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
            let count = Mutex(0)

            func next() -> Int {
                count.withLock { count in
                    defer { count += 1 }
                    return count
                }
            }

            func end() { isEnding.withLock { $0 = true } }
            var hasEnded: Bool { isEnding.withLock { $0 } }
        }

        /// A member that reads, and writes each record into another topic, in transactions with its offsets.
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
                    try await producer.withTransaction { transaction in
                        var records = batch.records
                        while let record = try records.next() {
                            let value = ConsumerRecord(record, of: batch).value
                            try await transaction.enqueue(ProducerRecord(topic: output, value: value))
                        }
                        // Rebalances happen meanwhile.
                        try await Task.sleep(for: .milliseconds(20))
                        try await transaction.sendOffsets(
                            [partition: OffsetAndMetadata(batch.nextOffset)], group: group)
                    }
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
            let feeding = Task {
                let producer = fixture.client.producer()
                while !load.hasEnded {
                    let number = load.next()
                    _ = try await producer.send(
                        ProducerRecord(
                            topic: fixture.topic, partition: Int32(number % 6), value: Array("\(number)".utf8)))
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
            // Whatever is left, then the check: each record is there once.
            let end = ContinuousClock.now + .seconds(5)
            try await Self.process(
                fixture, to: output, group, name: uniqueName(), until: { ContinuousClock.now > end }, load)
            let reader = try fixture.client(["isolation.level": "read_committed"]).consumer()
            await reader.assign([TopicPartition(topic: output, partition: 0): ConsumerStart(.earliest)])
            var seen: [String: Int] = [:]
            var iterator = reader.makeAsyncIterator()
            while case .batch(let batch) = try await iterator.next(timeout: .seconds(2)) {
                var records = batch.records
                while let record = try records.next() {
                    let value = ConsumerRecord(record, of: batch).value ?? []
                    seen[String(decoding: value, as: UTF8.self), default: 0] += 1
                }
            }
            #expect(seen.count == load.count.withLock { $0 })
            #expect(seen.values.allSatisfy { $0 == 1 })
            await reader.close()
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
