import Testing

@testable import KafkaFake
@testable import KafkaWire

@Suite("KIP-848 groups in the fake, as a state machine")
struct FakeConsumerGroupTests {
    private typealias Slot = ServerAssignor.Slot

    private var group = ConsumerGroup()
    private var now = ContinuousClock.now
    private let id = KafkaUUID(high: 1, low: 1)
    private var topics: [String: ConsumerGroup.Topic]

    init() {
        topics = ["t": ConsumerGroup.Topic(id: id, partitionCount: 4)]
    }

    private func slots(_ partitions: Int32...) -> Set<Slot> { Set(partitions.map { Slot(topicID: id, partition: $0) }) }

    /// - Parameter owned: The partitions in the heartbeat; nil to omit them.
    private mutating func beat(
        _ member: String, _ epoch: Int32, owned: [Int32]? = nil, names: [String]? = nil, pattern: String? = nil,
        instance: String? = nil, assignor: String? = nil
    ) -> ConsumerGroup.Answer {
        let isJoining = epoch == 0
        let request = ConsumerGroupHeartbeatRequest(
            groupId: "g", memberId: member, memberEpoch: epoch, instanceId: instance,
            rebalanceTimeoutMs: isJoining ? 30_000 : -1,
            subscribedTopicNames: names ?? (isJoining && pattern == nil ? ["t"] : nil), subscribedTopicRegex: pattern,
            serverAssignor: assignor,
            topicPartitions: (isJoining ? [] : owned).map { [.init(topicId: id, partitions: $0)] })
        return group.heartbeat(request, clientID: "c", topics: topics, settings: GroupSettings(), at: now)
    }

    @Test("a partition moves to another member only after the first has revoked it")
    mutating func handOver() {
        let first = beat("a", 0)
        #expect(first.epoch == 1 && first.assignment == slots(0, 1, 2, 3))
        #expect(beat("a", 1, owned: [0, 1, 2, 3]).assignment == nil)
        let second = beat("b", 0)
        #expect(second.epoch == 2 && second.assignment == [])
        let response = beat("a", 1)
        #expect(response.epoch == 1 && response.assignment == slots(0, 1))
        #expect(group.stateName == "Reconciling")
        #expect(beat("b", 2).assignment == nil)
        // It hasn't revoked all of them yet.
        #expect(beat("a", 1, owned: [0, 1, 2]).assignment == nil)
        #expect(beat("b", 2).assignment == nil)
        #expect(beat("a", 1, owned: [0, 1]).epoch == 2)
        #expect(beat("b", 2).assignment == slots(2, 3))
        #expect(group.stateName == "Stable")
    }

    @Test("a member that doesn't revoke in time is removed")
    mutating func revocationTimeout() {
        _ = beat("a", 0)
        _ = beat("b", 0)
        #expect(beat("a", 1).assignment == slots(0, 1))
        now += .seconds(20)
        _ = beat("a", 1)
        _ = beat("b", 2)
        now += .seconds(10)
        group.expire(at: now)
        #expect(group.members.map(\.id) == ["b"])
        #expect(beat("a", 1).error == .unknownMemberId)
        let rest = beat("b", 2)
        #expect(rest.epoch == 3 && rest.assignment == slots(0, 1, 2, 3))
    }

    @Test("a silent member is removed")
    mutating func sessionTimeout() {
        _ = beat("a", 0)
        now += .seconds(44)
        _ = beat("a", 1)
        now += .seconds(45)
        group.expire(at: now)
        #expect(group.members.isEmpty)
    }

    @Test("a wrong epoch is fenced; the previous one is accepted if the response may have been lost")
    mutating func epochs() {
        _ = beat("a", 0)
        #expect(beat("a", 2).error == .fencedMemberEpoch)
        _ = beat("a", 1, names: ["t", "u"])
        #expect(group.members[0].epoch == 2)
        #expect(beat("a", 1, owned: [0, 1]).error == .none)
        #expect(beat("a", 1).error == .fencedMemberEpoch)
        #expect(beat("nobody", 3).error == .unknownMemberId)
    }

    @Test("a leaving member's partitions move to the others")
    mutating func leaving() {
        _ = beat("a", 0)
        _ = beat("b", 0)
        #expect(beat("a", -1).epoch == -1)
        #expect(beat("b", 2).assignment == slots(0, 1, 2, 3))
        #expect(beat("a", -1).error == .unknownMemberId)
    }

    @Test("an absent static member's partitions are kept for its successor")
    mutating func staticMembers() {
        _ = beat("a", 0, instance: "i")
        #expect(beat("a2", 0, instance: "i").error == .unreleasedInstanceId)
        #expect(beat("a", -2, instance: "i").epoch == -2)
        let successor = beat("a2", 0, instance: "i")
        #expect(successor.epoch == 1 && successor.assignment == slots(0, 1, 2, 3))
        #expect(beat("a", 1, instance: "i").error == .fencedInstanceId)
    }

    @Test("new topics, new partitions and topics that match a pattern are assigned")
    mutating func topicsChange() {
        _ = beat("a", 0, pattern: "t.*")
        topics["tea"] = ConsumerGroup.Topic(id: KafkaUUID(high: 2, low: 2), partitionCount: 1)
        topics["no tea"] = ConsumerGroup.Topic(id: KafkaUUID(high: 3, low: 3), partitionCount: 1)
        #expect(beat("a", 1).assignment?.count == 5)
        topics["t"] = ConsumerGroup.Topic(id: id, partitionCount: 6)
        #expect(beat("a", 2).assignment?.count == 7)
        #expect(beat("a", 3).assignment == nil)
    }

    @Test("invalid requests are rejected")
    func problems() {
        func code(_ change: (inout ConsumerGroupHeartbeatRequest) -> Void, version: Int16 = 1) -> ErrorCode? {
            var request = ConsumerGroupHeartbeatRequest(
                groupId: "g", memberId: "m", memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: ["t"],
                topicPartitions: [])
            change(&request)
            return ConsumerGroup.problem(request, version: version)?.0
        }
        #expect(code { _ in } == nil)
        #expect(code { $0.groupId = "" } == .invalidRequest)
        #expect(code { $0.memberId = "" } == .invalidRequest)
        #expect(code({ $0.memberId = "" }, version: 0) == nil)
        #expect(code { $0.memberEpoch = -2 } == .invalidRequest)
        #expect(code { $0.topicPartitions = nil } == .invalidRequest)
        #expect(code { $0.rebalanceTimeoutMs = -1 } == .invalidRequest)
        #expect(code { $0.subscribedTopicNames = nil } == .invalidRequest)
        #expect(code { $0.subscribedTopicRegex = "(" } == .invalidRegularExpression)
        #expect(code { $0.serverAssignor = "lottery" } == .unsupportedAssignor)
    }

    @Test("uniform moves as few partitions as possible; range assigns each topic in ranges")
    func assignors() {
        let counts = [id: 7]
        let first = ServerAssignor.uniform.assign(["a": [id], "b": [id]], partitions: counts, present: [:])
        #expect(first.values.map(\.count).sorted() == [3, 4])
        let second = ServerAssignor.uniform.assign(
            ["a": [id], "b": [id], "c": [id]], partitions: counts, present: first)
        #expect(second.values.map(\.count).sorted() == [2, 2, 3])
        for member in ["a", "b"] { #expect(second[member]?.isSubset(of: first[member] ?? []) == true) }
        #expect(Set(second.values.joined()).count == 7)
        let range = ServerAssignor.range.assign(["a": [id], "b": [id], "c": []], partitions: counts, present: first)
        #expect(range["a"] == slots(0, 1, 2, 3) && range["b"] == slots(4, 5, 6) && range["c"] == [])
    }
}
