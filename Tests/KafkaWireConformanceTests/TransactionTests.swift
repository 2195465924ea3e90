import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Transactions with brokers that support version 2 of them (Kafka 4.0 and later) and with older ones.
    @Suite(needsKafka) struct Transactions {
        private struct Failed: Error {}

        private func fixture(_ home: KafkaHome, _ properties: [String: String] = [:]) async throws -> TopicFixture {
            try await TopicFixture(
                home, partitions: 2,
                properties: ["transactional.id": uniqueName(), "isolation.level": "read_committed"]
                    .merging(properties) { $1 })
        }

        private func record(_ fixture: TopicFixture, _ value: String, partition: Int32 = 0) -> ProducerRecord {
            ProducerRecord(topic: fixture.topic, partition: partition, value: Array(value.utf8))
        }

        /// Reads all partitions with `read_committed`.
        private func committed(_ fixture: TopicFixture) async throws -> [String] {
            let partitions = [fixture.partition(0), fixture.partition(1)]
            var reading = await fixture.client.read(
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            return try await reading.recordsToTheEnd(of: partitions, client: fixture.client).map(\.text).sorted()
        }

        @Test(arguments: KafkaHome.all) func versionOfTransactions(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home)
            let level = try await fixture.client.cluster.anyConnection().features["transaction.version"] ?? 0
            #expect((level >= 2) == !home.version.hasPrefix("3."))
        }

        /// Java's consumer and this client's return exactly the committed records.
        @Test(arguments: KafkaHome.all) func commitsAndAborts(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home)
            let producer = fixture.client.producer()
            var expected: [String] = []
            for round in 0..<12 {
                do {
                    try await producer.withTransaction { transaction in
                        for index in 0..<10 {
                            try await transaction.enqueue(
                                record(fixture, "\(round).\(index)", partition: Int32(index % 2)))
                        }
                        if round % 3 == 1 {
                            // The first record is written before the abort, the other may not be.
                            _ = try await transaction.send(record(fixture, "\(round).x"))
                            try await transaction.enqueue(record(fixture, "\(round).y"))
                            throw Failed()
                        }
                    }
                    expected += (0..<10).map { "\(round).\($0)" }
                } catch is Failed {}
            }
            await producer.close()
            expected.sort()
            #expect(try await committed(fixture) == expected)
            let shown = try await fixture.tool(
                "console-consumer",
                [
                    "--topic", fixture.topic, "--from-beginning", "--isolation-level", "read_committed",
                    "--max-messages", "\(expected.count)", "--timeout-ms", "60000",
                ])
            #expect(shown.split(separator: "\n").map(String.init).sorted() == expected)
        }

        @Test(arguments: KafkaHome.all) func offsetsInATransaction(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home)
            let producer = fixture.client.producer()
            let group = ConsumerGroupMetadata(groupID: uniqueName())
            try await producer.initTransactions()
            for (offset, isCommitted) in [(5, true), (9, false), (7, true)] as [(Int64, Bool)] {
                try await producer.beginTransaction()
                _ = try await producer.enqueue(record(fixture, "\(offset)"))
                try await producer.sendOffsets(
                    [fixture.partition(): OffsetAndMetadata(offset, metadata: "m\(offset)")], group: group)
                if isCommitted { try await producer.commitTransaction() } else { try await producer.abortTransaction() }
                let expected = OffsetAndMetadata(isCommitted ? offset : 5, metadata: isCommitted ? "m\(offset)" : "m5")
                // Names the partition, because a list of all omits it until its first commit is complete.
                let found = try await fixture.client.admin.listGroupOffsets(
                    group.groupID, of: [fixture.partition()], requiresStable: true)
                #expect(try found[fixture.partition()]?.get() == expected)
            }
            // A producer that pretends to be a member of the group.
            try await producer.beginTransaction()
            let error = try await kafkaError {
                try await producer.sendOffsets(
                    [fixture.partition(): OffsetAndMetadata(1)],
                    group: ConsumerGroupMetadata(groupID: group.groupID, generationID: 3, memberID: "nobody"))
            }
            #expect([.unknownMemberId, .illegalGeneration].contains(error.code))
            #expect(try await kafkaError { try await producer.commitTransaction() }.code == error.code)
            try await producer.abortTransaction()
            try await producer.withTransaction { transaction in try await transaction.enqueue(record(fixture, "end")) }
            await producer.close()
            #expect(try await committed(fixture) == ["5", "7", "end"])
        }

        @Test(arguments: KafkaHome.all) func successorFences(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home)
            let producer = fixture.client.producer()
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(record(fixture, "old"))
            let successor = fixture.client.producer()
            try await successor.withTransaction { transaction in
                try await transaction.enqueue(record(fixture, "new"))
            }
            let late = try await producer.enqueue(record(fixture, "late"))
            _ = try await kafkaError { _ = try await late.metadata }
            _ = try await kafkaError { try await producer.commitTransaction() }
            let error = try await kafkaError { try await producer.abortTransaction() }
            #expect(error.code == .producerFenced)
            #expect(try await kafkaError { try await producer.beginTransaction() }.code == .producerFenced)
            try await successor.withTransaction { transaction in
                try await transaction.enqueue(record(fixture, "newer"))
            }
            await producer.close()
            await successor.close()
            #expect(try await committed(fixture) == ["new", "newer"])
        }

        /// A record that the broker rejects fails its transaction, but no later one.
        @Test(arguments: KafkaHome.all) func rejectedRecord(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home)
            let small = uniqueName()
            try await fixture.client.admin.createTopic(
                small, partitions: 1, configs: ["max.message.bytes": "1000"])
            let producer = fixture.client.producer()
            for round in 0..<3 {
                let error = try await kafkaError {
                    try await producer.withTransaction { transaction in
                        try await transaction.enqueue(record(fixture, "spoiled \(round)"))
                        try await transaction.enqueue(
                            ProducerRecord(topic: small, value: [UInt8](repeating: 1, count: 2000)))
                    }
                }
                #expect(error.code == .messageTooLarge)
                try await producer.withTransaction { transaction in
                    try await transaction.enqueue(record(fixture, "\(round)"))
                }
            }
            await producer.close()
            #expect(try await committed(fixture) == ["0", "1", "2"])
        }

        @Test(arguments: KafkaHome.all) func refusedTimeout(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home, ["transaction.timeout.ms": "2000000000"])
            let producer = fixture.client.producer()
            let error = try await kafkaError { try await producer.initTransactions() }
            #expect(error.code == .invalidTransactionTimeout)
            await producer.close()
        }

        /// The coordinator aborts a transaction after its timeout, for which it checks every ten seconds.
        @Test(needsLongTests, arguments: KafkaHome.all) func timeout(_ home: KafkaHome) async throws {
            let fixture = try await fixture(home, ["transaction.timeout.ms": "1000"])
            let producer = fixture.client.producer()
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(record(fixture, "late"))
            try await eventually("the transaction is aborted", timeout: .seconds(60), every: .milliseconds(200)) {
                let ends = try await fixture.client.admin.listOffsets([fixture.partition(): .latest])
                return ends[fixture.partition()]?.offset ?? 0 > 1
            }
            _ = try await kafkaError { try await producer.commitTransaction() }
            let error = try await kafkaError { try await producer.beginTransaction() }
            // If the producer has the last epoch before the abort (KIP-890), the error is about the state.
            #expect(error.code == .producerFenced || error.code == .invalidTxnState)
            await producer.close()
            let another = fixture.client.producer()
            try await another.withTransaction { transaction in try await transaction.enqueue(record(fixture, "x")) }
            await another.close()
            #expect(try await committed(fixture) == ["x"])
        }
    }
}
