import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Reports of a waiting member", .timeLimit(.minutes(1)))
struct GroupReportTests {
    private final class Events: Sendable {
        let list = Lock<[RetryEvent]>([])
    }

    private func withConsumer(
        _ kind: GroupKind, _ properties: [String: String] = [:], timing: Timing = Timing(),
        logger: (any KafkaLogger)? = nil,
        _ body: (FakeCluster, KafkaConsumer, Events) async throws -> Void
    ) async throws {
        let events = Events()
        var hooks = ClientHooks()
        hooks.retrying = { event in events.list.withLock { $0.append(event) } }
        let group = ["group.id": "g", "auto.offset.reset": "earliest", "heartbeat.interval.ms": "10"]
        let properties = group.merging(kind.properties) { $1 }.merging(properties) { $1 }
        try await withFake(
            properties: properties, timing: timing, time: .still, logger: logger, hooks: hooks
        ) { fake, cluster in
            fake.configureGroups { $0.consumerHeartbeatInterval = .milliseconds(10) }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: cluster.configuration.consumer.offsetReset)
            try await body(fake, consumer, events)
            await consumer.close()
        }
    }

    @Test("a missing topic of the subscription, and its creation later", arguments: GroupKind.both)
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
        "requests that the coordinator refuses",
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

    private func isReported(_ events: Events, _ operation: String, _ code: ErrorCode?) -> Bool {
        events.list.withLock { $0.contains { $0.operation == operation && $0.error?.code == code } }
    }

    @Test("a request whose response the coordinator delays", arguments: [APIKey.joinGroup, .syncGroup])
    func held(api: APIKey) async throws {
        let operation = api == .joinGroup ? "join group g" : "get the assignment from group g"
        // A hold is reported after five seconds.
        let timing = Timing(timeout: { try await Task.sleep(for: $0 == .seconds(5) ? .milliseconds(5) : $0) })
        try await withConsumer(.cooperative, timing: timing) { fake, consumer, events in
            fake.createTopic("t")
            fake.inject(.held, into: api)
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("it is reported") { isReported(events, operation, .rebalanceInProgress) }
            fake.releaseAnswers()
            try await eventually("its end is reported") { isReported(events, operation, nil) }
            try await eventually("the member has its partition") { consumer.assignment == [TopicPartition("t")] }
        }
    }

    @Test("no delayed request while the coordinator is still being looked up")
    func lookedFor() async throws {
        let timing = Timing(timeout: { try await Task.sleep(for: $0 == .seconds(5) ? .milliseconds(1) : $0) })
        try await withConsumer(.cooperative, timing: timing) { fake, consumer, events in
            fake.createTopic("t")
            fake.inject(.held, into: .findCoordinator)
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("the coordinator lookup has begun") { fake.count(.findCoordinator) > 0 }
            // Enough time for many reports of a delayed response.
            try await Task.sleep(for: .milliseconds(50))
            #expect(!isReported(events, "join group g", .rebalanceInProgress))
            fake.releaseAnswers()
            try await eventually("the member has its partition") { consumer.assignment == [TopicPartition("t")] }
        }
    }

    @Test("a failed check for new partitions")
    func watch() async throws {
        try await withConsumer(.cooperative, ["metadata.max.age.ms": "20"]) { fake, consumer, events in
            fake.createTopic("t")
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("the member has its partition") { consumer.assignment == [TopicPartition("t")] }
            fake.inject(.hangUp(.beforehand), into: .metadata, times: 100_000)
            try await eventually("it is reported") {
                isReported(events, "look for new topics and partitions of group g", .networkException)
            }
            fake.clearFaults()
        }
    }

    @Test("assigned topics that no broker can name")
    func unnamed() async throws {
        let operation = "find the topics that group g assigns"
        try await withConsumer(.consumer) { fake, consumer, events in
            fake.createTopic("t")
            fake.inject(.error(.unknownTopicId), into: .metadata, times: 100_000)
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("it is reported") { isReported(events, operation, .unknownTopicId) }
            fake.clearFaults()
            try await eventually("its end is reported") { isReported(events, operation, nil) }
            try await eventually("the member has its partition") { consumer.assignment == [TopicPartition("t")] }
        }
    }

    @Test("a heartbeat interval of weeks, which the member limits to a minute")
    func longInterval() async throws {
        let logger = LineLogger(.warning)
        try await withConsumer(.consumer, logger: logger) { fake, consumer, _ in
            fake.configureGroups { $0.consumerHeartbeatInterval = .seconds(24 * 86400) }
            fake.createTopic("t")
            try await consumer.subscribe(to: .topics(["t"]))
            let line = "a coordinator requests too long a heartbeat interval"
            try await eventually("it is reported") { logger.all.contains { $0.message == line } }
            let group = try #require(consumer.groupPart.withLock { $0.membership } as? ConsumerProtocolGroup)
            #expect(await group.heartbeatInterval == .seconds(60))
        }
    }

    @Test("an assignment that can't be decoded: the member rejoins, and reads the partitions of a later one")
    func unreadableAssignment() async throws {
        let operation = "get the assignment from group g"
        let good = try ConsumerProtocolAssignment(
            assignedPartitions: [ConsumerProtocolTopicPartition]([TopicPartition("t")])
        ).encoded()
        let needle = Array(good)
        let isBad = Lock(true)
        try await withConsumer(.cooperative) { fake, consumer, events in
            fake.createTopic("t")
            fake.changeAnswers { api, _, frame in
                guard api == .syncGroup, isBad.withLock({ $0 }) else { return frame }
                var frame = frame
                for start in frame.indices where frame[start...].starts(with: needle) {
                    // The number of topics.
                    frame.replaceSubrange(start + 2..<start + 6, with: [0x7f, 0xff, 0xff, 0xff])
                    break
                }
                return frame
            }
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("it is reported") { isReported(events, operation, .inconsistentGroupProtocol) }
            try await eventually("it rejoins repeatedly") { fake.count(.joinGroup) > 4 }
            #expect(consumer.state != .unassigned)
            isBad.withLock { $0 = false }
            try await eventually("the member has its partition") { consumer.assignment == [TopicPartition("t")] }
            #expect(isReported(events, operation, nil))
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
