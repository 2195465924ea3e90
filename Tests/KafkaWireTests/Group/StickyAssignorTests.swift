import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

@Suite("Sticky assignment")
struct StickyAssignorTests {
    /// A group whose members read random topics, and claim random partitions of an earlier generation.
    private struct RandomGroup {
        var members: [GroupMember] = []
        var counts: [String: Int32] = [:]

        init(seed: UInt64, isSmall: Bool) {
            var random = RandomValues(seed: seed)
            let topics = (0...Int(random.next() % 3)).map { "t\($0)" }
            for topic in topics { counts[topic] = Int32(random.next() % (isSmall ? 3 : 12)) }
            let areAlike = random.chance(of: 3)
            for index in 0...Int(random.next() % (isSmall ? 3 : 7)) {
                let own = areAlike ? topics : topics.filter { _ in !random.chance(of: 3) }
                // Claims may be contradictory: two members for one partition, unread topics, missing partitions.
                let claimed = topics.flatMap { topic in
                    (0..<(counts[topic] ?? 0) + 1).filter { _ in random.chance(of: 3) }
                        .map { TopicPartition(topic, $0) }
                }
                members.append(
                    member("m\(index)", own, owned: claimed, generation: Int32(random.next() % 3)))
            }
        }

        /// The same group for the eager sticky assignor, which has the previous partitions in the user data.
        func eager() throws -> [GroupMember] {
            try members.map { member in
                let subscription = member.subscription
                let data = StickyUserData(
                    previous: subscription.ownedPartitions.topicPartitions, generation: subscription.generationId)
                return KafkaWireTests.member(member.id, subscription.topics, userData: try data.encoded())
            }
        }

        /// All partitions that any member reads.
        var readable: Set<TopicPartition> {
            Set(
                Set(members.flatMap(\.subscription.topics)).flatMap { topic in
                    (0..<(counts[topic] ?? 0)).map { TopicPartition(topic, $0) }
                })
        }
    }

    /// - Returns: Members of which the first has all partitions of a previous generation.
    private func newcomers(_ count: Int, partitions: Int32) -> [GroupMember] {
        let all = (0..<partitions).map { TopicPartition("t", $0) }
        return (0..<count).map { index in
            member("m\(index)", ["t"], owned: index == 0 ? all : [], generation: index == 0 ? 1 : -1)
        }
    }

    @Test("10,000 partitions are assigned in nearly linear time", arguments: [2, 50])
    func many(members: Int) {
        for assignor in PartitionAssignor.allKnown {
            let group = newcomers(members, partitions: 10_000)
            let begin = ContinuousClock.now
            let assigned = PartitionAssignment.assign(group, partitionCounts: ["t": 10_000], by: assignor)
            // A quadratic assignment takes minutes here in a debug build.
            #expect(.now - begin < .seconds(30), "\(assignor)")
            #expect(assigned.count == members)
            guard assignor != .cooperativeSticky else { continue }
            #expect(assigned.values.allSatisfy { $0.count == 10_000 / members })
        }
    }

    private func squares(_ loads: some Sequence<Int>) -> Int { loads.reduce(0) { $0 + $1 * $1 } }

    @Test("each partition goes to one member that reads it", arguments: 0..<UInt64(LongTests.count(400, quick: 100)))
    func valid(seed: UInt64) throws {
        let group = RandomGroup(seed: seed, isSmall: false)
        let members = try group.eager()
        let assigned = PartitionAssignment.assign(members, partitionCounts: group.counts, by: .sticky)
        #expect(Set(assigned.keys) == Set(members.map(\.id)))
        let all = assigned.values.joined()
        #expect(all.count == Set(all).count)
        #expect(Set(all) == group.readable)
        for member in members {
            #expect((assigned[member.id] ?? []).allSatisfy { member.subscription.topics.contains($0.topic) })
        }
    }

    @Test("no assignment is more even", arguments: 0..<UInt64(LongTests.count(400, quick: 100)))
    func balanced(seed: UInt64) throws {
        let group = RandomGroup(seed: seed, isSmall: true)
        let members = try group.eager()
        let assigned = PartitionAssignment.assign(members, partitionCounts: group.counts, by: .sticky)
        // All possible assignments of at most six partitions to at most four members.
        var loads = [Array(repeating: 0, count: members.count)]
        for partition in group.readable {
            loads = loads.flatMap { load in
                members.indices.filter { members[$0].subscription.topics.contains(partition.topic) }.map { index in
                    var load = load
                    load[index] += 1
                    return load
                }
            }
        }
        #expect(squares(assigned.values.map(\.count)) == loads.map { squares($0) }.min())
    }

    @Test("an even assignment does not change", arguments: 0..<200)
    func stable(seed: UInt64) throws {
        let group = RandomGroup(seed: seed, isSmall: false)
        let first = PartitionAssignment.assign(try group.eager(), partitionCounts: group.counts, by: .sticky)
        let again = try group.members.map { member in
            let data = StickyUserData(previous: first[member.id] ?? [], generation: 7)
            return KafkaWireTests.member(member.id, member.subscription.topics, userData: try data.encoded())
        }
        #expect(PartitionAssignment.assign(again, partitionCounts: group.counts, by: .sticky) == first)
    }

    @Test("when a member joins or leaves, the others move only surplus partitions", arguments: 2..<12)
    func keeps(count: Int) throws {
        func members(_ range: Range<Int>, _ had: [String: [TopicPartition]]) throws -> [GroupMember] {
            try range.map { index in
                let data = StickyUserData(previous: had["m\(index)"] ?? [], generation: 3)
                return member("m\(index)", ["t", "u"], userData: try data.encoded())
            }
        }
        let counts: [String: Int32] = ["t": 17, "u": 12]
        let before = PartitionAssignment.assign(try members(0..<count, [:]), partitionCounts: counts, by: .sticky)
        func moved(_ after: [String: [TopicPartition]]) -> Int {
            after.map { member, partitions in Set(partitions).subtracting(before[member] ?? []).count }.reduce(0, +)
        }
        let joined = PartitionAssignment.assign(
            try members(0..<count + 1, before), partitionCounts: counts, by: .sticky)
        #expect(moved(joined) == joined["m\(count)"]?.count)
        let left = PartitionAssignment.assign(try members(1..<count, before), partitionCounts: counts, by: .sticky)
        #expect(moved(left) == before["m0"]?.count)
    }

    @Test("the later generation wins, and with equal generations neither claim does")
    func claims() throws {
        let counts: [String: Int32] = ["t": 4]
        let members = [
            member("a", ["t"], owned: partitions("t-0 t-1"), generation: 4),
            member("b", ["t"], owned: partitions("t-0 t-1 t-2"), generation: 5),
            member("c", ["t"], owned: partitions("t-2 t-3"), generation: 5),
        ]
        let claims = members.map(CooperativeUserData.claim)
        let assigned = StickyAssignment(members, counts, claims: claims).assigned
        #expect(assigned["b"]?.contains(TopicPartition("t", 0)) == true)
        #expect(assigned["b"]?.contains(TopicPartition("t", 1)) == true)
        #expect(assigned["c"]?.contains(TopicPartition("t", 3)) == true)
        #expect(assigned["a"] == partitions("t-2"))
    }

    // MARK: Cooperative

    @Test(
        "an owned partition moves only in the second rebalance",
        arguments: 0..<UInt64(LongTests.count(300, quick: 75)))
    func twoPhases(seed: UInt64) throws {
        let group = RandomGroup(seed: seed, isSmall: false)
        let cooperative = PartitionAssignor.cooperativeSticky
        // Each partition has at most one owner, as in a group without faults.
        var owned: [String: Set<TopicPartition>] = [:]
        var taken: Set<TopicPartition> = []
        for member in group.members {
            owned[member.id] = Set(member.subscription.ownedPartitions.topicPartitions).subtracting(taken)
            taken.formUnion(owned[member.id] ?? [])
        }
        for round in 1...3 {
            let members = group.members.map { member in
                KafkaWireTests.member(
                    member.id, member.subscription.topics, owned: Array(owned[member.id] ?? []),
                    generation: Int32(round))
            }
            let assigned = PartitionAssignment.assign(members, partitionCounts: group.counts, by: cooperative)
            var revoked = false
            for member in members {
                let own = Set(assigned[member.id] ?? [])
                for other in members where other.id != member.id {
                    #expect(own.isDisjoint(with: owned[other.id] ?? []), "round \(round)")
                    #expect(own.isDisjoint(with: assigned[other.id] ?? []), "round \(round)")
                }
                if !(owned[member.id] ?? []).isSubset(of: own) { revoked = true }
            }
            owned = assigned.mapValues(Set.init)
            if !revoked {
                #expect(Set(assigned.values.joined()) == group.readable)
                return
            }
        }
        Issue.record("partitions are revoked in every rebalance")
    }

    // MARK: On the wire

    @Test("user data of the Java client's sticky assignor, version 1 and version 0")
    func stickyData() throws {
        let topics: [UInt8] = [0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3]
        let data = StickyUserData(previous: partitions("t-3 t-0"), generation: 258)
        #expect(try data.encoded().map { Array($0) } == topics + [0, 0, 1, 2])
        func claim(_ bytes: [UInt8]?) -> Claim {
            StickyUserData.claim(member("m", ["t"], userData: bytes.map { ByteSlice($0) }))
        }
        #expect(claim(topics + [0, 0, 1, 2]) == Claim(partitions: partitions("t-0 t-3"), generation: 258))
        #expect(claim(topics) == Claim(partitions: partitions("t-0 t-3"), generation: -1))
        #expect(claim(nil) == Claim())
        #expect(claim([]) == Claim())
        #expect(claim(Array(topics.dropLast())) == Claim())
    }

    @Test("the generation of a cooperative member, as a field and in the user data")
    func cooperativeData() throws {
        let data = try #require(try CooperativeUserData.encoded(generation: 258))
        #expect(Array(data) == [0, 0, 1, 2])
        #expect(CooperativeUserData.claim(member("m", ["t"], userData: data)).generation == 258)
        #expect(CooperativeUserData.claim(member("m", ["t"], generation: 7, userData: data)).generation == 7)
        #expect(CooperativeUserData.claim(member("m", ["t"], userData: ByteSlice([1]))).generation == -1)
    }
}
