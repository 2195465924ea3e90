import KafkaFake
import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

@Suite("A producer's transactions", .timeLimit(.minutes(1)))
struct TransactionTests {
    private let partition = TopicPartition("t")
    private static let version1 = SpokenVersions.latest.with(feature: "transaction.version", 1)
    /// Clusters with each version of transactions.
    private static let versions = [SpokenVersions.latest, version1]

    private func record(_ value: String, partition: Int32 = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8))
    }

    private func withProducer(
        brokers: Int = 1, versions: SpokenVersions, properties: [String: String] = [:],
        _ body: (FakeCluster, Cluster, KafkaProducer) async throws -> Void
    ) async throws {
        let own = ["transactional.id": "tx", "linger.ms": "0"].merging(properties) { $1 }
        try await withFake(brokers: brokers, versions: versions, properties: own) { fake, cluster in
            fake.createTopic("t", partitions: 3)
            let producer = KafkaProducer(cluster: cluster)
            try await body(fake, cluster, producer)
            await producer.close()
        }
    }

    /// The values that a consumer with `read_committed` reads.
    private func committed(_ fake: FakeCluster, _ partition: TopicPartition) throws -> [String] {
        try fake.committedValues(of: partition)
    }

    @Test("committed records are read, aborted records are not, in consecutive transactions", arguments: 0..<2)
    func commitAndAbort(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            try await producer.initTransactions()
            for round in 0..<10 {
                try await producer.beginTransaction()
                for index in 0..<5 {
                    _ = try await producer.enqueue(record("\(round).\(index)", partition: Int32(index % 2)))
                }
                if round % 3 == 2 {
                    try await producer.abortTransaction()
                } else {
                    try await producer.commitTransaction()
                }
            }
            for partition in 0..<2 {
                let expected = (0..<10).filter { $0 % 3 != 2 }.flatMap { round in
                    stride(from: partition, to: 5, by: 2).map { "\(round).\($0)" }
                }
                #expect(try committed(fake, TopicPartition("t", Int32(partition))) == expected)
            }
            #expect(fake.count(.addPartitionsToTxn) == 0 || round == 1)
        }
    }

    @Test(
        "withTransaction commits when the closure returns; if it throws, withTransaction aborts and rethrows",
        arguments: 0..<2)
    func scoped(round: Int) async throws {
        struct Failed: Error {}
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            let offset = try await producer.withTransaction { transaction in
                try await transaction.enqueue(record("a"))
                return try await transaction.send(record("b")).offset
            }
            #expect(offset == 1)
            await #expect(throws: Failed.self) {
                try await producer.withTransaction { transaction in
                    try await transaction.enqueue(record("c"))
                    throw Failed()
                }
            }
            try await producer.withTransaction { transaction in try await transaction.enqueue(record("d")) }
            #expect(try committed(fake, partition) == ["a", "b", "d"])
        }
    }

    @Test("a cancelled task leaves no transaction open", arguments: 0..<2)
    func cancelled(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            let task = Task {
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(record("a"))
                    try await Task.sleep(for: .seconds(60))
                }
            }
            try await eventually("the record is written") { fake.offsets(of: partition)?.upperBound == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await producer.withTransaction { transaction in try await transaction.enqueue(record("b")) }
            #expect(try committed(fake, partition) == ["b"])
        }
    }

    @Test("a group's offsets take effect only if the transaction commits", arguments: 0..<2)
    func offsets(round: Int) async throws {
        let group = ConsumerGroupMetadata(groupID: "g")
        try await withProducer(brokers: 3, versions: Self.versions[round]) { fake, _, producer in
            try await producer.initTransactions()
            for (offset, isCommitted) in [(5, true), (9, false), (7, true)] as [(Int64, Bool)] {
                try await producer.beginTransaction()
                _ = try await producer.enqueue(record("\(offset)", partition: 1))
                try await producer.sendOffsets([partition: OffsetAndMetadata(offset)], group: group)
                if isCommitted { try await producer.commitTransaction() } else { try await producer.abortTransaction() }
                #expect(fake.committedOffset(group: "g", of: partition) == (offset == 9 ? 5 : offset))
            }
            // A transaction may consist of offsets only. Without offsets there is none.
            try await producer.beginTransaction()
            try await producer.sendOffsets([:], group: group)
            try await producer.sendOffsets([partition: OffsetAndMetadata(11)], group: group)
            try await producer.commitTransaction()
            #expect(fake.committedOffset(group: "g", of: partition) == 11)
        }
    }

    @Test("an empty transaction sends no request", arguments: 0..<2)
    func empty(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            try await producer.initTransactions()
            fake.clearRequests()
            for _ in 0..<3 {
                try await producer.beginTransaction()
                try await producer.commitTransaction()
                try await producer.beginTransaction()
                try await producer.abortTransaction()
            }
            #expect(fake.requests.isEmpty)
        }
    }

    @Test(
        "another producer with the same id fences this one, whose calls and records fail with PRODUCER_FENCED",
        arguments: 0..<2)
    func fencing(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, cluster, producer in
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(record("old"))
            let successor = KafkaProducer(cluster: cluster)
            try await successor.initTransactions()
            let late = try await producer.enqueue(record("late"))
            await #expect(throws: KafkaError.self) { _ = try await late.metadata }
            await #expect(throws: KafkaError.self) { try await producer.commitTransaction() }
            let error = await #expect(throws: KafkaError.self) { try await producer.abortTransaction() }
            #expect(error?.code == .producerFenced)
            for _ in 0..<2 {
                let again = await #expect(throws: KafkaError.self) { try await producer.beginTransaction() }
                #expect(again?.code == .producerFenced && again?.isFatal == true && again?.requiresAbort == false)
            }
            try await successor.withTransaction { transaction in try await transaction.enqueue(record("new")) }
            await successor.close()
            #expect(try committed(fake, partition) == ["new"])
        }
    }

    @Test("records outside of a transaction and calls in the wrong order are refused", arguments: 0..<2)
    func misuse(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            func refused(_ body: () async throws -> Void) async {
                let error = await #expect(throws: KafkaError.self) { try await body() }
                #expect(error?.code == .invalidTxnState)
            }
            await refused { _ = try await producer.send(record("x")) }
            await refused { try await producer.beginTransaction() }
            try await producer.initTransactions()
            await refused { _ = try await producer.send(record("x")) }
            await refused { try await producer.initTransactions() }
            await refused { try await producer.commitTransaction() }
            await refused { try await producer.abortTransaction() }
            try await producer.beginTransaction()
            await refused { try await producer.beginTransaction() }
            try await producer.commitTransaction()
            #expect(fake.offsets(of: partition)?.isEmpty == true)
        }
        try await withFake { fake, cluster in
            let producer = KafkaProducer(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) { try await producer.initTransactions() }
            #expect(error?.code == .invalidConfig)
            await producer.close()
        }
        let error = #expect(throws: KafkaError.self) {
            try ClientConfiguration(
                bootstrapServers: "127.0.0.1:1", properties: ["transactional.id": "tx", "acks": "1"])
        }
        #expect(error?.code == .invalidConfig)
    }

    @Test("an abort drops unsent records, whose deliveries fail", arguments: 0..<2)
    func dropped(round: Int) async throws {
        try await withProducer(versions: Self.versions[round], properties: ["linger.ms": "3600000"]) {
            fake, _, producer in
            try await producer.initTransactions()
            try await producer.beginTransaction()
            let delivery = try await producer.enqueue(record("x"))
            try await producer.abortTransaction()
            let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
            #expect(error?.code == .operationNotAttempted)
            #expect(fake.count(.endTxn) == 0)
            try await producer.withTransaction { transaction in try await transaction.enqueue(record("y")) }
            #expect(try committed(fake, partition) == ["y"])
        }
    }

    @Test(
        "after a record failed permanently the transaction must be aborted, and the next one succeeds",
        arguments: 0..<2,
        [
            Fault.error(.topicAuthorizationFailed), .error(.invalidRecord), .error(.transactionAbortable),
            .errorAfterwards(.topicAuthorizationFailed),
        ])
    func spoiled(round: Int, fault: Fault) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(record("a"))
            fake.inject(fault, into: .produce)
            let delivery = try await producer.enqueue(record("b"))
            let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
            #expect(error?.isFromBroker == true)
            // Further records are refused, and the commit throws the reason.
            let refused = await #expect(throws: KafkaError.self) { _ = try await producer.enqueue(record("c")) }
            #expect(refused?.code == error?.code)
            let commit = await #expect(throws: KafkaError.self) { try await producer.commitTransaction() }
            #expect(commit?.code == error?.code && commit?.requiresAbort == true && commit?.isFatal == false)
            try await producer.abortTransaction()
            for index in 0..<3 {
                try await producer.withTransaction { transaction in try await transaction.enqueue(record("\(index)")) }
            }
            #expect(try committed(fake, partition) == ["0", "1", "2"])
        }
    }

    @Test("withTransaction aborts if the commit fails because of a record, and can be repeated", arguments: 0..<2)
    func spoiledCommit(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            for isRefusedAtTheEnd in [false, true] {
                if isRefusedAtTheEnd {
                    fake.inject(.error(.transactionAbortable), into: .endTxn)
                } else {
                    fake.inject(.error(.topicAuthorizationFailed), into: .produce)
                }
                await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { transaction in try await transaction.enqueue(record("x")) }
                }
                try await producer.withTransaction { transaction in try await transaction.enqueue(record("y")) }
            }
            #expect(try committed(fake, partition) == ["y", "y"])
        }
    }

    @Test(
        "requests are retried if a coordinator moves, is loading, is busy or closes the connection", arguments: 0..<2,
        [
            Fault.error(.concurrentTransactions), .error(.coordinatorLoadInProgress), .error(.notCoordinator),
            .error(.coordinatorNotAvailable), .hangUp(.beforehand), .hangUp(.beforeAnswer), .hangUp(.withinAnswer),
        ])
    func retried(round: Int, fault: Fault) async throws {
        try await withProducer(brokers: 2, versions: Self.versions[round]) { fake, _, producer in
            fake.inject(fault, into: .initProducerID, times: 2)
            try await producer.initTransactions()
            for index in 0..<3 {
                fake.inject(fault, into: .endTxn)
                fake.inject(fault, into: .txnOffsetCommit)
                if round == 1 {
                    fake.inject(fault, into: .addPartitionsToTxn)
                    fake.inject(fault, into: .addOffsetsToTxn)
                }
                try await producer.withTransaction { transaction in
                    try await transaction.enqueue(record("\(index)"))
                    try await transaction.sendOffsets(
                        [partition: OffsetAndMetadata(Int64(index))], group: ConsumerGroupMetadata(groupID: "g"))
                }
                #expect(fake.committedOffset(group: "g", of: partition) == Int64(index))
            }
            #expect(try committed(fake, partition) == ["0", "1", "2"])
        }
    }

    @Test("a commit that times out after max.block.ms can be repeated", arguments: 0..<2)
    func commitAgain(round: Int) async throws {
        try await withProducer(versions: Self.versions[round], properties: ["max.block.ms": "4000"]) {
            fake, _, producer in
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(record("a"))
            fake.inject(.error(.coordinatorNotAvailable), into: .endTxn, times: 100_000)
            let error = await #expect(throws: KafkaError.self) { try await producer.commitTransaction() }
            #expect(error?.isRetriable == true)
            await #expect(throws: KafkaError.self) { try await producer.abortTransaction() }
            fake.clearFaults()
            try await producer.commitTransaction()
            #expect(try committed(fake, partition) == ["a"])
            try await producer.withTransaction { transaction in try await transaction.enqueue(record("b")) }
        }
    }

    @Test("an ended transaction accepts no records, even while the next one is in progress", arguments: 0..<2)
    func endedTransaction(round: Int) async throws {
        try await withProducer(versions: Self.versions[round]) { fake, _, producer in
            let ended = try await producer.withTransaction { transaction in
                try await transaction.enqueue(record("0"))
                return transaction
            }
            let group = ConsumerGroupMetadata(groupID: "g")
            func expectRefused() async {
                let errors = [
                    await #expect(throws: KafkaError.self) { _ = try await ended.enqueue(record("x")) },
                    await #expect(throws: KafkaError.self) { _ = try await ended.send(record("x")) },
                    await #expect(throws: KafkaError.self) {
                        try await ended.sendOffsets([partition: OffsetAndMetadata(1)], group: group)
                    },
                ]
                for error in errors { #expect(error?.code == .invalidTxnState) }
            }
            await expectRefused()
            try await producer.withTransaction { transaction in
                await expectRefused()
                try await transaction.enqueue(record("1"))
            }
            #expect(try committed(fake, partition) == ["0", "1"])
            #expect(fake.committedOffset(group: "g", of: partition) == nil)
        }
    }

    @Test(
        "random faults: each transaction is written completely and once, or not at all",
        arguments: 0..<UInt64(LongTests.count(8, quick: 4)))
    func mixture(seed: UInt64) async throws {
        let faults: [(Fault, produceOnly: Bool)] = [
            (.error(.notLeaderOrFollower), true), (.errorAfterwards(.requestTimedOut), true),
            (.error(.corruptMessage), true), (.error(.topicAuthorizationFailed), true),
            (.hangUp(.beforehand), false), (.hangUp(.beforeAnswer), false), (.hangUp(.withinAnswer), false),
            (.late(.milliseconds(5)), false), (.inPieces(3), false), (.error(.coordinatorLoadInProgress), false),
        ]
        let properties = ["batch.size": "150", "retry.backoff.ms": "1"]
        try await withProducer(brokers: 2, versions: Self.versions[Int(seed % 2)], properties: properties) {
            fake, _, producer in
            var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
            func chance(_ below: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % below
            }
            struct Failed: Error {}
            var expected: [[String]] = [[], [], []]
            for round in 0..<40 {
                if chance(2) == 0 {
                    let (fault, produceOnly) = faults[chance(faults.count)]
                    fake.inject(fault, into: produceOnly || chance(2) == 0 ? .produce : .endTxn)
                }
                if chance(10) == 0 { fake.elect(Int32(1 + chance(2)), for: TopicPartition("t", Int32(chance(3)))) }
                let fails = chance(8) == 0
                do {
                    try await producer.withTransaction { transaction in
                        for index in 0..<20 {
                            try await transaction.enqueue(record("\(round).\(index)", partition: Int32(index % 3)))
                        }
                        if fails { throw Failed() }
                    }
                    for index in 0..<20 { expected[index % 3].append("\(round).\(index)") }
                } catch is Failed {
                } catch let error as KafkaError {
                    #expect(error.code == .topicAuthorizationFailed, "\(error)")
                }
                fake.clearFaults()
            }
            for index in 0..<3 {
                #expect(try committed(fake, TopicPartition("t", Int32(index))) == expected[index])
            }
        }
    }
}
