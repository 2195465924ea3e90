import KafkaWire
import Testing

/// Valid and invalid heartbeats of a KIP-848 group's members.
struct ConsumerGroupExchange {
    private let group: String
    private let topic: String
    private let topicID: KafkaUUID
    private var lines: [String] = []

    private mutating func note(_ what: String, _ code: Int16, _ more: String = "") {
        lines.append("\(what): \(ErrorCode(rawValue: code))\(more)")
    }

    /// Sends a heartbeat and notes the answer.
    ///
    /// - Parameter owned: The partitions that the member reports as owned; nil to report none.
    @discardableResult
    private mutating func beat(
        _ what: String, _ client: CoordinatorClient, _ member: String, _ epoch: Int32, owned: [Int32]? = nil,
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
        let response = try await client.call(request) { $0.errorCode }
        let assigned = response.assignment.map { $0.topicPartitions.flatMap(\.partitions).sorted().count }
        note(
            what, response.errorCode,
            // The number of epochs for a change depends on when the broker computes the assignment.
            " epoch \(response.memberEpoch > 0 ? "some" : "\(response.memberEpoch)") assigned \(assigned.map(String.init) ?? "nil")"
                + " interval \(response.heartbeatIntervalMs) same id \(response.memberId == member)")
        return response
    }

    /// Sends heartbeats until the answer contains the expected assignment, which a broker may compute later.
    private mutating func beat(
        _ what: String, _ client: CoordinatorClient, _ member: String, _ epoch: Int32, owned: [Int32]? = nil,
        instance: String? = nil, until isThere: (ConsumerGroupHeartbeatResponse) -> Bool
    ) async throws -> ConsumerGroupHeartbeatResponse {
        var epoch = epoch
        for _ in 0..<300 {
            let response = try await beat(what, client, member, epoch, owned: owned, instance: instance)
            if isThere(response) || response.errorCode != 0 { return response }
            epoch = response.memberEpoch
            lines.removeLast()
            try await Task.sleep(for: .milliseconds(20))
        }
        return try await beat(what, client, member, epoch, owned: owned, instance: instance)
    }

    private static func partitions(_ response: ConsumerGroupHeartbeatResponse) -> [Int32]? {
        response.assignment.map { $0.topicPartitions.flatMap(\.partitions).sorted() }
    }

    private mutating func commit(_ what: String, _ client: CoordinatorClient, _ member: String, _ epoch: Int32)
        async throws
    {
        let request = OffsetCommitRequest(
            groupId: group, generationIdOrMemberEpoch: epoch, memberId: member,
            topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, committedOffset: 5)])])
        let response = try await client.call(request, upTo: 9) { $0.topics.first?.partitions.first?.errorCode }
        note("commit \(what)", try #require(response.topics.first?.partitions.first).errorCode)
    }

    private mutating func fetchOffset(_ what: String, _ client: CoordinatorClient, _ member: String?, _ epoch: Int32)
        async throws
    {
        let request = OffsetFetchRequest(
            groups: [
                .init(
                    groupId: group, memberId: member, memberEpoch: epoch,
                    topics: [.init(name: topic, partitionIndexes: [0])])
            ])
        let response = try await client.call(request, upTo: 9) { $0.groups.first?.errorCode }
        let found = try #require(response.groups.first)
        note("fetch \(what)", found.errorCode, " \(found.topics.first?.partitions.first?.committedOffset ?? -1)")
    }

    static func run(_ bootstrap: String, _ topic: String) async throws -> [String] {
        let group = "c-\(topic)"
        let a = try await CoordinatorClient(bootstrap, coordinator: .group(group))
        let metadata = try await a.call(MetadataRequest(topics: [.init(name: topic)]))
        let topicID = try #require(metadata.topics.first).topicId
        var exchange = ConsumerGroupExchange(group: group, topic: topic, topicID: topicID)
        try await exchange.beat("of no group", a, "a", 1)
        try await exchange.beat("leaves no group", a, "a", -1)
        try await exchange.beat("without a subscription", a, "a", 0) { $0.subscribedTopicNames = nil }
        try await exchange.beat("without a time-out", a, "a", 0) { $0.rebalanceTimeoutMs = -1 }
        try await exchange.beat("without partitions", a, "a", 0) { $0.topicPartitions = nil }
        try await exchange.beat("without an id", a, "", 0)
        try await exchange.beat("unknown assignor", a, "a", 0) { $0.serverAssignor = "lottery" }
        try await exchange.beat("no epoch", a, "a", -3)
        let joined = try await exchange.beat("joins", a, "a", 0)
        var first = joined
        if Self.partitions(joined)?.count != 4 {
            first = try await exchange.beat("has all", a, "a", joined.memberEpoch) { Self.partitions($0)?.count == 4 }
        }
        let owned = Self.partitions(first) ?? []
        exchange.lines = exchange.lines.filter { !$0.hasPrefix("joins:") && !$0.hasPrefix("has all:") }
        exchange.note("has", 0, " \(owned.count) at \(first.memberEpoch > 0)")
        try await exchange.beat("reports its partitions", a, "a", first.memberEpoch, owned: owned)
        try await exchange.beat("ahead", a, "a", first.memberEpoch + 10)
        try await exchange.beat("of an unknown member", a, "nobody", 1)
        try await exchange.beat("unknown member leaves", a, "nobody", -1)
        try await exchange.commit("right", a, "a", first.memberEpoch)
        try await exchange.commit("ahead", a, "a", first.memberEpoch + 1)
        try await exchange.commit("of an unknown member", a, "nobody", first.memberEpoch)
        try await exchange.commit("of no member", a, "", -1)
        try await exchange.fetchOffset("right", a, "a", first.memberEpoch)
        try await exchange.fetchOffset("ahead", a, "a", first.memberEpoch + 1)
        try await exchange.fetchOffset("of no member", a, nil, -1)

        // A second member, which gets the partitions that the first releases.
        let second = try await exchange.beat("second joins", a, "b", 0)
        exchange.lines.removeLast()
        let shrunk = try await exchange.beat("asked to release", a, "a", first.memberEpoch) {
            Self.partitions($0) != nil
        }
        let rest = Self.partitions(shrunk) ?? []
        try await exchange.beat("has not released", a, "a", shrunk.memberEpoch, owned: owned)
        let done = try await exchange.beat("has released", a, "a", shrunk.memberEpoch, owned: rest)
        exchange.note("epoch rises", 0, " \(done.memberEpoch > shrunk.memberEpoch)")
        _ = try await exchange.beat("second gets", a, "b", second.memberEpoch) { Self.partitions($0)?.count == 2 }
        try await exchange.beat("rejoins", a, "b", 0)
        try await exchange.beat("leaves", a, "b", -1)
        try await exchange.beat("leaves again", a, "b", -1)
        let all = try await exchange.beat("has all again", a, "a", done.memberEpoch, owned: rest) {
            Self.partitions($0)?.count == 4
        }
        exchange.note("epoch rises", 0, " \(all.memberEpoch > done.memberEpoch)")
        try await exchange.beat("away without an instance id", a, "a", -2)
        try await exchange.beat("leaves", a, "a", -1)

        // A static member and its successor.
        let joining = try await exchange.beat("static joins", a, "c", 0, instance: "i")
        if Self.partitions(joining)?.count != 4 {
            _ = try await exchange.beat("static has all", a, "c", joining.memberEpoch, instance: "i") {
                Self.partitions($0)?.count == 4
            }
        }
        exchange.lines.removeAll { $0.hasPrefix("static") }
        try await exchange.beat("name is taken", a, "d", 0, instance: "i")
        try await exchange.beat("is away", a, "c", -2, instance: "i")
        let successor = try await exchange.beat("successor", a, "d", 0, instance: "i")
        try await exchange.beat("former", a, "c", successor.memberEpoch, instance: "i")
        try await exchange.beat("other name", a, "d", successor.memberEpoch, instance: "j")
        try await exchange.beat("leaves", a, "d", -1, instance: "i")
        return exchange.lines
    }
}
