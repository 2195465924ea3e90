import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// Members of three implementations in one group, which come and go while records are written.
    @Suite(needsKafka, needsLibrdkafka, needsLongTests) struct MixedGroup {
        /// Names of assignment strategies, as Java's consumer and as librdkafka have them.
        static let strategies = [
            ("org.apache.kafka.clients.consumer.RangeAssignor", "range"),
            ("org.apache.kafka.clients.consumer.RoundRobinAssignor", "roundrobin"),
            ("org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "cooperative-sticky"),
        ]

        @Test(arguments: KafkaHome.all, strategies.map(\.1))
        func handsOver(_ home: KafkaHome, _ strategy: String) async throws {
            let javaName = try #require(Self.strategies.first { $0.1 == strategy }?.0)
            try await share(
                home,
                settings: { implementation in
                    switch implementation {
                    case .java: ["partition.assignment.strategy": javaName]
                    default: ["partition.assignment.strategy": strategy]
                    }
                })
        }

        /// The same by KIP-848, where the coordinator assigns.
        @Test(arguments: KafkaHome.all.filter { !$0.version.hasPrefix("3.") })
        func handsOverByCoordinator(_ home: KafkaHome) async throws {
            try await share(home, settings: { _ in ["group.protocol": "consumer"] })
        }

        private func share(
            _ home: KafkaHome, settings: (Peer.Implementation?) -> [String: String]
        ) async throws {
            let fixture = try await TopicFixture(home, partitions: 6)
            let group = uniqueName()
            let isWanted = Mutex(true)
            defer { isWanted.withLock { $0 = false } }
            let writing = Task {
                var rounds = 0
                while isWanted.withLock({ $0 }) {
                    for partition in 0..<6 {
                        try await fixture.produce(rounds..<rounds + 1, partition: Int32(partition))
                    }
                    rounds += 1
                }
                return rounds
            }
            var others: [(peer: Peer, member: Int)] = []
            for implementation in Peer.Implementation.allCases {
                let peer = try await Peer(implementation, fixture.cluster)
                let member = try await peer.join(group, topic: fixture.topic, settings: settings(implementation))
                others.append((peer, member))
            }
            let ours = try GroupReader(
                fixture.client(
                    ["group.id": group, "auto.offset.reset": "earliest"].merging(settings(nil)) { $1 }),
                topic: fixture.topic)
            await ours.start()
            func assigned() async throws -> [Set<Int32>] {
                var all = [await ours.assigned]
                for (peer, member) in others { all.append(Set(try await peer.look(member).assigned)) }
                return all
            }
            try await eventually("each of the three has two partitions") {
                let sets = try await assigned()
                return sets.allSatisfy { $0.count == 2 } && sets.reduce(into: Set()) { $0.formUnion($1) }.count == 6
            }
            // Java's member leaves; the two that are left share.
            var read = try await others[0].peer.leave(others[0].member).read
            others.removeFirst()
            try await eventually("each of the two has three partitions") {
                let sets = try await assigned()
                return sets.allSatisfy { $0.count == 3 } && sets.reduce(into: Set()) { $0.formUnion($1) }.count == 6
            }
            // Ours leaves; librdkafka's reads to the end.
            read += try await ours.leave().map { [Int64($0.partition), $0.offset] }
            isWanted.withLock { $0 = false }
            let written = try await writing.value
            let (peer, member) = others[0]
            try await eventually("everything was read") {
                Set(read).union(try await peer.look(member).read).count >= written * 6
            }
            read += try await peer.leave(member).read
            #expect(read.count == written * 6, "a record was read twice")
            #expect(Set(read).count == written * 6, "a record was not read")
        }
    }
}

/// A member of a group that notes what it reads, on a task of its own.
actor GroupReader {
    struct Place: Hashable, Sendable {
        let partition: Int32
        let offset: Int64
    }

    private let consumer: KafkaConsumer
    private let topic: String
    private var read: [Place] = []
    private var running: Task<Void, any Error>?

    init(_ client: KafkaClient, topic: String) {
        consumer = client.consumer()
        self.topic = topic
    }

    func start() {
        running = Task {
            try await consumer.subscribe(to: .topics([topic]))
            for try await batch in consumer {
                for record in try batch.copies() {
                    read.append(Place(partition: record.partition, offset: record.offset))
                }
            }
        }
    }

    var assigned: Set<Int32> { Set(consumer.assignment.map(\.partition)) }

    /// Leaves the group.
    ///
    /// - Returns: Everything that was read.
    func leave() async throws -> [Place] {
        await consumer.close()
        try await running?.value
        return read
    }
}
