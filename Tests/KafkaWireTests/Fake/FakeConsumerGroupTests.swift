import Testing

@testable import KafkaFake
@testable import KafkaWire

@Suite("KIP-848 groups of the fake, as a state machine")
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

    /// - Parameter owned: The partitions that the member says to have; nil where it doesn't say.
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

    @Test("partitions go to another member only when the first has let go of them")
    mutating func handOver() {
        let first = beat("a", 0)
        #expect(first.epoch == 1 && first.assignment == slots(0, 1, 2, 3))
        #expect(beat("a", 1, owned: [0, 1, 2, 3]).assignment == nil)
        let second = beat("b", 0)
        #expect(second.epoch == 2 && second.assignment == [])
        let told = beat("a", 1)
        #expect(told.epoch == 1 && told.assignment == slots(0, 1))
        #expect(group.stateName == "Reconciling")
        #expect(beat("b", 2).assignment == nil)
        // It hasn't let go of all yet.
        #expect(beat("a", 1, owned: [0, 1, 2]).assignment == nil)
        #expect(beat("b", 2).assignment == nil)
        #expect(beat("a", 1, owned: [0, 1]).epoch == 2)
        #expect(beat("b", 2).assignment == slots(2, 3))
        #expect(group.stateName == "Stable")
    }

    @Test("who doesn't let go in time is put out")
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

    @Test("who is silent is put out")
    mutating func sessionTimeout() {
        _ = beat("a", 0)
        now += .seconds(44)
        _ = beat("a", 1)
        now += .seconds(45)
        group.expire(at: now)
        #expect(group.members.isEmpty)
    }

    @Test("epochs: another one is fenced, the one before passes where the answer may have been lost")
    mutating func epochs() {
        _ = beat("a", 0)
        #expect(beat("a", 2).error == .fencedMemberEpoch)
        _ = beat("a", 1, names: ["t", "u"])
        #expect(group.members[0].epoch == 2)
        #expect(beat("a", 1, owned: [0, 1]).error == .none)
        #expect(beat("a", 1).error == .fencedMemberEpoch)
        #expect(beat("nobody", 3).error == .unknownMemberId)
    }

    @Test("leaving gives the partitions to the others")
    mutating func leaving() {
        _ = beat("a", 0)
        _ = beat("b", 0)
        #expect(beat("a", -1).epoch == -1)
        #expect(beat("b", 2).assignment == slots(0, 1, 2, 3))
        #expect(beat("a", -1).error == .unknownMemberId)
    }

    @Test("a static member that is away keeps its partitions for its successor")
    mutating func staticMembers() {
        _ = beat("a", 0, instance: "i")
        #expect(beat("a2", 0, instance: "i").error == .unreleasedInstanceId)
        #expect(beat("a", -2, instance: "i").epoch == -2)
        let successor = beat("a2", 0, instance: "i")
        #expect(successor.epoch == 1 && successor.assignment == slots(0, 1, 2, 3))
        #expect(beat("a", 1, instance: "i").error == .fencedInstanceId)
    }

    @Test("topics that come, grow or fit a pattern are assigned")
    mutating func topicsChange() {
        _ = beat("a", 0, pattern: "t.*")
        topics["tea"] = ConsumerGroup.Topic(id: KafkaUUID(high: 2, low: 2), partitionCount: 1)
        topics["no tea"] = ConsumerGroup.Topic(id: KafkaUUID(high: 3, low: 3), partitionCount: 1)
        #expect(beat("a", 1).assignment?.count == 5)
        topics["t"] = ConsumerGroup.Topic(id: id, partitionCount: 6)
        #expect(beat("a", 2).assignment?.count == 7)
        #expect(beat("a", 3).assignment == nil)
    }

    @Test("requests that can't be")
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

    @Test("uniform moves as little as can be, range gives each topic in ranges")
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
