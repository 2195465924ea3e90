import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Commits of group members", .timeLimit(.minutes(1)))
struct GroupCommitTests {
    @Test("processed offsets are committed at an interval", arguments: GroupKind.both)
    func interval(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let member = try await group.start(["auto.commit.interval.ms": "5"])
            try group.produce(6)
            try await eventually("all is committed") { group.partitions().allSatisfy { group.committed($0) == 6 } }
            // Committed offsets are not committed again.
            group.fake.clearRequests()
            try await eventually("time passes") { group.fake.count(kind.heartbeat) > 5 }
            #expect(group.fake.count(.offsetCommit) == 0)
            #expect(member.rebalances.count == 1)
        }
    }

    @Test("close commits processed offsets, but not those of a batch in progress", arguments: GroupKind.both)
    func closing(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let member = try await group.start(["auto.commit.interval.ms": "600000"])
            try group.produce(6)
            try await group.processed()
            try await eventually("the application waits for the next batch") { member.isIdle }
            member.hold()
            try group.produce(3)
            try await eventually("the application is processing a batch") { member.isStuck }
            #expect(group.committed(TopicPartition("t")) == nil)
            await member.consumer.close()
            #expect(group.committed(TopicPartition("t")) == 6)
            #expect(group.fake.members(ofGroup: GroupFixture.group) == [])
        }
    }

    @Test("offsets of an earlier membership are not sent in a later one")
    func earlierMembership() async throws {
        try await withGroup(.cooperative, partitions: 1) { group in
            let cluster = try group.member().cluster
            let identity = GroupIdentity(groupID: GroupFixture.group, instanceID: nil)
            let offsets = GroupOffsets(
                cluster: cluster, coordinator: GroupCoordinator(cluster: cluster, groupID: GroupFixture.group),
                groupID: GroupFixture.group, identity: identity)
            identity.become(memberID: "first", generation: 1)
            let membership = identity.membership
            identity.become(memberID: "", generation: -1)
            identity.become(memberID: "second", generation: 1)
            let outcome = await offsets.commit(
                [TopicPartition("t"): TopicOffset(offset: OffsetAndMetadata(6))], membership: membership)
            #expect((outcome.failure as? KafkaError)?.code == .unknownMemberId)
            #expect(group.fake.count(.offsetCommit) == 0)
        }
    }

    @Test("a commit is not retried after its partition was revoked", arguments: GroupKind.all)
    func givenUpMeanwhile(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            try group.produce(12)
            let first = try await group.start(["enable.auto.commit": "false"])
            try await group.processed()
            group.fake.clearRequests()
            group.fake.inject(.error(.coordinatorLoadInProgress), into: .offsetCommit, times: .max)
            let commit = Task { try await first.consumer.commit() }
            try await eventually("the commit is refused") { group.fake.count(.offsetCommit) > 1 }
            let second = try await group.start(["enable.auto.commit": "false"])
            try await group.shared(first, second)
            group.fake.clearFaults()
            let error = await #expect(throws: KafkaError.self) { try await commit.value }
            // The coordinator may have refused it as well, at the moment at which the partitions were moved.
            let codes = [ErrorCode.illegalGeneration, .rebalanceInProgress, .staleMemberEpoch]
            #expect(error.map { codes.contains($0.code) } == true, "\(String(describing: error))")
            #expect(group.partitions().allSatisfy { group.committed($0) == nil })
        }
    }

    @Test("a member whose epoch moves while it leaves still commits what was processed")
    func closingAtStaleEpoch() async throws {
        try await withGroup(.consumer, partitions: 1) { group in
            let member = try await processedOnce(group)
            // The coordinator moves to the next epoch, and the member does not learn it.
            try await group.faultHeartbeats(.errorAfterwards(.coordinatorLoadInProgress))
            group.fake.addPartitions(to: "t", count: 2)
            try await eventually("the coordinator is at the next epoch") {
                group.fake.members(ofGroup: GroupFixture.group)?.first?.epoch ?? 0
                    > member.consumer.groupMetadata?.generationID ?? 0
            }
            try await expectCommitOnClose(of: member, in: group)
        }
    }

    @Test(
        "a member that leaves during a rebalance commits with the next generation",
        arguments: [
            APIKey.joinGroup, .syncGroup,
        ])
    func closingDuringRebalance(api: APIKey) async throws {
        try await withGroup(.cooperative, partitions: 1) { group in
            let member = try await processedOnce(group)
            // The coordinator is at the next generation, and the member does not learn it or has not received its
            // assignment.
            let code = ErrorCode.coordinatorLoadInProgress
            group.fake.inject(
                api == .joinGroup ? .errorAfterwards(code) : .error(code), into: api, times: 100_000)
            try await group.rebalance()
            try await eventually("the group waits for the assignment") {
                group.fake.state(ofGroup: GroupFixture.group) == "CompletingRebalance"
            }
            group.fake.clearRequests()
            try await eventually("the member retries") { group.fake.count(api) > 1 }
            try await expectCommitOnClose(of: member, in: group)
        }
    }

    /// A member that has processed three records, and has committed nothing.
    private func processedOnce(_ group: GroupFixture) async throws -> RunningMember {
        try group.produce(3)
        let member = try await group.start(["auto.commit.interval.ms": "600000"])
        try await group.processed()
        try await eventually("the application waits for the next batch") { member.isIdle }
        try await eventually("the group is stable") { group.fake.state(ofGroup: GroupFixture.group) == "Stable" }
        return member
    }

    /// Closes a member whose commits are refused until the faults end.
    private func expectCommitOnClose(of member: RunningMember, in group: GroupFixture) async throws {
        group.fake.clearRequests()
        let closing = Task { await member.consumer.close(within: .seconds(20)) }
        try await eventually("the commit is retried") { group.fake.count(.offsetCommit) > 1 }
        group.fake.clearFaults()
        let report = await closing.value
        #expect(report.isComplete, "\(report)")
        #expect(group.committed(TopicPartition("t")) == 3)
        #expect(member.lost.isEmpty)
        #expect(group.fake.members(ofGroup: GroupFixture.group) == [])
    }

    @Test("with enable.auto.commit=false only the application commits", arguments: GroupKind.both)
    func byHand(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let partition = TopicPartition("t")
            let member = try await group.start(["enable.auto.commit": "false", "auto.commit.interval.ms": "5"])
            try group.produce(6)
            try await group.processed()
            try await eventually("the application waits for the next batch") { member.isIdle }
            try await member.consumer.commit([partition: OffsetAndMetadata(4, metadata: "so far")])
            #expect(
                try await member.consumer.committed([partition]) == [
                    partition: OffsetAndMetadata(4, metadata: "so far")
                ])
            try await member.consumer.commit()
            #expect(group.committed(partition) == 6)
            try group.produce(3)
            try await group.processed()
            await member.close()
            #expect(group.committed(partition) == 6)

            let next = try await group.start(["enable.auto.commit": "false"])
            try await eventually("the uncommitted records are read again") {
                group.ledger[partition] == Array(0..<9) + Array(6..<9)
            }
            #expect(next.lost.isEmpty)
        }
    }

    @Test(
        "a commit is retried after retriable errors",
        arguments: GroupKind.both,
        [ErrorCode.rebalanceInProgress, .coordinatorLoadInProgress, .notCoordinator, .staleMemberEpoch])
    func passing(kind: GroupKind, code: ErrorCode) async throws {
        try await withGroup(kind) { group in
            let member = try await group.start(["enable.auto.commit": "false"])
            try group.produce(6)
            try await group.processed()
            group.fake.clearRequests()
            group.fake.inject(.error(code), into: .offsetCommit, times: 3)
            try await member.consumer.commit()
            #expect(group.partitions().allSatisfy { group.committed($0) == 6 })
            #expect(group.fake.count(.offsetCommit) == 4)
            // The old coordinator still accepts heartbeats: only the commit has noticed the move.
            if code == .notCoordinator { #expect(group.fake.count(.findCoordinator) > 0) }
            #expect(member.rebalances.count == 1)
        }
    }

    @Test("a refused commit throws an error that names its partition", arguments: GroupKind.both)
    func refused(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let member = try await group.start(["enable.auto.commit": "false"])
            try group.produce(3)
            try await group.processed()
            group.fake.inject(.error(.groupAuthorizationFailed), into: .offsetCommit)
            let error = await #expect(throws: KafkaError.self) { try await member.consumer.commit() }
            #expect(error?.code == .groupAuthorizationFailed)
            #expect(error?.topic == "t")
            #expect(error?.partition == 0)
            try await member.consumer.commit()
            #expect(group.committed(TopicPartition("t")) == 3)
        }
    }

    @Test(
        "a fetch of offsets waits for open transactions (UNSTABLE_OFFSET_COMMIT)", arguments: GroupKind.both
    )
    func unstable(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            try group.produce(6)
            let partition = TopicPartition("t")
            let configuration = try ClientConfiguration(
                bootstrapServers: group.fake.bootstrapServers, properties: ["transactional.id": "tx"])
            let cluster = Cluster(configuration: configuration)
            let producer = KafkaProducer(cluster: cluster)
            try await producer.initTransactions()
            try await producer.beginTransaction()
            try await producer.sendOffsets(
                [partition: OffsetAndMetadata(3)], group: ConsumerGroupMetadata(groupID: GroupFixture.group))

            let member = try await group.start()
            try await eventually("the offset fetch is retried") { group.fake.count(.offsetFetch) > 2 }
            #expect(member.assignment.isEmpty)
            try await producer.commitTransaction()
            try await eventually("the remaining records are read") { group.ledger[partition] == [3, 4, 5] }
            #expect(member.rebalances == [.assigned([partition])])
            await producer.close()
            await cluster.close()
        }
    }
}

extension GroupKind {
    var heartbeat: APIKey { self == .consumer ? .consumerGroupHeartbeat : .heartbeat }
}
