import Concurrency
import KafkaFake
import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

@Suite("A producer and failures", .timeLimit(.minutes(1)))
struct ProducerFaultTests {
    private let partition = TopicPartition("t")
    /// Settings for small batches, several of which are in flight.
    private let small = ["batch.size": "200", "linger.ms": "0"]

    private func record(_ value: String, partition: Int32 = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8))
    }

    /// Sends records, calls `during` before each, and returns the reported offsets.
    private func send(
        _ producer: KafkaProducer, _ count: Int, during: (Int) throws -> Void = { _ in }
    ) async throws -> [Int64] {
        var deliveries: [Delivery] = []
        for index in 0..<count {
            try during(index)
            deliveries.append(try await producer.enqueue(record("\(index)")))
        }
        var offsets: [Int64] = []
        for delivery in deliveries { offsets.append(try await delivery.metadata.offset) }
        return offsets
    }

    @Test(
        "with several batches in flight, each is written once and in order, whatever the broker returns",
        arguments: [
            Fault.error(.notLeaderOrFollower), .error(.notEnoughReplicas), .error(.requestTimedOut),
            .error(.unknownTopicOrPartition), .error(.leaderNotAvailable), .error(.outOfOrderSequenceNumber),
            .error(.corruptMessage), .errorAfterwards(.requestTimedOut),
            .errorAfterwards(.notEnoughReplicasAfterAppend), .errorAfterwards(.duplicateSequenceNumber),
            .hangUp(.beforehand), .hangUp(.beforeAnswer), .hangUp(.withinAnswer), .hangUp(.afterAnswer),
            .wrongCorrelationID, .unreadable, .late(.milliseconds(20)), .inPieces(2),
        ])
    func order(fault: Fault) async throws {
        try await withFake(properties: small) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let count = LongTests.count(300, quick: 150)
            let offsets = try await send(producer, count) { index in
                if index % 50 == 20 { fake.inject(fault, into: .produce, times: 2) }
            }
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<Int64(count)))
            // A batch that was written before a retry has no reported offset.
            #expect(offsets.enumerated().allSatisfy { $1 == Int64($0) || $1 == -1 })
        }
    }

    @Test("records are written once and in order although leaders move between several brokers", arguments: 0..<3)
    func leaderMoves(round: Int) async throws {
        try await withFake(brokers: 3, properties: small) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            var deliveries: [Delivery] = []
            for index in 0..<300 {
                if index % 30 == 10 {
                    fake.elect(Int32((index / 30 + round) % 3) + 1, for: TopicPartition("t", Int32(index / 30 % 2)))
                }
                for partition in Int32(0)..<2 {
                    deliveries.append(try await producer.enqueue(record("\(index)", partition: partition)))
                }
            }
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
            for partition in Int32(0)..<2 {
                #expect(try fake.log(of: TopicPartition("t", partition)) == numbered(0..<300))
            }
        }
    }

    @Test("records are written once and in order although a broker stops and restarts")
    func brokerAway() async throws {
        try await withFake(properties: small) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            var deliveries: [Delivery] = []
            for index in 0..<300 {
                if index % 100 == 50 {
                    await fake.stop(broker: 1)
                    try fake.start(broker: 1)
                }
                deliveries.append(try await producer.enqueue(record("\(index)")))
            }
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<300))
        }
    }

    @Test(
        "random faults: the log has each record once and in order",
        arguments: 0..<UInt64(LongTests.count(6, quick: 3)))
    func mixture(seed: UInt64) async throws {
        let faults: [Fault] = [
            .error(.notLeaderOrFollower), .error(.corruptMessage), .errorAfterwards(.requestTimedOut),
            .hangUp(.beforehand), .hangUp(.beforeAnswer), .hangUp(.withinAnswer), .late(.milliseconds(5)),
            .inPieces(5), .wrongCorrelationID, .error(.notEnoughReplicas),
        ]
        try await withFake(brokers: 2, properties: small) { fake, cluster in
            fake.createTopic("t", partitions: 3)
            let producer = KafkaProducer(cluster: cluster)
            var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
            func chance(_ below: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % below
            }
            var deliveries: [Delivery] = []
            for index in 0..<300 {
                if chance(12) == 0 { fake.inject(faults[chance(faults.count)], into: .produce, times: 1 + chance(3)) }
                if chance(40) == 0 {
                    fake.elect(Int32(1 + chance(2)), for: TopicPartition("t", Int32(chance(3))))
                }
                for partition in Int32(0)..<3 {
                    deliveries.append(try await producer.enqueue(record("\(index)", partition: partition)))
                }
            }
            fake.clearFaults()
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
            for partition in Int32(0)..<3 {
                #expect(try fake.log(of: TopicPartition("t", partition)) == numbered(0..<300))
            }
        }
    }

    @Test("a permanent failure of one partition doesn't duplicate the batch of another")
    func otherPartitionsFailure() async throws {
        try await withFake(properties: ["linger.ms": "0", "retry.backoff.ms": "50"]) { fake, cluster in
            fake.createTopic("t", partitions: 2, maximumMessageBytes: 1000)
            let producer = KafkaProducer(cluster: cluster)
            for partition in Int32(0)..<2 { _ = try await producer.send(record("0", partition: partition)) }
            // Partition 0's batch is written, but the producer doesn't know; partition 1's is refused permanently.
            fake.inject(.errorAfterwards(.requestTimedOut), into: .produce, partition: TopicPartition("t", 0))
            let unsure = try await producer.enqueue(record("1"))
            let tooLarge = try await producer.enqueue(record(String(repeating: "x", count: 2000), partition: 1))
            let error = await #expect(throws: KafkaError.self) { _ = try await tooLarge.metadata }
            #expect(error?.code == .messageTooLarge)
            _ = try await unsure.metadata
            for partition in Int32(0)..<2 { _ = try await producer.send(record("last", partition: partition)) }
            await producer.close()
            #expect(try fake.log(of: TopicPartition("t", 0)).map(\.value) == ["0", "1", "last"])
            #expect(try fake.log(of: TopicPartition("t", 1)).map(\.value) == ["0", "last"])
        }
    }

    @Test("a record that isn't delivered within delivery.timeout.ms fails, and the producer continues")
    func deliveryTimeout() async throws {
        try await withFake(properties: ["delivery.timeout.ms": "150", "linger.ms": "0"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.error(.notEnoughReplicas), into: .produce, times: 100_000)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("x")) }
            #expect(error.map { [.requestTimedOut, .notEnoughReplicas].contains($0.code) } == true)
            fake.clearFaults()
            // On a busy machine even the first attempt may take too long.
            while (try? await producer.send(record("y"))) == nil {}
            await producer.close()
            let values = try fake.log(of: partition).map(\.value)
            #expect(values.contains("y"))
            // If a record timed out during a request, the broker may still have executed the request.
            let others = values.filter { $0 != "y" }
            #expect(others.isEmpty || error?.code == .requestTimedOut && others == ["x"], "\(values)")
        }
    }

    @Test("with a broker that never returns, records fail in time, and close ends")
    func goneForGood() async throws {
        try await withFake(properties: ["delivery.timeout.ms": "100", "linger.ms": "0"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            try await producer.ready(for: "t")
            await fake.stop(broker: 1)
            let first = try await producer.enqueue(record("x"))
            let second = try await producer.enqueue(record("y"))
            for delivery in [first, second] {
                await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
            }
            await producer.close()
        }
    }

    @Test("a permanent error fails the record with the broker's code and message")
    func finalError() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            fake.inject(.error(.topicAuthorizationFailed), into: .produce)
            let producer = KafkaProducer(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("x")) }
            #expect(error?.code == .topicAuthorizationFailed)
            #expect(error?.isFromBroker == true)
            #expect(error?.partition == 0)
            let metadata = try await producer.send(record("0"))
            #expect(metadata.offset == 0)
            await producer.close()
        }
    }

    @Test("if the cluster refuses a producer id, the waiting records fail with the reason, and later ones don't")
    func noIdentity() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            fake.inject(.error(.clusterAuthorizationFailed), into: .initProducerID)
            let producer = KafkaProducer(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("x")) }
            #expect(error?.code == .clusterAuthorizationFailed)
            let metadata = try await producer.send(record("0"))
            #expect(metadata.offset == 0)
            await producer.close()
        }
    }

    @Test("a wait for room ends even if the memory is freed before the wait begins")
    func roomRace() async throws {
        var configuration = ProducerConfiguration()
        configuration.bufferMemory = 1500
        configuration.batchSize = 500
        configuration.linger = .seconds(3600)
        let accumulator = Accumulator(configuration: configuration, pool: BufferPool(limit: 0), timing: Timing())
        accumulator.add(topic: "t", partitionCount: 2)
        func append(_ count: Int, _ partition: Int32) throws -> Accumulator.Appended {
            let value = [UInt8](repeating: 1, count: count)
            return unsafe try accumulator.append(
                topic: "t", partition: partition, key: nil, value: value.span.bytes, headers: [], timestamp: 0)
        }
        // Another partition's open batch lingers for an hour.
        guard case .appended = try append(10, 1) else { throw Failed() }
        guard case .appended = try append(400, 0), case .appended = try append(400, 0) else { throw Failed() }
        guard case .full = try append(400, 0) else { throw Failed() }
        var count = 0
        let identity = ProducerIdentity(id: 1, epoch: 0)
        while let taken = accumulator.takeBatches(of: [partition], numbering: .idempotent(identity), room: .max).first {
            accumulator.succeeded(taken.batch.outcome, .init(baseOffset: 0, logAppendTime: -1))
            count += 1
        }
        #expect(count > 0)
        await accumulator.waitForRoom()
        guard case .appended = try append(400, 0) else { throw Failed() }
    }

    private struct Failed: Error {}
}
