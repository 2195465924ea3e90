import KafkaFake
import Testing

@testable import KafkaWire

@Suite("When records are given up, and whose turn it is", .timeLimit(.minutes(1)))
struct ProducerDeadlineTests {
    private let partition = TopicPartition("t")
    private let other = TopicPartition("t", 1)

    private func record(_ value: String, partition: Int32 = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8))
    }

    // MARK: Time

    @Test("delivery.timeout.ms bounds what is in flight to a broker that is silent, however long request.timeout.ms is")
    func silentBroker() async throws {
        let properties = ["request.timeout.ms": "3600000", "delivery.timeout.ms": "100", "linger.ms": "0"]
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.silence, into: .produce)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("0")) }
            #expect(error?.code == .requestTimedOut)
            // On a machine that is busy one attempt may not be enough.
            while (try? await producer.send(record("1"))) == nil {}
            await producer.close()
        }
    }

    @Test("what waits behind a batch in flight is given up in time")
    func behindOneInFlight() async throws {
        let clock = ShiftedClock()
        let properties = ["linger.ms": "0", "delivery.timeout.ms": "60000", "request.timeout.ms": "3600000"]
        try await withFake(properties: properties, timing: clock.timing) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.silence, into: .produce)
            let first = try await producer.enqueue(record("0"))
            try await eventually("the first is written") { fake.offsets(of: partition)?.upperBound == 1 }
            // A partition begins with one batch in flight.
            let second = try await producer.enqueue(record("1"))
            clock.advance(.seconds(61))
            let third = try await producer.enqueue(record("0", partition: 1))
            let waited = await #expect(throws: KafkaError.self) { _ = try await second.metadata }
            #expect(waited?.code == .requestTimedOut)
            #expect(waited?.message.contains("delivery.timeout.ms") == true)
            fake.hangUp(broker: 1)
            let inFlight = await #expect(throws: KafkaError.self) { _ = try await first.metadata }
            #expect(inFlight?.code == .networkException)
            _ = try await third.metadata
            await producer.close()
            #expect(try fake.log(of: partition) == numbered(0..<1))
            #expect(try fake.log(of: other) == numbered(0..<1))
        }
    }

    /// In milliseconds.
    struct Times: Sendable {
        let request: Int
        let left: Int
        let replicas: Int
        let answer: Int
    }

    @Test(
        "a request may take no longer than its batches have left, and half a second at least",
        arguments: [
            Times(request: 30_000, left: 120_000, replicas: 30_000, answer: 35_000),
            Times(request: 1000, left: 120_000, replicas: 1000, answer: 6000),
            Times(request: 30_000, left: 32_000, replicas: 27_000, answer: 32_000),
            Times(request: 30_000, left: 10_000, replicas: 7500, answer: 10_000),
            Times(request: 30_000, left: 1, replicas: 375, answer: 500),
            Times(request: 30_000, left: -5000, replicas: 375, answer: 500),
        ])
    func timeouts(times: Times) {
        let timeouts = ProduceTimeouts(request: .milliseconds(times.request), left: .milliseconds(times.left))
        #expect(timeouts.replicas == .milliseconds(times.replicas))
        #expect(timeouts.answer == .milliseconds(times.answer))
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
        #expect(early.partitions.isEmpty && early.nextDeadline == start + .seconds(5))
        let ready = accumulator.ready(at: start + .seconds(5))
        #expect(ready.partitions == [partition] && ready.expired.isEmpty)
        #expect(ready.nextExpiry == start + .seconds(10))
        let late = accumulator.ready(at: start + .seconds(11))
        #expect(late.expired == [partition] && late.nextExpiry == nil)
    }

    // MARK: Turns

    /// One request at a time, with room for one large batch and a small one. Each record is a batch.
    private let narrow = [
        "linger.ms": "0", "batch.size": "1000", "max.request.size": "1500",
        "max.in.flight.requests.per.connection": "1",
    ]

    /// Fills one partition's queue, and puts one record into another's.
    private func fill(_ accumulator: Accumulator, lastRecord count: Int) throws -> Delivery {
        accumulator.add(topic: "t", partitionCount: 2)
        for _ in 0..<20 { try accumulator.append(800, to: partition) }
        return try accumulator.append(count, to: other)
    }

    @Test("a partition that always has something to send doesn't keep the others of its broker waiting")
    func turns() async throws {
        try await withFake(properties: narrow) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            // Nothing is answered any more after four requests.
            fake.inject(.late(.zero), into: .produce, times: 4)
            fake.inject(.silence, into: .produce)
            try await withSender(cluster, prepare: { try fill($0, lastRecord: 800) }) { _, delivery in
                let metadata = try await delivery.metadata
                #expect(metadata.partition == 1)
            }
        }
    }

    @Test("a small batch goes along where it has room, though a full one wouldn't")
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
