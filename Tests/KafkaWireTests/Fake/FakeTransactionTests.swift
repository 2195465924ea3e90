import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Transactions in the fake, request by request")
struct FakeTransactionTests {
    /// A transactional client that sends exactly the requests of a test.
    private struct Producer {
        let connection: NegotiatedConnection
        let id = "tx"
        var producerID: Int64 = -1
        var epoch: Int16 = -1

        init(_ cluster: Cluster) async throws {
            connection = try await cluster.anyConnection()
        }

        @discardableResult
        mutating func initialize(_ known: (Int64, Int16)? = nil, timeoutMs: Int32 = 60_000) async throws -> ErrorCode {
            let request = InitProducerIdRequest(
                transactionalId: id, transactionTimeoutMs: timeoutMs, producerId: known?.0 ?? -1,
                producerEpoch: known?.1 ?? -1)
            let response = try await connection.call(request, timeout: .seconds(10))
            if response.errorCode == 0 { (producerID, epoch) = (response.producerId, response.producerEpoch) }
            return ErrorCode(rawValue: response.errorCode)
        }

        func add(_ partition: TopicPartition) async throws -> ErrorCode {
            let topics = [AddPartitionsToTxnRequest.Topic(name: partition.topic, partitions: [partition.partition])]
            let request = AddPartitionsToTxnRequest(
                v3AndBelowTransactionalId: id, v3AndBelowProducerId: producerID, v3AndBelowProducerEpoch: epoch,
                v3AndBelowTopics: topics)
            let response = try await connection.call(request, timeout: .seconds(10))
            let result = try #require(response.resultsByTopicV3AndBelow.first?.resultsByPartition.first)
            return ErrorCode(rawValue: result.partitionErrorCode)
        }

        func write(_ partition: TopicPartition, _ sequence: Int32, _ values: [String]) async throws -> ErrorCode {
            let batch = ByteSlice(try transactionalBatch(producerID, epoch, sequence, values))
            let version = try connection.version(for: ProduceRequest.self)
            let topicID = version >= 13 ? try await topicID(partition.topic) : .zero
            let request = ProduceRequest(
                transactionalId: id, acks: -1, timeoutMs: 1000,
                topicData: [
                    .init(
                        name: version >= 13 ? "" : partition.topic, topicId: topicID,
                        partitionData: [.init(index: partition.partition, records: batch)])
                ])
            let response = try await connection.call(request, timeout: .seconds(10))
            return ErrorCode(rawValue: try #require(response.responses.first?.partitionResponses.first).errorCode)
        }

        private func topicID(_ name: String) async throws -> KafkaUUID {
            let response = try await connection.call(
                MetadataRequest(topics: [.init(name: name)]), timeout: .seconds(10))
            return try #require(response.topics.first).topicId
        }

        /// Ends the transaction, and adopts the id and epoch in the response if there are any.
        mutating func end(commit: Bool) async throws -> ErrorCode {
            let request = EndTxnRequest(
                transactionalId: id, producerId: producerID, producerEpoch: epoch, committed: commit)
            let response = try await connection.call(request, timeout: .seconds(10))
            if response.errorCode == 0, response.producerId >= 0 {
                (producerID, epoch) = (response.producerId, response.producerEpoch)
            }
            return ErrorCode(rawValue: response.errorCode)
        }
    }

    /// The versions of brokers before Kafka 4.
    private static let version1 = SpokenVersions.latest.with(.endTxn, 0...4).with(.produce, 3...11)
        .with(.addPartitionsToTxn, 0...3).with(.txnOffsetCommit, 0...4).with(feature: "transaction.version", 0)
    /// Clients don't use later versions of AddPartitionsToTxn.
    private static let version2 = SpokenVersions.latest.with(.addPartitionsToTxn, 0...3)

    private let partition = TopicPartition("t")

    @Test("version 1: a partition is added first, the epoch stays, and a second producer fences the first")
    func version1() async throws {
        try await withFake(versions: Self.version1) { fake, cluster in
            fake.createTopic("t")
            var first = try await Producer(cluster)
            try await first.initialize()
            #expect(first.epoch == 0)
            #expect(try await first.write(partition, 0, ["a"]) == .transactionAbortable)
            #expect(try await first.add(partition) == .none)
            #expect(try await first.write(partition, 0, ["a"]) == .none)
            #expect(fake.lastStableOffset(of: partition) == 0)
            #expect(try await first.end(commit: true) == .none)
            #expect(first.epoch == 0)
            #expect(fake.lastStableOffset(of: partition) == 2)
            #expect(try await first.end(commit: true) == .none)
            #expect(try await first.end(commit: false) == .invalidTxnState)

            #expect(try await first.add(partition) == .none)
            #expect(try await first.write(partition, 1, ["b"]) == .none)
            var second = try await Producer(cluster)
            #expect(try await second.initialize() == .concurrentTransactions)
            #expect(try await second.initialize() == .none)
            #expect(second.epoch == 2)
            #expect(try await first.write(partition, 2, ["c"]) == .invalidProducerEpoch)
            #expect(try await first.add(partition) == .producerFenced)
            #expect(try await first.end(commit: true) == .producerFenced)
            #expect(try await second.initialize((second.producerID, 2)) == .none)
            #expect(second.epoch == 3)
            #expect(try await second.initialize((second.producerID, 2)) == .none)
            #expect(second.epoch == 3)
            #expect(try await second.initialize((second.producerID, 1)) == .producerFenced)
            #expect(try fake.log(of: partition).map(\.value) == ["a", "b"])
        }
    }

    @Test("version 2: writing adds the partition, and each end returns the next epoch")
    func version2() async throws {
        try await withFake(versions: Self.version2) { fake, cluster in
            fake.createTopic("t")
            var producer = try await Producer(cluster)
            #expect(producer.connection.features["transaction.version"] == 2)
            try await producer.initialize()
            for round in Int16(0)..<3 {
                #expect(producer.epoch == round)
                #expect(try await producer.write(partition, 0, ["a\(round)"]) == .none)
                #expect(try await producer.write(partition, 1, ["b\(round)"]) == .none)
                #expect(try await producer.end(commit: round != 1) == .none)
            }
            // The response is lost, and the request is retried.
            producer.epoch = 2
            #expect(try await producer.end(commit: true) == .none)
            #expect(producer.epoch == 3)
            producer.epoch = 2
            #expect(try await producer.write(partition, 2, ["c"]) == .invalidProducerEpoch)
            producer.epoch = 3
            #expect(try await producer.end(commit: true) == .invalidTxnState)
            #expect(try await producer.end(commit: false) == .none)
            #expect(producer.epoch == 4)
        }
    }

    @Test("a transaction that times out is aborted, and its producer is fenced")
    func timeout() async throws {
        try await withFake(versions: Self.version2, time: .still) { fake, cluster in
            fake.createTopic("t")
            var producer = try await Producer(cluster)
            #expect(try await producer.initialize(timeoutMs: 0) == .invalidTransactionTimeout)
            #expect(try await producer.initialize(timeoutMs: 900_001) == .invalidTransactionTimeout)
            try await producer.initialize(timeoutMs: 5000)
            #expect(try await producer.write(partition, 0, ["a"]) == .none)
            fake.advance(by: .milliseconds(4999))
            #expect(fake.lastStableOffset(of: partition) == 0)
            fake.advance(by: .milliseconds(1))
            #expect(fake.lastStableOffset(of: partition) == 2)
            #expect(try await producer.end(commit: true) == .producerFenced)
            #expect(try await producer.write(partition, 1, ["b"]) == .invalidProducerEpoch)
        }
    }

    @Test("a read_committed fetch waits for the end, and lists aborted transactions")
    func fetch() async throws {
        try await withFake(versions: Self.version2) { fake, cluster in
            fake.createTopic("t")
            var producer = try await Producer(cluster)
            try await producer.initialize()
            #expect(try await producer.write(partition, 0, ["a"]) == .none)
            let topicID = try #require(try await cluster.describe(topics: ["t"]).first?.id)
            let reader = try await cluster.connection(to: 1, role: .fetch)
            let request = FetchRequest(
                maxWaitMs: 10_000, minBytes: 1, isolationLevel: 1,
                topics: [.init(topicId: topicID, partitions: [.init(fetchOffset: 0, partitionMaxBytes: 1 << 20)])])
            async let answer = reader.call(request, timeout: .seconds(20))
            #expect(try await producer.end(commit: false) == .none)
            let data = try #require(try await answer.responses.first?.partitions.first)
            #expect(data.lastStableOffset == 2 && data.highWatermark == 2)
            #expect(data.abortedTransactions == [.init(producerId: producer.producerID, firstOffset: 0)])
            #expect(data.records?.count == fake.batches(of: partition).reduce(0) { $0 + $1.count })
        }
    }
}
