import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Delivery timeouts, and fairness between partitions", .timeLimit(.minutes(1)))
struct ProducerDeadlineTests {
    private let partition = TopicPartition("t")
    private let other = TopicPartition("t", 1)

    private func record(_ value: String, partition: Int32 = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8))
    }

    // MARK: Time

    @Test("delivery.timeout.ms limits records in flight to a silent broker, however long request.timeout.ms is")
    func silentBroker() async throws {
        let properties = ["request.timeout.ms": "3600000", "delivery.timeout.ms": "1000", "linger.ms": "0"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            try await sendUntilDelivered("0", producer)
            let requests = fake.count(.produce)
            fake.inject(.silence, into: .produce)
            let delivery = try await producer.enqueue(record("1"))
            try await eventually("the record is in flight") { fake.count(.produce) > requests }
            let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
            #expect(error?.code == .requestTimedOut)
            fake.hangUp(broker: 1)
            try await sendUntilDelivered("2", producer)
            await producer.close()
        }
    }

    /// On a busy machine one attempt may not be enough.
    private func sendUntilDelivered(_ value: String, _ producer: KafkaProducer) async throws {
        while (try? await producer.send(record(value))) == nil { try Task.checkCancellation() }
    }

    @Test("batches that wait behind one in flight expire in time")
    func behindOneInFlight() async throws {
        let clock = ShiftedClock()
        let properties = ["linger.ms": "0", "delivery.timeout.ms": "60000", "request.timeout.ms": "3600000"]
        try await withFake(properties: properties, timing: clock.timing) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.silence, into: .produce)
            let first = try await producer.enqueue(record("0"))
            try await eventually("the first batch is written") { fake.offsets(of: partition)?.upperBound == 1 }
            // A partition begins with one batch in flight.
            let second = try await producer.enqueue(record("1"))
            clock.advance(.seconds(61))
            let third = try await producer.enqueue(record("0", partition: 1))
            let waited = await #expect(throws: KafkaError.self) { _ = try await second.metadata }
            #expect(waited?.code == .requestTimedOut)
            #expect(waited?.message.contains("delivery.timeout.ms") == true)
            let inFlight = await #expect(throws: KafkaError.self) { _ = try await first.metadata }
            #expect(inFlight?.code == .requestTimedOut)
            fake.hangUp(broker: 1)
            _ = try await third.metadata
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<1))
            #expect(try fake.log(of: other) == numbered(0..<1))
        }
    }

    @Test("a batch whose response comes too late has failed, and the next one is not affected")
    func lateAnswer() async throws {
        let properties = ["delivery.timeout.ms": "1000", "linger.ms": "0"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            try await sendUntilDelivered("0", producer)
            let (requests, end) = (fake.count(.produce), fake.offsets(of: partition)?.upperBound ?? 0)
            fake.inject(.held, into: .produce)
            let delivery = try await producer.enqueue(record("1"))
            try await eventually("the record is in flight") { fake.count(.produce) > requests }
            let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
            #expect(error?.code == .requestTimedOut)
            // Records that must wait for the response fail in time, too.
            let behind = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("2")) }
            #expect(behind?.code == .requestTimedOut)
            fake.releaseAnswers()
            try await sendUntilDelivered("2", producer)
            await producer.close()
            let log = try fake.log(of: partition)
            #expect(log.dropFirst(Int(end)).first?.value == "1")
            #expect(log.last?.value == "2")
            #expect(fake.count(.initProducerID) == 1)
        }
    }

    @Test("a batch doesn't linger until there is no time left to send it")
    func boundedLinger() throws {
        var configuration = ProducerConfiguration()
        configuration.linger = .seconds(3600)
        configuration.deliveryTimeout = .seconds(10)
        let start = ContinuousClock.now
        let accumulator = Accumulator(
            configuration: configuration, pool: BufferPool(limit: 0), timing: Timing(now: { start }))
        accumulator.add(topic: "t", partitionCount: 1)
        try accumulator.append(10, to: partition)
        let early = accumulator.ready(at: start)
        #expect(early.waiting.isEmpty && early.nextDeadline == start + .seconds(5))
        let ready = accumulator.ready(at: start + .seconds(5))
        #expect(ready.waiting == [partition] && ready.expired.isEmpty)
        #expect(ready.nextExpiry == start + .seconds(10))
        let late = accumulator.ready(at: start + .seconds(11))
        #expect(late.expired.map(\.partition) == [partition] && late.nextExpiry == nil)
    }

    // MARK: Fairness

    /// Settings for one request at a time, with room for one large and one small batch. Each record is a batch.
    private let narrow = [
        "linger.ms": "0", "batch.size": "1000", "max.request.size": "1500",
        "max.in.flight.requests.per.connection": "1", "request.timeout.ms": "3600000",
    ]

    /// Fills the queue of one partition, and enqueues one record for another partition.
    private func fill(_ accumulator: Accumulator, lastRecord count: Int) throws -> Delivery {
        accumulator.add(topic: "t", partitionCount: 2)
        for _ in 0..<20 { try accumulator.append(800, to: partition) }
        return try accumulator.append(count, to: other)
    }

    @Test("a partition that always has a batch to send doesn't starve the others of its broker")
    func turns() async throws {
        try await withFake(properties: narrow) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            // The broker responds to only four requests.
            fake.inject(.late(.zero), into: .produce, times: 4)
            fake.inject(.silence, into: .produce)
            try await withSender(cluster, prepare: { try fill($0, lastRecord: 800) }) { _, delivery in
                let metadata = try await delivery.metadata
                #expect(metadata.partition == 1)
            }
        }
    }

    @Test("a small batch is added to a request that has room for it but not for a full batch")
    func room() async throws {
        try await withFake(properties: narrow) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            fake.inject(.late(.zero), into: .produce)
            fake.inject(.silence, into: .produce)
            try await withSender(cluster, prepare: { try fill($0, lastRecord: 100) }) { _, delivery in
                let metadata = try await delivery.metadata
                #expect(metadata.partition == 1)
            }
        }
    }
}
