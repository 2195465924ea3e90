import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("What a member reports while it waits", .timeLimit(.minutes(1)))
struct GroupReportTests {
    private final class Events: Sendable {
        let list = Lock<[RetryEvent]>([])
    }

    private func withConsumer(
        _ kind: GroupKind, _ properties: [String: String] = [:],
        _ body: (FakeCluster, KafkaConsumer, Events) async throws -> Void
    ) async throws {
        let events = Events()
        var hooks = ClientHooks()
        hooks.retrying = { event in events.list.withLock { $0.append(event) } }
        let group = ["group.id": "g", "auto.offset.reset": "earliest", "heartbeat.interval.ms": "10"]
        let properties = group.merging(kind.properties) { $1 }.merging(properties) { $1 }
        try await withFake(properties: properties, time: .still, hooks: hooks) { fake, cluster in
            fake.configureGroups { $0.consumerHeartbeatInterval = .milliseconds(10) }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: cluster.configuration.consumer.offsetReset)
            try await body(fake, consumer, events)
            await consumer.close()
        }
    }

    @Test("a topic of the subscription that is missing, and that it exists at last", arguments: GroupKind.both)
    func missingTopic(kind: GroupKind) async throws {
        try await withConsumer(kind) { fake, consumer, events in
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("it is reported") {
                events.list.withLock { $0.contains { $0.operation == "read the topic t" && $0.error != nil } }
            }
            fake.createTopic("t")
            try await eventually("its end is reported") {
                events.list.withLock { $0.contains { $0.operation == "read the topic t" && $0.error == nil } }
            }
        }
    }

    @Test(
        "what the coordinator refuses",
        arguments: [
            (GroupKind.range, APIKey.joinGroup), (.range, .syncGroup), (.range, .heartbeat), (.range, .offsetFetch),
            (.range, .findCoordinator), (.consumer, .consumerGroupHeartbeat), (.consumer, .offsetFetch),
            (.range, .offsetCommit),
        ])
    func refused(kind: GroupKind, api: APIKey) async throws {
        try await withConsumer(kind, ["auto.commit.interval.ms": "5"]) { fake, consumer, events in
            fake.createTopic("t")
            try fake.fill(TopicPartition("t"), [["a"]])
            fake.inject(.error(.coordinatorNotAvailable), into: api, times: 3)
            try await consumer.subscribe(to: .topics(["t"]))
            var iterator = consumer.makeAsyncIterator()
            let deadline = ContinuousClock.now + .seconds(50)
            while !events.list.withLock({ $0.contains { $0.error?.code == .coordinatorNotAvailable } }) {
                _ = try await iterator.next(timeout: .milliseconds(5))
                try #require(ContinuousClock.now < deadline, "a failure is reported")
            }
            #expect(events.list.withLock { $0.allSatisfy { $0.operation.contains("group g") } })
        }
    }

    @Test("a partition without an offset fails alone if auto.offset.reset is none", arguments: GroupKind.both)
    func noOffset(kind: GroupKind) async throws {
        try await withConsumer(kind, ["auto.offset.reset": "none"]) { fake, consumer, _ in
            fake.createTopic("t", partitions: 2)
            let (good, bad) = (TopicPartition("t"), TopicPartition("t", 1))
            try fake.fill(good, [["a"]])
            try await consumer.commit([good: OffsetAndMetadata(0)])
            try await consumer.subscribe(to: .topics(["t"]))
            let error = await #expect(throws: KafkaError.self) { for try await _ in consumer {} }
            #expect(error?.code == .offsetOutOfRange)
            #expect(error?.partition == bad.partition)
            #expect(consumer.assignment == [good, bad])
            let state = try #require(await consumer.groupPart.withLock { $0.membership }?.state)
            #expect(state == .member)
        }
    }
}
