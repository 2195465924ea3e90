import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// Members of three implementations join and leave one group while records are written.
    @Suite(needsKafka, needsLibrdkafka, needsLongTests) struct MixedGroup {
        /// When this client's member joins. In a classic group the first member is the leader until it leaves. It
        /// assigns the partitions of all members.
        enum Turn: Sendable {
            case first, last
        }

        struct Case: Sendable, CustomTestStringConvertible {
            let home: KafkaHome
            /// librdkafka's name for the assignment strategy.
            let strategy: String
            let turn: Turn
            var others = Peer.Implementation.allCases
            var testDescription: String { "\(home), \(strategy), KafkaWire joins \(turn)" }

            private static let javaNames = [
                "range": "org.apache.kafka.clients.consumer.RangeAssignor",
                "roundrobin": "org.apache.kafka.clients.consumer.RoundRobinAssignor",
                "sticky": "org.apache.kafka.clients.consumer.StickyAssignor",
                "cooperative-sticky": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
            ]

            func settings(_ implementation: Peer.Implementation?) -> [String: String] {
                let javaName = implementation == .java ? Self.javaNames[strategy] : nil
                return ["partition.assignment.strategy": javaName ?? strategy]
            }
        }

        /// One Kafka version is enough if this client assigns, because brokers are not involved. librdkafka has no
        /// `sticky`.
        static let cases: [Case] = {
            let strategies = ["range", "roundrobin", "cooperative-sticky"]
            var cases: [Case] = []
            for home in KafkaHome.all {
                for strategy in strategies { cases.append(Case(home: home, strategy: strategy, turn: .last)) }
            }
            guard let home = KafkaHome.newest else { return cases }
            for strategy in strategies { cases.append(Case(home: home, strategy: strategy, turn: .first)) }
            for turn in [Turn.first, .last] {
                cases.append(Case(home: home, strategy: "sticky", turn: turn, others: [.java, .java]))
            }
            return cases
        }()

        @Test(arguments: cases) func handsOver(_ each: Case) async throws {
            try await share(each.home, each.others, turn: each.turn, settings: each.settings)
        }

        /// The same with KIP-848, in which the coordinator assigns.
        @Test(arguments: KafkaHome.all.filter { !$0.version.hasPrefix("3.") })
        func handsOverByCoordinator(_ home: KafkaHome) async throws {
            try await share(home, Peer.Implementation.allCases, settings: { _ in ["group.protocol": "consumer"] })
        }

        /// - Parameters:
        ///   - peers: Two members besides ours. The first leaves first, then ours; the second reads to the end.
        ///   - turn: When our member joins; nil if it doesn't matter.
        private func share(
            _ home: KafkaHome, _ peers: [Peer.Implementation], turn: Turn? = nil,
            settings: (Peer.Implementation?) -> [String: String]
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
            let ours = try GroupReader(
                fixture.client(
                    ["group.id": group, "auto.offset.reset": "earliest"].merging(settings(nil)) { $1 }),
                topic: fixture.topic)
            if turn == .first {
                await ours.start()
                try await eventually("ours has all six partitions, and leads") { await ours.assigned.count == 6 }
            }
            var others: [(peer: Peer, member: Int)] = []
            for implementation in peers {
                let peer = try await Peer(implementation, fixture.cluster)
                let member = try await peer.join(group, topic: fixture.topic, settings: settings(implementation))
                others.append((peer, member))
            }
            if turn == .last {
                try await eventually("the others have all six partitions, and one of them leads") {
                    var count = 0
                    for (peer, member) in others { count += try await peer.look(member).assigned.count }
                    return count == 6
                }
            }
            if turn != .first { await ours.start() }
            func assigned() async throws -> [Set<Int32>] {
                var all = [await ours.assigned]
                for (peer, member) in others { all.append(Set(try await peer.look(member).assigned)) }
                return all
            }
            try await eventually("each of the three has two partitions") {
                let sets = try await assigned()
                return sets.allSatisfy { $0.count == 2 } && sets.reduce(into: Set()) { $0.formUnion($1) }.count == 6
            }
            // The first of the others leaves; the remaining two share.
            var read = try await others[0].peer.leave(others[0].member).read
            others.removeFirst()
            try await eventually("each of the two has three partitions") {
                let sets = try await assigned()
                return sets.allSatisfy { $0.count == 3 } && sets.reduce(into: Set()) { $0.formUnion($1) }.count == 6
            }
            // Our member leaves; the last one reads to the end.
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

/// A group member that reads on a separate task and keeps the positions of all records.
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
                try Task.checkCancellation()
                for record in try batch.copies() {
                    read.append(Place(partition: record.partition, offset: record.offset))
                }
            }
        }
    }

    var assigned: Set<Int32> { Set(consumer.assignment.map(\.partition)) }

    /// Leaves the group.
    ///
    /// - Returns: The positions of all records that it has read.
    func leave() async throws -> [Place] {
        // Stop between two batches: another member would also read a batch that was noted but not processed.
        running?.cancel()
        do { try await running?.value } catch is CancellationError {}
        await consumer.close()
        return read
    }
}
