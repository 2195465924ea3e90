import KafkaWire
import Testing

/// The heartbeats of a KIP-848 group's members, right ones and wrong ones.
struct ConsumerGroupTalk {
    private let group: String
    private let topic: String
    private let topicID: KafkaUUID
    private var lines: [String] = []

    private mutating func note(_ what: String, _ code: Int16, _ more: String = "") {
        lines.append("\(what): \(ErrorCode(rawValue: code))\(more)")
    }

    /// - Parameter owned: The partitions that the member says to have; nil where it doesn't say.
    @discardableResult
    private mutating func beat(
        _ what: String, _ talker: Talker, _ member: String, _ epoch: Int32, owned: [Int32]? = nil,
        instance: String? = nil, change: (inout ConsumerGroupHeartbeatRequest) -> Void = { _ in }
    ) async throws -> ConsumerGroupHeartbeatResponse {
        let isJoining = epoch == 0
        var request = ConsumerGroupHeartbeatRequest(
            groupId: group, memberId: member, memberEpoch: epoch, instanceId: instance,
            rebalanceTimeoutMs: isJoining ? 60_000 : -1, subscribedTopicNames: isJoining ? [topic] : nil,
            topicPartitions: (isJoining ? [] : owned).map {
                $0.isEmpty ? [] : [.init(topicId: topicID, partitions: $0)]
            })
        change(&request)
        let response = try await talker.call(request) { $0.errorCode }
        let assigned = response.assignment.map { $0.topicPartitions.flatMap(\.partitions).sorted().count }
        note(
            what, response.errorCode,
            // How many epochs a change takes differs with the moment at which a broker assigns.
            " epoch \(response.memberEpoch > 0 ? "some" : "\(response.memberEpoch)") assigned \(assigned.map(String.init) ?? "nil")"
                + " interval \(response.heartbeatIntervalMs) same id \(response.memberId == member)")
        return response
    }

    /// Beats until the answer is the one that an assignment leads to; a broker may compute it a moment later.
    private mutating func beat(
        _ what: String, _ talker: Talker, _ member: String, _ epoch: Int32, owned: [Int32]? = nil,
        instance: String? = nil, until isThere: (ConsumerGroupHeartbeatResponse) -> Bool
    ) async throws -> ConsumerGroupHeartbeatResponse {
        var epoch = epoch
        for _ in 0..<300 {
            let response = try await beat(what, talker, member, epoch, owned: owned, instance: instance)
            if isThere(response) || response.errorCode != 0 { return response }
            epoch = response.memberEpoch
            lines.removeLast()
            try await Task.sleep(for: .milliseconds(20))
        }
        return try await beat(what, talker, member, epoch, owned: owned, instance: instance)
    }

    private static func partitions(_ response: ConsumerGroupHeartbeatResponse) -> [Int32]? {
        response.assignment.map { $0.topicPartitions.flatMap(\.partitions).sorted() }
    }

    private mutating func commit(_ what: String, _ talker: Talker, _ member: String, _ epoch: Int32) async throws {
        let request = OffsetCommitRequest(
            groupId: group, generationIdOrMemberEpoch: epoch, memberId: member,
            topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, committedOffset: 5)])])
        let response = try await talker.call(request, upTo: 9) { $0.topics.first?.partitions.first?.errorCode }
        note("commit \(what)", try #require(response.topics.first?.partitions.first).errorCode)
    }

    private mutating func fetchOffset(_ what: String, _ talker: Talker, _ member: String?, _ epoch: Int32) async throws
    {
        let request = OffsetFetchRequest(
            groups: [
                .init(
                    groupId: group, memberId: member, memberEpoch: epoch,
                    topics: [.init(name: topic, partitionIndexes: [0])])
            ])
        let response = try await talker.call(request, upTo: 9) { $0.groups.first?.errorCode }
        let found = try #require(response.groups.first)
        note("fetch \(what)", found.errorCode, " \(found.topics.first?.partitions.first?.committedOffset ?? -1)")
    }

    static func run(_ bootstrap: String, _ topic: String) async throws -> [String] {
        let group = "c-\(topic)"
        let a = try await Talker(bootstrap, coordinator: .group(group))
        let metadata = try await a.call(MetadataRequest(topics: [.init(name: topic)]))
        let topicID = try #require(metadata.topics.first).topicId
        var talk = ConsumerGroupTalk(group: group, topic: topic, topicID: topicID)
        try await talk.beat("of no group", a, "a", 1)
        try await talk.beat("leaves no group", a, "a", -1)
        try await talk.beat("without a subscription", a, "a", 0) { $0.subscribedTopicNames = nil }
        try await talk.beat("without a time-out", a, "a", 0) { $0.rebalanceTimeoutMs = -1 }
        try await talk.beat("without partitions", a, "a", 0) { $0.topicPartitions = nil }
        try await talk.beat("without an id", a, "", 0)
        try await talk.beat("unknown assignor", a, "a", 0) { $0.serverAssignor = "lottery" }
        try await talk.beat("no epoch", a, "a", -3)
        let joined = try await talk.beat("joins", a, "a", 0)
        var first = joined
        if Self.partitions(joined)?.count != 4 {
            first = try await talk.beat("has all", a, "a", joined.memberEpoch) { Self.partitions($0)?.count == 4 }
        }
        let owned = Self.partitions(first) ?? []
        talk.lines = talk.lines.filter { !$0.hasPrefix("joins:") && !$0.hasPrefix("has all:") }
        talk.note("has", 0, " \(owned.count) at \(first.memberEpoch > 0)")
        try await talk.beat("tells", a, "a", first.memberEpoch, owned: owned)
        try await talk.beat("ahead", a, "a", first.memberEpoch + 10)
        try await talk.beat("of nobody", a, "nobody", 1)
        try await talk.beat("leaves as nobody", a, "nobody", -1)
        try await talk.commit("right", a, "a", first.memberEpoch)
        try await talk.commit("ahead", a, "a", first.memberEpoch + 1)
        try await talk.commit("of nobody", a, "nobody", first.memberEpoch)
        try await talk.commit("of no member", a, "", -1)
        try await talk.fetchOffset("right", a, "a", first.memberEpoch)
        try await talk.fetchOffset("ahead", a, "a", first.memberEpoch + 1)
        try await talk.fetchOffset("of no member", a, nil, -1)

        // A second member, which gets what the first lets go of.
        let second = try await talk.beat("second joins", a, "b", 0)
        talk.lines.removeLast()
        let told = try await talk.beat("told to let go", a, "a", first.memberEpoch) { Self.partitions($0) != nil }
        let rest = Self.partitions(told) ?? []
        try await talk.beat("hasn't let go", a, "a", told.memberEpoch, owned: owned)
        let done = try await talk.beat("has let go", a, "a", told.memberEpoch, owned: rest)
        talk.note("epoch rises", 0, " \(done.memberEpoch > told.memberEpoch)")
        _ = try await talk.beat("second gets", a, "b", second.memberEpoch) { Self.partitions($0)?.count == 2 }
        try await talk.beat("rejoins", a, "b", 0)
        try await talk.beat("leaves", a, "b", -1)
        try await talk.beat("leaves again", a, "b", -1)
        let all = try await talk.beat("has all again", a, "a", done.memberEpoch, owned: rest) {
            Self.partitions($0)?.count == 4
        }
        talk.note("epoch rises", 0, " \(all.memberEpoch > done.memberEpoch)")
        try await talk.beat("away without a name", a, "a", -2)
        try await talk.beat("leaves", a, "a", -1)

        // A static member and its successor.
        let joining = try await talk.beat("static joins", a, "c", 0, instance: "i")
        if Self.partitions(joining)?.count != 4 {
            _ = try await talk.beat("static has all", a, "c", joining.memberEpoch, instance: "i") {
                Self.partitions($0)?.count == 4
            }
        }
        talk.lines.removeAll { $0.hasPrefix("static") }
        try await talk.beat("name is taken", a, "d", 0, instance: "i")
        try await talk.beat("is away", a, "c", -2, instance: "i")
        let successor = try await talk.beat("successor", a, "d", 0, instance: "i")
        try await talk.beat("former", a, "c", successor.memberEpoch, instance: "i")
        try await talk.beat("other name", a, "d", successor.memberEpoch, instance: "j")
        try await talk.beat("leaves", a, "d", -1, instance: "i")
        return talk.lines
    }
}
