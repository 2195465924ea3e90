import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Lookups of a running producer", .timeLimit(.minutes(1)))
struct ProducerKnowledgeTests {
    /// Longer than a test can last, so that requests to an unresponsive broker don't time out.
    private let patience = ["request.timeout.ms": "3600000", "linger.ms": "0"]

    private func record(_ value: String, partition: Int32? = 0) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8))
    }

    @Test("an idle producer finds partitions that are added to a topic")
    func grownWhileIdle() async throws {
        try await withFake(properties: ["metadata.max.age.ms": "20"]) { fake, cluster in
            fake.createTopic("t")
            try await withSender(cluster, prepare: { $0.add(topic: "t", partitionCount: 1) }) { accumulator, _ in
                fake.addPartitions(to: "t", count: 3)
                try await eventually("all partitions are known") { accumulator.partitionCount(of: "t") == 3 }
            }
        }
    }

    @Test("keys are distributed by the topic's current number of partitions")
    func grownTopic() async throws {
        let keys = (0..<100).map { Array("key \($0)".utf8) }
        let found = keys.first { key in
            let slot = unsafe Murmur2.partition(forKey: key.span.bytes, count: 3)
            return slot == 2
        }
        let key = try #require(found)
        try await withFake(properties: ["metadata.max.age.ms": "20", "linger.ms": "0"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let keyed = ProducerRecord(topic: "t", key: key, value: nil)
            let before = try await producer.send(keyed)
            #expect(before.partition == 0)
            fake.addPartitions(to: "t", count: 3)
            while try await producer.send(keyed).partition != 2 {}
            await producer.close()
        }
    }

    @Test("metadata are refreshed once they are metadata.max.age.ms old, and not before")
    func maximumAge() async throws {
        let clock = ShiftedClock()
        try await withFake(properties: ["linger.ms": "0"], timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            for index in 0..<10 { _ = try await producer.send(record("\(index)")) }
            clock.advance(.seconds(200))
            _ = try await producer.send(record("10"))
            #expect(fake.count(.metadata) == 1)
            clock.advance(.seconds(200))
            _ = try await producer.send(record("11"))
            try await eventually("they are refreshed") { fake.count(.metadata) == 2 }
            for index in 12..<20 { _ = try await producer.send(record("\(index)")) }
            #expect(fake.count(.metadata) == 2)
            await producer.close()
        }
    }

    @Test("while a lookup of leaders has no response, other partitions' records are delivered")
    func silentAboutLeaders() async throws {
        try await withFake(brokers: 2, properties: patience) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let (stale, other) = (TopicPartition("t", 0), TopicPartition("t", 1))
            let producer = KafkaProducer(cluster: cluster)
            for partition in Int32(0)..<2 { _ = try await producer.send(record("0", partition: partition)) }
            let before = fake.count(.metadata)
            fake.inject(.silence, into: .metadata)
            fake.inject(.error(.notLeaderOrFollower), into: .produce, partition: stale)
            let held = try await producer.enqueue(record("1", partition: 0))
            try await eventually("the leader lookup is in progress") { fake.count(.metadata) == before + 1 }
            for index in 1..<5 { _ = try await producer.send(record("\(index)", partition: 1)) }
            #expect(try fake.log(of: other) == numbered(0..<5))
            #expect(try fake.log(of: stale) == numbered(0..<1))
            for broker in fake.brokerIDs { fake.hangUp(broker: broker) }
            _ = try await held.metadata
            #expect(try fake.log(of: stale) == numbered(0..<2))
            await producer.close()
        }
    }

    @Test("while the request for a producer id has no response, records fail in time")
    func silentAboutIdentity() async throws {
        let clock = ShiftedClock()
        let properties = patience.merging(["delivery.timeout.ms": "60000"]) { $1 }
        try await withFake(properties: properties, timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.silence, into: .initProducerID)
            let first = try await producer.enqueue(record("0"))
            try await eventually("the producer id request is in progress") { fake.count(.initProducerID) == 1 }
            clock.advance(.seconds(61))
            // Wakes the sender, which checks the time.
            let second = try await producer.enqueue(record("1"))
            let error = await #expect(throws: KafkaError.self) { _ = try await first.metadata }
            #expect(error?.code == .requestTimedOut)
            #expect(fake.count(.produce) == 0)
            fake.hangUp(broker: 1)
            _ = try await second.metadata
            await producer.close()
        }
    }

    @Test("a partition without a leader gets no records without a key until it has one again")
    func leaderless() async throws {
        // Each record is a batch, and the next one goes to another partition.
        try await withFake(properties: ["batch.size": "1", "linger.ms": "0"]) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            fake.elect(nil, for: TopicPartition("t", 0))
            let producer = KafkaProducer(cluster: cluster)
            for index in 0..<20 {
                let metadata = try await producer.send(record("\(index)", partition: nil))
                #expect(metadata.partition == 1)
            }
            fake.elect(1, for: TopicPartition("t", 0))
            while try await producer.send(record("x", partition: nil)).partition != 0 {}
            await producer.close()
        }
    }

    @Test("a lookup doesn't begin while another one is in progress, or before the backoff after a failure has passed")
    func lookups() {
        let now = ContinuousClock.now
        let backoff = Backoff(initial: .seconds(1), maximum: .seconds(4))
        var lookup = PendingLookup()
        func begins(after seconds: Double) -> Bool { lookup.begin(at: now + .seconds(seconds)) }
        #expect(begins(after: 0))
        #expect(!begins(after: 100))
        // Its end notifies the waiters.
        #expect(lookup.nextAttempt == nil)
        lookup.failed(at: now, backoff, random: 0.5)
        #expect(lookup.nextAttempt != nil)
        #expect(!begins(after: 0.9))
        #expect(begins(after: 1.1))
        lookup.failed(at: now, backoff, random: 0.5)
        #expect(!begins(after: 1.9))
        #expect(begins(after: 2.1))
        lookup.succeeded()
        #expect(begins(after: 0))
        lookup.succeeded(notBefore: now + .seconds(3))
        #expect(!begins(after: 2))
        #expect(begins(after: 3))
    }
}
