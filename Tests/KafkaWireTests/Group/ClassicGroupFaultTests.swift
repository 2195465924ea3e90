import KafkaFake
import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

@Suite("Faults in a classic group", .timeLimit(.minutes(1)))
struct ClassicGroupFaultTests {
    private static let passing =
        [ErrorCode.notCoordinator, .coordinatorLoadInProgress]
        + (LongTests.areEnabled ? [.coordinatorNotAvailable] : [])
    private static let cuts = [Fault.hangUp(.beforehand), .hangUp(.beforeAnswer), .hangUp(.withinAnswer)]

    @Test(
        "retriable errors are retried until they pass",
        arguments: [APIKey.findCoordinator, .joinGroup, .syncGroup, .heartbeat, .offsetCommit, .offsetFetch], passing)
    func passingErrors(api: APIKey, code: ErrorCode) async throws {
        try await withGroup(.cooperative) { group in try await group.joinAndLeave(with: .error(code), in: api) }
    }

    @Test(
        "connection faults are retried until they pass",
        arguments: [APIKey.joinGroup, .syncGroup, .heartbeat, .offsetCommit, .offsetFetch], cuts)
    func cutConnections(api: APIKey, fault: Fault) async throws {
        // Each rebalance revokes and reassigns all partitions.
        try await withGroup(.range) { group in
            let (first, second) = (try await group.start(), try await group.start())
            try await group.shared(first, second)
            for _ in 0..<3 {
                try group.produce(6)
                try await group.processed()
                let count = first.rebalances.count
                group.fake.inject(fault, into: api, times: 2)
                try group.produce(6)
                try await group.rebalance()
                try await eventually("the rebalance is over") { first.rebalances.count >= count + 2 }
                try await group.shared(first, second)
            }
            try await group.finish()
        }
    }

    @Test("a lost member id delays the group by at most one session timeout (KIP-394)")
    func lostMemberID() async throws {
        try await withGroup(.range) { group in
            try group.produce(6)
            group.fake.inject(.hangUp(.beforeAnswer), into: .joinGroup)
            let member = try await group.start(["session.timeout.ms": "10000"])
            try await eventually("it has joined with another member id") {
                group.fake.members(ofGroup: GroupFixture.group)?.count == 1
            }
            #expect(group.fake.state(ofGroup: GroupFixture.group) == "PreparingRebalance")
            group.fake.advance(by: .seconds(10))
            try await group.shared(member)
            try await group.finish()
        }
    }

    @Test("each record is processed once through repeated rebalances", arguments: [GroupKind.range, .cooperative])
    func rebalances(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let (first, second) = (try await group.start(), try await group.start())
            try await group.shared(first, second)
            for round in 0..<6 {
                try group.produce(6)
                try await group.rebalance()
                // The second rebalance begins during the first.
                if round % 2 == 0 { group.fake.inject(.error(.rebalanceInProgress), into: .syncGroup) }
                try await eventually("it is over") { group.fake.state(ofGroup: GroupFixture.group) == "Stable" }
            }
            try await group.shared(first, second)
            try await group.finish()
        }
    }

    @Test("a commit with an outdated generation succeeds after the member has joined the next one")
    func generationPassedBy() async throws {
        try await withGroup(.cooperative) { group in
            let (first, second) = (try await group.start(), try await group.start())
            try await group.shared(first, second)
            try group.produce(6)
            try await group.processed()
            // One member has sent JoinGroup and does not know yet that the coordinator is at the next generation.
            group.fake.inject(.late(.milliseconds(100)), into: .joinGroup, times: 2)
            try await group.rebalance()
            try await eventually("all have joined") {
                group.fake.state(ofGroup: GroupFixture.group) == "CompletingRebalance"
            }
            try await first.consumer.commit()
            try await group.finish()
        }
    }

    @Test(
        "partitions are lost if the commit during a revocation is refused with a lost membership",
        arguments: [GroupKind.range])
    func lostInRebalance(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            try group.produce(6)
            let member = try await group.start(["auto.commit.interval.ms": "600000"])
            try await group.processed()
            let all = group.partitions()
            let id = try #require(member.consumer.groupMetadata?.memberID)
            group.fake.inject(.error(.unknownMemberId), into: .offsetCommit)
            try await group.rebalance()
            try await eventually("the handler was called") { !member.lost.isEmpty }
            group.fake.expire(member: id, ofGroup: GroupFixture.group)
            try await group.shared(member)
            #expect(member.rebalances == [.assigned(all), .lost(all), .assigned(all)])
        }
    }

    @Test("revoked partitions get a new owner even if taking over the others keeps failing")
    func givenUpAndFailed() async throws {
        try await withGroup(.cooperative, partitions: 2) { group in
            // No member watches for new topics, so the next rebalance both revokes and assigns.
            let properties = ["default.api.timeout.ms": "100", "retry.backoff.max.ms": "600000"]
            let first = try await group.start(properties, .topics(["t", "u"]))
            try await eventually("it has all partitions") { first.assignment == group.partitions() }
            group.fake.inject(.error(.unstableOffsetCommit), into: .offsetFetch, times: .max)
            group.fake.createTopic("u", partitions: 1)
            let second = try await group.start(properties)
            try await eventually("it has revoked a partition") { !first.revoked.isEmpty }
            group.fake.clearRequests()
            try await eventually("fetching the offsets was refused several times") {
                group.fake.count(.offsetFetch) > 4
            }
            group.fake.clearFaults()
            try await group.shared(first, second, topics: ["t", "u"])
        }
    }

    // MARK: Static members (KIP-345)

    @Test(
        "a static member returns to its partitions without a rebalance of the others",
        arguments: [GroupKind.range, .cooperative])
    func staticMember(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let first = try await group.start(["group.instance.id": "a"])
            let second = try await group.start(["group.instance.id": "b"])
            try await group.shared(first, second)
            let (before, rebalances) = (second.assignment, first.rebalances)
            let generation = group.fake.members(ofGroup: GroupFixture.group)?.first?.epoch
            try group.produce(6)
            try await second.stop()
            try group.produce(6)
            let again = try await group.start(["group.instance.id": "b"])
            try await eventually("it waits for the next batch") { again.assignment == before }
            try await group.processed()
            #expect(first.rebalances == rebalances)
            #expect(group.fake.members(ofGroup: GroupFixture.group)?.first?.epoch == generation)
            try await group.finish()
        }
    }

    @Test("a static leader that returns still notices new partitions of a topic (KIP-814)")
    func staticLeader() async throws {
        try await withGroup(.range, partitions: 2) { group in
            let properties = ["group.instance.id": "a", "metadata.max.age.ms": "20"]
            let first = try await group.start(properties)
            try await group.shared(first)
            try await first.stop()
            let again = try await group.start(properties)
            try await group.shared(again)
            group.fake.addPartitions(to: "t", count: 3)
            try group.produce(6)
            try await group.shared(again)
            try await group.finish()
        }
    }

    @Test(
        "the older of two members with the same instance id is fenced at once",
        arguments: [GroupKind.range, .cooperative])
    func fenced(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let older = try await group.start(["group.instance.id": "a"])
            try await group.shared(older)
            try group.produce(6)
            try await group.processed()
            let newer = try await group.start(["group.instance.id": "a"])
            let error = await older.failure()
            #expect(error?.code == .fencedInstanceId)
            #expect(older.lost == [group.partitions()])
            #expect(older.assignment.isEmpty)
            let commit = await #expect(throws: KafkaError.self) {
                try await older.consumer.commit([TopicPartition("t"): OffsetAndMetadata(1)])
            }
            #expect(commit?.code == .fencedInstanceId)
            try await group.shared(newer)
            try group.produce(6)
            try await group.processed()
            #expect(newer.lost.isEmpty)
        }
    }
}
