import KafkaFake
import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

@Suite("Faults in a KIP-848 group", .timeLimit(.minutes(1)))
struct ConsumerGroupFaultTests {
    private static let faults =
        [
            Fault.error(.notCoordinator), .errorAfterwards(.notCoordinator), .hangUp(.beforehand),
            .hangUp(.beforeAnswer), .hangUp(.withinAnswer),
        ] + (LongTests.areEnabled ? [.error(.coordinatorLoadInProgress), .error(.coordinatorNotAvailable)] : [])

    @Test(
        "retriable errors and cut connections are retried until they pass",
        arguments: [APIKey.findCoordinator, .consumerGroupHeartbeat, .offsetCommit, .offsetFetch], faults)
    func passing(api: APIKey, fault: Fault) async throws {
        try await withGroup(.consumer) { group in try await group.joinAndLeave(with: fault, in: api, first: 2) }
    }

    @Test("two consecutive lost responses during a rebalance have no effect")
    func lostAnswers() async throws {
        try await withGroup(.consumer, partitions: 6) { group in
            let stays = try await group.start()
            try await settled(group, stays)
            for _ in 0..<3 {
                try group.produce(6)
                // The coordinator processes the heartbeats, but the answers are lost. A member that misses more than one
                // epoch is fenced.
                group.fake.inject(.hangUp(.beforeAnswer), into: .consumerGroupHeartbeat, times: 2)
                let comes = try await group.start()
                try await settled(group, stays, comes)
                group.fake.inject(.hangUp(.withinAnswer), into: .consumerGroupHeartbeat, times: 2)
                try group.produce(6)
                try await comes.stop()
                try await settled(group, stays)
            }
            try await group.finish()
        }
    }

    /// Waits until these members own their target assignments and know their current epochs.
    private func settled(_ group: GroupFixture, _ members: RunningMember...) async throws {
        try await eventually("\(members.count) members are settled") {
            let known = group.fake.members(ofGroup: GroupFixture.group) ?? []
            return known.count == members.count && group.fake.state(ofGroup: GroupFixture.group) == "Stable"
                && members.allSatisfy { member in
                    known.contains {
                        $0.id == member.consumer.groupMetadata?.memberID
                            && $0.epoch == member.consumer.groupMetadata?.generationID
                            && Set($0.partitions) == member.assignment
                    }
                }
        }
    }

    @Test("a member that leaves before its first heartbeat was answered is removed from the group")
    func leavesAtOnce() async throws {
        try await withGroup(.consumer) { group in
            group.fake.inject(.late(.milliseconds(500)), into: .consumerGroupHeartbeat)
            let member = try await group.start()
            try await eventually("the coordinator knows it") {
                group.fake.members(ofGroup: GroupFixture.group)?.count == 1
            }
            await member.consumer.close()
            #expect(group.fake.members(ofGroup: GroupFixture.group)?.isEmpty ?? true)
        }
    }

    @Test("partitions are lost if the commit during a revocation is refused with a lost membership")
    func lostInRebalance() async throws {
        try await withGroup(.consumer) { group in
            try group.produce(6)
            let member = try await group.start(["auto.commit.interval.ms": "600000"])
            try await group.processed()
            try await eventually("the application waits for the next batch") { member.isIdle }
            let all = group.partitions()
            group.fake.inject(.error(.fencedMemberEpoch), into: .offsetCommit)
            let second = try await group.start()
            try await group.shared(member, second)
            #expect(member.revoked.isEmpty)
            #expect(member.lost.reduce([]) { $0.union($1) } == all)
        }
    }

    @Test(
        "a request with a stale epoch is retried with the next epoch",
        arguments: [
            APIKey.offsetCommit, .offsetFetch,
        ])
    func staleEpoch(api: APIKey) async throws {
        try await withGroup(.consumer) { group in
            try group.produce(6)
            group.fake.inject(.error(.staleMemberEpoch), into: api, times: 3)
            let first = try await group.start()
            try await group.processed()
            group.fake.inject(.error(.staleMemberEpoch), into: api, times: 3)
            let second = try await group.start()
            try group.produce(6)
            try await group.shared(first, second)
            try await group.finish()
        }
    }

    @Test("a pattern that the broker refuses is reported as an error")
    func wrongPattern() async throws {
        try await withGroup(.consumer) { group in
            let error = try await group.start([:], .pattern("t(")).failure()
            #expect(error?.code == .invalidRegularExpression)
        }
    }

    // MARK: Static members (KIP-345)

    @Test("a static member returns to its partitions without a rebalance of the others")
    func staticMember() async throws {
        try await withGroup(.consumer) { group in
            let first = try await group.start(["group.instance.id": "a"])
            let second = try await group.start(["group.instance.id": "b"])
            try await group.shared(first, second)
            let (before, rebalances) = (second.assignment, first.rebalances)
            try group.produce(6)
            try await second.stop()
            try group.produce(6)
            let again = try await group.start(["group.instance.id": "b"])
            try await eventually("it waits for the next batch") { again.assignment == before }
            try await group.processed()
            #expect(first.rebalances == rebalances)
            try await group.finish()
        }
    }

    @Test("a second member with the same instance id is refused at once while the first is a member")
    func unreleased() async throws {
        try await withGroup(.consumer) { group in
            let older = try await group.start(["group.instance.id": "a"])
            try await group.shared(older)
            let newer = try await group.start(["group.instance.id": "a"])
            #expect(await newer.failure()?.code == .unreleasedInstanceId)
            await newer.close()
            try group.produce(6)
            try await group.processed()
            #expect(older.rebalances.count == 1)
        }
    }

    @Test("a member that returns late and finds its instance id taken fails at once")
    func replaced() async throws {
        try await withGroup(.consumer) { group in
            let older = try await group.start(["group.instance.id": "a", "max.poll.interval.ms": "100"])
            let all = group.partitions()
            try await group.shared(older)
            older.hold()
            try group.produce(6)
            try await eventually("it is away") {
                group.fake.members(ofGroup: GroupFixture.group)?.first?.epoch == -2
            }
            let newer = try await group.start(["group.instance.id": "a"])
            try await group.shared(newer)
            try await group.processed()
            older.release()
            #expect(await older.failure()?.code == .unreleasedInstanceId)
            #expect(older.lost == [all])
            #expect(newer.lost.isEmpty)
        }
    }

    @Test("FENCED_INSTANCE_ID ends the membership at once", arguments: [APIKey.consumerGroupHeartbeat, .offsetCommit])
    func fencedInstance(api: APIKey) async throws {
        try await withGroup(.consumer) { group in
            let member = try await group.start(["group.instance.id": "a"])
            try await group.shared(member)
            group.fake.inject(.error(.fencedInstanceId), into: api)
            try group.produce(6)
            #expect(await member.failure()?.code == .fencedInstanceId)
            #expect(member.lost == [group.partitions()])
        }
    }
}
