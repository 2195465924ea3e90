import Testing

@testable import KafkaFake
@testable import KafkaWire

@Suite("Classic groups in the fake, as a state machine")
struct FakeClassicGroupTests {
    private var group = KafkaFake.ClassicGroup()
    private var now = ContinuousClock.now
    private var lastID = 0

    private mutating func join(
        _ id: String = "", instance: String? = nil, client: String = "c", strategies: [String] = ["range"],
        metadata: [UInt8] = [1], requiresID: Bool = false, canSkip: Bool = true, settings: GroupSettings = .init()
    ) -> KafkaFake.ClassicGroup.Reply<KafkaFake.ClassicGroup.JoinAnswer> {
        let join = KafkaFake.ClassicGroup.Join(
            memberID: id, instanceID: instance, clientID: client, sessionTimeout: .seconds(10),
            rebalanceTimeout: .seconds(60), protocolType: "consumer",
            strategies: strategies.map { .init(name: $0, metadata: ByteSlice(metadata)) },
            requiresMemberID: requiresID, canSkipAssignment: canSkip, settings: settings)
        lastID += 1
        return group.join(join, freshID: "\(lastID)", at: now)
    }

    /// The response to a request; fails if there is none yet.
    private mutating func answer(_ reply: KafkaFake.ClassicGroup.Reply<KafkaFake.ClassicGroup.JoinAnswer>) throws
        -> KafkaFake.ClassicGroup.JoinAnswer
    {
        switch reply {
        case .now(let answer): return answer
        case .later(let ticket):
            let found = group.joinAnswers.removeValue(forKey: ticket)
            return try #require(found)
        }
    }

    private mutating func sync(
        _ id: String, _ assignments: [String: [UInt8]] = [:], generation: Int32? = nil
    ) -> KafkaFake.ClassicGroup.Reply<KafkaFake.ClassicGroup.SyncAnswer> {
        let sync = KafkaFake.ClassicGroup.Sync(
            memberID: id, instanceID: nil, generation: generation ?? group.generation, protocolType: "consumer",
            strategy: group.strategy, assignments: assignments.mapValues { ByteSlice($0) })
        return group.sync(sync, at: now)
    }

    private mutating func answer(_ reply: KafkaFake.ClassicGroup.Reply<KafkaFake.ClassicGroup.SyncAnswer>) throws
        -> KafkaFake.ClassicGroup.SyncAnswer
    {
        switch reply {
        case .now(let answer): return answer
        case .later(let ticket):
            let found = group.syncAnswers.removeValue(forKey: ticket)
            return try #require(found)
        }
    }

    private func isWaiting<Answer>(_ reply: KafkaFake.ClassicGroup.Reply<Answer>) -> Bool {
        if case .later(let ticket) = reply {
            group.joinAnswers[ticket] == nil && group.syncAnswers[ticket] == nil
        } else {
            false
        }
    }

    /// A stable group with two members; the first is the leader.
    private mutating func twoMembers() throws -> (String, String) {
        let first = try answer(join())
        let second = join()
        #expect(isWaiting(second))
        let again = try answer(join(first.memberID))
        let joined = try answer(second)
        #expect(again.generation == joined.generation)
        #expect(again.leader == first.memberID && joined.leader == first.memberID)
        let waiting = sync(joined.memberID)
        #expect(isWaiting(waiting))
        _ = try answer(sync(first.memberID, [first.memberID: [1], joined.memberID: [2]]))
        let assigned = try answer(waiting)
        #expect(Array(assigned.assignment) == [2])
        #expect(group.phase == .stable)
        return (first.memberID, joined.memberID)
    }

    @Test("two members join, only the leader sees both, and each gets the leader's assignment")
    mutating func generation() throws {
        _ = try twoMembers()
        #expect(group.generation == 2)
        #expect(group.joinedMembers.count == 2)
    }

    @Test("a member id is assigned before the join if required, and the reserved id expires")
    mutating func promisedID() throws {
        let first = try answer(join(requiresID: true))
        #expect(first.error == .memberIdRequired)
        #expect(group.members.isEmpty)
        #expect(try answer(join(first.memberID, requiresID: true)).error == .none)
        let second = try answer(join(requiresID: true))
        now += .seconds(9)
        #expect(group.heartbeat(first.memberID, instanceID: nil, generation: 1, at: now) == .none)
        now += .seconds(1)
        group.expire(at: now)
        #expect(try answer(join(second.memberID)).error == .unknownMemberId)
        #expect(try answer(join("somebody")).error == .unknownMemberId)
    }

    @Test("of the strategies that all members support, the one that most prefer is selected")
    mutating func strategies() throws {
        let first = try answer(join(strategies: ["sticky", "range", "roundrobin"]))
        let second = join(strategies: ["range", "sticky"])
        #expect(try answer(join(strategies: ["lottery"])).error == .inconsistentGroupProtocol)
        let third = join(strategies: ["range", "lottery", "sticky"])
        let again = try answer(join(first.memberID, strategies: ["sticky", "range", "roundrobin"]))
        #expect(again.strategy == "range")
        #expect(again.members.count == 3)
        let (two, three) = (try answer(second), try answer(third))
        #expect(two.strategy == "range" && two.members.isEmpty && three.generation == again.generation)
    }

    @Test("a silent member is removed, and the others rejoin")
    mutating func sessions() throws {
        let (first, second) = try twoMembers()
        now += .seconds(9)
        #expect(group.heartbeat(first, instanceID: nil, generation: 2, at: now) == .none)
        now += .seconds(1)
        group.expire(at: now)
        #expect(group.members.map(\.id) == [first])
        #expect(group.heartbeat(first, instanceID: nil, generation: 2, at: now) == .rebalanceInProgress)
        #expect(group.heartbeat(second, instanceID: nil, generation: 2, at: now) == .unknownMemberId)
        #expect(try answer(join(first)).generation == 3)
        #expect(group.heartbeat(first, instanceID: nil, generation: 2, at: now) == .illegalGeneration)
    }

    @Test("a rebalance continues without members that don't rejoin in time")
    mutating func rebalanceTimeout() throws {
        let (first, second) = try twoMembers()
        let again = join(first)
        #expect(isWaiting(again))
        for _ in 0..<6 {
            now += .seconds(9)
            #expect(group.heartbeat(second, instanceID: nil, generation: 2, at: now) == .rebalanceInProgress)
            group.expire(at: now)
        }
        #expect(isWaiting(again))
        #expect(group.nextDeadline == now + .seconds(6))
        now += .seconds(6)
        group.expire(at: now)
        #expect(try answer(again).members.map(\.id) == [first])
        #expect(try answer(join(second)).error == .unknownMemberId)
    }

    @Test("a member that doesn't sync in time is removed")
    mutating func syncTimeout() throws {
        let first = try answer(join())
        for _ in 0..<6 {
            now += .seconds(9)
            #expect(group.heartbeat(first.memberID, instanceID: nil, generation: 1, at: now) == .none)
        }
        now += .seconds(6)
        group.expire(at: now)
        #expect(group.members.isEmpty && group.phase == .empty)

        let (one, two) = try twoMembers()
        for _ in 0..<10 {
            now += .seconds(9)
            for id in [one, two] { _ = group.heartbeat(id, instanceID: nil, generation: group.generation, at: now) }
            group.expire(at: now)
        }
        #expect(group.phase == .stable && group.members.count == 2)
    }

    @Test("a member that rejoins unchanged gets the current generation; a leader starts a new one")
    mutating func joiningAgain() throws {
        let (first, second) = try twoMembers()
        let response = try answer(join(second))
        #expect(response.generation == 2 && group.phase == .stable)
        let changed = join(second, metadata: [9])
        #expect(isWaiting(changed))
        #expect(try answer(join(first)).generation == 3)
        _ = try answer(changed)
        #expect(group.phase == .completingRebalance)
        #expect(try answer(join(first)).generation == 3)
        _ = try answer(sync(first))
        let leaderAgain = join(first)
        #expect(isWaiting(leaderAgain))
        #expect(group.phase == .preparingRebalance)
    }

    @Test("a sync is rejected during a rebalance, and for another generation or strategy")
    mutating func sync() throws {
        let (first, second) = try twoMembers()
        #expect(Array(try answer(sync(second)).assignment) == [2])
        #expect(try answer(sync(second, generation: 1)).error == .illegalGeneration)
        #expect(try answer(sync("nobody")).error == .unknownMemberId)
        _ = try answer(join(second))
        _ = join(first)
        #expect(try answer(sync(second)).error == .rebalanceInProgress)
        _ = join(second)
        let waiting = sync(second)
        _ = group.leave(first, instanceID: nil, at: now)
        #expect(try answer(waiting).error == .rebalanceInProgress)
        #expect(group.leader == second)
    }

    @Test("a static member that rejoins keeps its place without a rebalance, and its previous id is fenced")
    mutating func staticMembers() throws {
        let first = try answer(join(instance: "a"))
        _ = try answer(sync(first.memberID, [first.memberID: [7]]))
        let again = try answer(join(instance: "a"))
        #expect(again.error == .none && again.generation == 1 && again.memberID != first.memberID)
        #expect(again.skipsAssignment && again.leader == again.memberID && again.members.count == 1)
        #expect(Array(try answer(sync(again.memberID)).assignment) == [7])
        #expect(group.heartbeat(first.memberID, instanceID: "a", generation: 1, at: now) == .fencedInstanceId)
        #expect(group.heartbeat(first.memberID, instanceID: nil, generation: 1, at: now) == .unknownMemberId)
        #expect(group.heartbeat(again.memberID, instanceID: "b", generation: 1, at: now) == .unknownMemberId)
        let older = try answer(join(instance: "a", canSkip: false))
        #expect(older.leader == again.memberID && older.members.isEmpty && !older.skipsAssignment)
        #expect(group.leave(again.memberID, instanceID: "a", at: now) == .fencedInstanceId)
        #expect(group.leave("", instanceID: "a", at: now) == .none)
        #expect(group.phase == .empty)
    }

    @Test("offset commits are accepted only from current members, and from any client if the group is empty")
    mutating func commits() throws {
        func check(_ id: String, _ generation: Int32, transactional: Bool = false) -> ErrorCode {
            group.checkCommit(id, instanceID: nil, generation: generation, isTransactional: transactional, at: now)
        }
        #expect(check("", -1) == .none)
        let (first, second) = try twoMembers()
        #expect(check("", -1) == .unknownMemberId)
        #expect(check("", -1, transactional: true) == .none)
        #expect(check(first, 2) == .none)
        #expect(check(first, 1) == .illegalGeneration)
        #expect(check("nobody", 2) == .unknownMemberId)
        _ = join(first)
        #expect(check(second, 2) == .none)
        _ = join(second)
        #expect(check(second, 3) == .rebalanceInProgress)
        #expect(check(second, 3, transactional: true) == .none)
    }

    @Test("the first rebalance waits for more members if configured")
    mutating func initialDelay() throws {
        var settings = GroupSettings()
        settings.initialRebalanceDelay = .seconds(3)
        let first = join(settings: settings)
        #expect(isWaiting(first))
        now += .seconds(2)
        let second = join(settings: settings)
        now += .seconds(2)
        group.expire(at: now)
        #expect(isWaiting(first))
        now += .seconds(1)
        group.expire(at: now)
        let (one, two) = (try answer(first), try answer(second))
        #expect(one.generation == 1 && two.generation == 1 && one.members.count == 2)
    }
}
