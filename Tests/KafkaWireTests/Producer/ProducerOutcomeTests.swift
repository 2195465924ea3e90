import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Batches with an unknown outcome", .timeLimit(.minutes(1)))
struct ProducerOutcomeTests {
    private let partition = TopicPartition("t")

    private func record(_ value: String) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: 0, value: Array(value.utf8))
    }

    /// Writes two batches whose responses are lost. The first one expires and is abandoned when the connection ends.
    ///
    /// - Parameter fault: The fault that the retry of the second batch meets.
    private func withTwoOpenBatches(
        meeting fault: Fault? = nil, _ body: (FakeCluster, KafkaProducer, Delivery) async throws -> Void
    ) async throws {
        let clock = ShiftedClock()
        let properties = ["linger.ms": "0", "delivery.timeout.ms": "60000"]
        try await withFake(properties: properties, timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record("0"))
            fake.inject(.silence, into: .produce)
            let first = try await producer.enqueue(record("1"))
            try await eventually("the first batch is written") { fake.offsets(of: partition)?.upperBound == 2 }
            clock.advance(.seconds(40))
            let second = try await producer.enqueue(record("2"))
            try await eventually("the second batch is written") { fake.offsets(of: partition)?.upperBound == 3 }
            clock.advance(.seconds(40))
            if let fault { fake.inject(fault, into: .produce) }
            fake.hangUp(broker: 1)
            let error = await #expect(throws: KafkaError.self) { _ = try await first.metadata }
            // It has expired, and the connection was lost: the producer reports whichever it detects first.
            #expect(error?.code == .networkException || error?.code == .requestTimedOut)
            try await body(fake, producer, second)
            await producer.close()
        }
    }

    @Test("the batch behind an abandoned one isn't written twice")
    func notTwice() async throws {
        try await withTwoOpenBatches { fake, producer, second in
            let metadata = try await second.metadata
            #expect(metadata.offset == 2)
            let next = try await producer.send(record("3"))
            #expect(next.offset == 3)
            #expect(try fake.log(of: partition) == numbered(0..<4))
        }
    }

    @Test("a batch that is then out of order fails, and isn't sent with another sequence number")
    func outOfOrder() async throws {
        try await withTwoOpenBatches(meeting: .error(.outOfOrderSequenceNumber)) { fake, producer, second in
            let error = await #expect(throws: KafkaError.self) { _ = try await second.metadata }
            #expect(error?.code == .outOfOrderSequenceNumber)
            let next = try await producer.send(record("3"))
            #expect(next.offset == 3)
            #expect(try fake.log(of: partition) == numbered(0..<4))
        }
    }

    @Test(
        "the broker's errors after which the outcome is unknown",
        arguments: [
            (.requestTimedOut, true), (.notEnoughReplicasAfterAppend, true), (.notLeaderOrFollower, true),
            (.unknownServerError, true), (.kafkaStorageError, true), (.notEnoughReplicas, false),
            (.messageTooLarge, false), (.outOfOrderSequenceNumber, false), (.corruptMessage, false),
            (.topicAuthorizationFailed, false), (.invalidTxnState, false), (.concurrentTransactions, false),
        ] as [(ErrorCode, Bool)])
    func openErrors(code: ErrorCode, isOpen: Bool) {
        #expect(KafkaError(code, "", isFromBroker: true).leavesOpenWhetherWritten == isOpen)
        #expect(KafkaError(code, "").leavesOpenWhetherWritten)
    }

    @Test("a base offset that leaves no room for the batch's records is reported as unknown")
    func impossibleOffset() async throws {
        let outcome = BatchOutcome(partition: partition)
        let deliveries = (0..<2).map { Delivery(batch: outcome, index: $0, timestamp: 7) }
        outcome.settle(.success(.init(baseOffset: .max, logAppendTime: -1)))
        #expect(try await deliveries[0].metadata.offset == .max)
        #expect(try await deliveries[1].metadata.offset == -1)
    }
}
