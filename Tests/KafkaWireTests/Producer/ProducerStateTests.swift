import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Reports of a producer's state", .timeLimit(.minutes(1)))
struct ProducerStateTests {
    private func record(_ value: String, topic: String = "t") -> ProducerRecord {
        ProducerRecord(topic: topic, partition: 0, value: Array(value.utf8))
    }

    @Test("the state has the waiting records, the age of the oldest, and the last acknowledgement")
    func state() async throws {
        let clock = ShiftedClock()
        let properties = ["linger.ms": "0", "request.timeout.ms": "3600000", "delivery.timeout.ms": "7200000"]
        try await withFake(properties: properties, timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            #expect(
                producer.state
                    == ProducerState(lastAcknowledgement: nil, waitingRecords: 0, oldestWaitingAge: nil))
            _ = try await producer.send(record("0"))
            let acknowledged = try #require(producer.state.lastAcknowledgement)
            #expect(producer.state.waitingRecords == 0 && producer.state.oldestWaitingAge == nil)
            fake.inject(.silence, into: .produce)
            let requests = fake.count(.produce)
            _ = try await producer.enqueue(record("1"))
            try await eventually("a batch is in flight") { fake.count(.produce) > requests }
            // The partition has one batch in flight; these records wait behind it.
            for index in 2..<5 { _ = try await producer.enqueue(record("\(index)")) }
            clock.advance(.seconds(30))
            let state = producer.state
            #expect(state.lastAcknowledgement == acknowledged)
            #expect(state.waitingRecords == 4)
            #expect(try #require(state.oldestWaitingAge) >= .seconds(30))
            fake.hangUp(broker: 1)
            await producer.flush()
            #expect(producer.state.waitingRecords == 0)
            #expect(try #require(producer.state.lastAcknowledgement) > acknowledged)
            await producer.close()
        }
    }

    private func withReports(
        _ properties: [String: String] = [:],
        _ body: (FakeCluster, KafkaProducer, @escaping @Sendable () -> [RetryEvent]) async throws -> Void
    ) async throws {
        let events = SharedEvents()
        var hooks = ClientHooks()
        hooks.retrying = { event in events.append(event) }
        try await withFake(properties: ["linger.ms": "0"].merging(properties) { $1 }, hooks: hooks) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            try await body(fake, producer, { events.all })
            await producer.close()
        }
    }

    @Test("retried records are reported at once, and again when they are written")
    func retriedRecords() async throws {
        try await withReports { fake, producer, events in
            _ = try await producer.send(record("0"))
            fake.inject(.error(.notEnoughReplicas), into: .produce, times: 3)
            _ = try await producer.send(record("1"))
            let mine = events().filter { $0.operation == "send records to the topic t" }
            #expect(mine.map { $0.error?.code } == [.notEnoughReplicas, nil])
            #expect(mine.last?.failures == 3)
        }
    }

    @Test("a missing leader and a failing request for a producer id are reported")
    func questions() async throws {
        try await withReports { fake, producer, events in
            try await producer.ready(for: "t")
            fake.inject(.error(.coordinatorLoadInProgress), into: .initProducerID, times: 2)
            fake.elect(nil, for: TopicPartition("t"))
            let delivery = try await producer.enqueue(record("0"))
            try await eventually("both are reported") {
                let codes = Set(events().compactMap { $0.error?.code })
                return codes.isSuperset(of: [.leaderNotAvailable, .coordinatorLoadInProgress])
            }
            fake.elect(1, for: TopicPartition("t"))
            _ = try await delivery.metadata
            try await eventually("the end is reported") {
                events().contains { $0.operation == "get a producer id" && $0.error == nil }
                    && events().contains { $0.operation == "send records to the topic t" && $0.error == nil }
            }
        }
    }

    @Test("a coordinator of transactions that can't be reached is reported")
    func coordinator() async throws {
        try await withReports(["transactional.id": "x"]) { fake, producer, events in
            fake.inject(.error(.coordinatorNotAvailable), into: .findCoordinator, times: 2)
            try await producer.initTransactions()
            let mine = events().filter { $0.operation.contains("the coordinator of the transactional id x") }
            #expect(mine.map { $0.error?.code } == [.coordinatorNotAvailable, nil])
        }
    }
}

private final class SharedEvents: Sendable {
    private let events = Lock<[RetryEvent]>([])

    func append(_ event: RetryEvent) { events.withLock { $0.append(event) } }

    var all: [RetryEvent] { events.withLock { $0 } }
}
