import Concurrency
import KafkaFake
import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

/// The protocol of a group and its assignor.
enum GroupKind: String, CustomTestStringConvertible {
    case range, sticky
    case cooperative = "cooperative-sticky"
    /// KIP-848.
    case consumer

    /// One kind of each protocol. Both continue to read partitions that they keep during a rebalance.
    static let both = [GroupKind.cooperative, .consumer]
    /// The kinds to test. Sticky and range groups differ only in the assignor, so only the long tests run both.
    static let all: [GroupKind] =
        LongTests.areEnabled ? [.range, .sticky, .cooperative, .consumer] : [.range, .cooperative, .consumer]

    var testDescription: String { rawValue }

    var properties: [String: String] {
        self == .consumer ? ["group.protocol": rawValue] : ["partition.assignment.strategy": rawValue]
    }
}

/// A group on a fake cluster, its members in this process with one client each, and a topic that they read.
///
/// The brokers' clock is stopped, so that no session ends because the machine is slow.
final class GroupFixture: Sendable {
    static let group = "g"
    let fake: FakeCluster
    let kind: GroupKind
    let ledger = Ledger()
    private let running = Lock<[RunningMember]>([])

    fileprivate init(_ fake: FakeCluster, _ kind: GroupKind) {
        self.fake = fake
        self.kind = kind
    }

    /// Lets members join and leave while faults are injected into an API.
    ///
    /// - Parameter times: The number of faults before the first member has joined.
    func joinAndLeave(with fault: Fault, in api: APIKey, first times: Int = 3) async throws {
        fake.inject(fault, into: api, times: times)
        let first = try await start()
        try await shared(first)
        try produce(6)
        fake.inject(fault, into: api, times: 3)
        let second = try await start()
        try produce(6)
        try await shared(first, second)
        fake.inject(fault, into: api, times: 3)
        try produce(6)
        try await first.stop()
        try await shared(second)
        try await finish()
    }

    /// Injects a fault into all further heartbeats of a KIP-848 group's only member, and waits until one was affected, so
    /// that no earlier heartbeat is in flight whose response could contain an assignment.
    func faultHeartbeats(_ fault: Fault) async throws {
        fake.inject(fault, into: .consumerGroupHeartbeat, times: 100_000)
        let heartbeats = fake.count(.consumerGroupHeartbeat)
        try await eventually("a heartbeat was affected by the fault") {
            fake.count(.consumerGroupHeartbeat) > heartbeats
        }
    }

    // MARK: Records

    /// All partitions of the topic.
    func partitions(of topics: [String] = ["t"]) -> Set<TopicPartition> {
        var all: Set<TopicPartition> = []
        for topic in topics {
            for index in Int32(0)... {
                guard fake.offsets(of: TopicPartition(topic, index)) != nil else { break }
                all.insert(TopicPartition(topic, index))
            }
        }
        return all
    }

    /// Appends records to each partition, in batches of three.
    func produce(_ count: Int, to topics: [String] = ["t"]) throws {
        for partition in partitions(of: topics) {
            try fake.fill(
                partition,
                stride(from: 0, to: count, by: 3).map { start in
                    (start..<min(start + 3, count)).map(String.init)
                })
        }
    }

    func committed(_ partition: TopicPartition) -> Int64? {
        fake.committedOffset(group: Self.group, of: partition)
    }

    func end(of partition: TopicPartition) -> Int64 { fake.offsets(of: partition)?.upperBound ?? 0 }

    // MARK: Members

    /// A member that hasn't subscribed yet.
    func member(_ properties: [String: String] = [:], timing: Timing = Timing()) throws -> RunningMember {
        let quick = [
            "group.id": Self.group, "auto.offset.reset": "earliest", "heartbeat.interval.ms": "10",
            "auto.commit.interval.ms": "30", "fetch.max.wait.ms": "40", "retry.backoff.ms": "2",
            "retry.backoff.max.ms": "20", "reconnect.backoff.ms": "2",
        ]
        let configuration = try ClientConfiguration(
            bootstrapServers: fake.bootstrapServers,
            properties: quick.merging(kind.properties) { $1 }.merging(properties) { $1 })
        let member = RunningMember(self, configuration, timing)
        running.withLock { $0.append(member) }
        return member
    }

    /// Starts a member that processes all records that it receives.
    ///
    /// - Parameter pace: The time that a member takes per record, if it reads single records; nil to read batches.
    func start(
        _ properties: [String: String] = [:], _ subscription: Subscription = .topics(["t"]), pace: Duration? = nil,
        timing: Timing = Timing()
    ) async throws -> RunningMember {
        let member = try member(properties, timing: timing)
        try await member.start(subscription, pace: pace)
        return member
    }

    /// Waits until these members share all partitions, and each has at least one.
    func shared(_ members: RunningMember..., topics: [String] = ["t"]) async throws {
        let all = partitions(of: topics)
        try await eventually("\(members.count) members share \(all.count) partitions") {
            let each = members.map(\.assignment)
            return each.reduce(0) { $0 + $1.count } == all.count && each.reduce([]) { $0.union($1) } == all
                && !each.contains([]) && each == members.map(\.handlerAssignment)
        }
    }

    /// Waits until each record was processed at least once.
    func processed(topics: [String] = ["t"]) async throws {
        try await eventually("all records are processed") {
            partitions(of: topics).allSatisfy { Set(ledger[$0]).count == Int(end(of: $0)) }
        }
    }

    /// Ends a member's session, as the coordinator does after the session timeout.
    func remove(_ member: RunningMember) throws {
        let id = try #require(member.consumer.groupMetadata?.memberID)
        #expect(fake.expire(member: id, ofGroup: Self.group))
    }

    /// Makes the members of a classic group rejoin, once no rebalance is in progress.
    func rebalance() async throws {
        try await eventually("a rebalance begins") { fake.rebalance(group: Self.group) }
    }

    /// Stops all members, and expects each record to be processed once, in order, and committed.
    func finish(topics: [String] = ["t"]) async throws {
        try await processed(topics: topics)
        let members = running.withLock { $0 }
        for member in members { try await member.stop() }
        for partition in partitions(of: topics) {
            #expect(ledger[partition] == Array(0..<end(of: partition)), "\(partition)")
            #expect(committed(partition) == end(of: partition), "\(partition)")
        }
        #expect(members.allSatisfy { $0.lost.isEmpty })
        // A partition's new owner starts where the previous one ended.
        #expect(ledger.gaps.isEmpty)
    }

    fileprivate func close() async {
        for member in running.withLock({ $0 }) { await member.close() }
        await fake.close()
    }
}

/// Runs a test with a group on a fake cluster, and closes it.
func withGroup(
    _ kind: GroupKind, partitions: Int = 4, brokers: Int = 1, versions: SpokenVersions = .latest,
    _ body: (GroupFixture) async throws -> Void
) async throws {
    let fake = try FakeCluster(brokers: brokers, versions: versions, time: .still)
    fake.configureGroups { $0.consumerHeartbeatInterval = .milliseconds(10) }
    fake.createTopic("t", partitions: partitions)
    let group = GroupFixture(fake, kind)
    do {
        try await body(group)
    } catch {
        await group.close()
        throw error
    }
    await group.close()
}
