import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Rebalance events", .timeLimit(.minutes(1)))
struct RebalanceEventTests {
    /// A kind of group, by its settings.
    enum Kind: String, CaseIterable {
        case eager, cooperative, consumer

        var properties: [String: String] {
            switch self {
            case .eager: ["partition.assignment.strategy": "range"]
            case .cooperative: ["partition.assignment.strategy": "cooperative-sticky"]
            case .consumer: ["group.protocol": "consumer"]
            }
        }
    }

    /// A group member that discards what it reads, and the reports of its client.
    private final class Member: Sendable {
        let metrics = CountingMetrics()
        let logger = LineLogger(.info)
        private let log: EventLog
        private let cluster: Cluster
        private let consumer: KafkaConsumer

        private final class EventLog: Sendable {
            let events = Lock<[RebalanceEvent]>([])
        }

        init(_ fake: FakeCluster, _ kind: Kind) async throws {
            let quick = [
                "group.id": "g", "heartbeat.interval.ms": "10", "retry.backoff.ms": "2",
                "auto.offset.reset": "earliest",
            ]
            let configuration = try ClientConfiguration(
                bootstrapServers: fake.bootstrapServers, properties: quick.merging(kind.properties) { $1 })
            let log = EventLog()
            self.log = log
            var hooks = ClientHooks()
            hooks.rebalanced = { event in log.events.withLock { $0.append(event) } }
            cluster = Cluster(
                configuration: configuration,
                observer: ClientObserver(logger: logger, metrics: metrics, hooks: hooks))
            consumer = KafkaConsumer(cluster: cluster, offsetReset: configuration.consumer.offsetReset)
            try await consumer.subscribe(to: .topics(["t"]))
            Task { [consumer] in
                for try await _ in consumer {}
            }
        }

        var events: [RebalanceEvent] { log.events.withLock { $0 } }

        /// The events as `change: partitions`.
        var changes: [String] {
            events.map { "\($0.change): \($0.partitions.map { "\($0.partition)" }.joined(separator: " "))" }
        }

        func count(_ change: RebalanceEvent.Change) -> Int {
            metrics.count(.rebalances, "group=g change=\(change.rawValue)")
        }

        func close() async {
            await consumer.close()
            await cluster.close()
        }
    }

    private func withGroup(_ body: (FakeCluster) async throws -> Void) async throws {
        let fake = try FakeCluster(brokers: 1)
        fake.createTopic("t", partitions: 4)
        fake.configureGroups { $0.consumerHeartbeatInterval = .milliseconds(10) }
        do {
            try await body(fake)
            await fake.close()
        } catch {
            await fake.close()
            throw error
        }
    }

    @Test("A member joins, releases partitions to another one, and leaves", arguments: Kind.allCases)
    func joining(kind: Kind) async throws {
        try await withGroup { fake in
            let first = try await Member(fake, kind)
            try await eventually("the first member has all partitions") { first.changes == ["assigned: 0 1 2 3"] }
            #expect(first.events.first?.groupID == "g")
            #expect(first.events.first?.generationID == fake.members(ofGroup: "g")?.first?.epoch)

            let second = try await Member(fake, kind)
            let expected =
                kind == .eager
                ? ["assigned: 0 1 2 3", "revoked: 0 1 2 3", "assigned:"] : ["assigned: 0 1 2 3", "revoked:"]
            try await eventually("the first member has released partitions") {
                first.events.count == expected.count && !second.events.isEmpty
            }
            #expect(zip(first.changes, expected).allSatisfy { $0.hasPrefix($1) })
            #expect(first.events.last?.partitions.count == 2)
            #expect(second.events.map(\.change) == [.assigned])
            #expect(second.events.first?.partitions.count == 2)
            let kept = first.events.last?.change == .revoked
            #expect((first.events.last?.partitions == second.events.last?.partitions) == kept)
            #expect(second.events.last.map { $0.generationID > 0 } == true)

            await second.close()
            #expect(second.events.map(\.change) == [.assigned, .revoked])
            #expect(second.events.first?.partitions == second.events.last?.partitions)
            for member in [first, second] {
                #expect(member.count(.lost) == 0)
                #expect(!member.logger.all.contains { $0.level > .info && $0.message.contains("partitions") })
            }
            #expect(second.count(.assigned) == 1)
            #expect(second.count(.revoked) == 1)
            await first.close()
            #expect(first.events.last?.change == .revoked)
            #expect(first.count(.revoked) == first.events.count { $0.change == .revoked })
            #expect(first.count(.assigned) == first.events.count { $0.change == .assigned })
        }
    }

    @Test("A removed member loses its partitions, and joins again", arguments: Kind.allCases)
    func lost(kind: Kind) async throws {
        try await withGroup { fake in
            let member = try await Member(fake, kind)
            try await eventually("it has all") { member.changes == ["assigned: 0 1 2 3"] }
            let id = try #require(fake.members(ofGroup: "g")?.first?.id)
            #expect(fake.expire(member: id, ofGroup: "g"))
            try await eventually("it has all partitions again") {
                member.changes == ["assigned: 0 1 2 3", "lost: 0 1 2 3", "assigned: 0 1 2 3"]
            }
            #expect(member.events[1].generationID == -1)
            #expect(member.count(.lost) == 1)
            #expect(member.count(.assigned) == 2)
            #expect(member.count(.revoked) == 0)
            #expect(member.logger.all.contains { $0.level == .warning && $0.message == "partitions were lost" })
            await member.close()
        }
    }
}
