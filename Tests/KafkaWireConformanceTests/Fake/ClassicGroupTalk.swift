import KafkaWire
import Testing

/// The requests of a classic group's members, right ones and wrong ones.
struct ClassicGroupTalk {
    private let group: String
    private let topic: String
    private var lines: [String] = []

    private mutating func note(_ what: String, _ code: Int16, _ more: String = "") {
        lines.append("\(what): \(ErrorCode(rawValue: code))\(more)")
    }

    private func joining(
        _ member: String, instance: String? = nil, strategies: [String] = ["range"], sessionTimeoutMs: Int32 = 30_000,
        type: String = "consumer"
    ) throws -> JoinGroupRequest {
        let metadata = try ConsumerProtocolSubscription(topics: [topic]).encoded()
        return JoinGroupRequest(
            groupId: group, sessionTimeoutMs: sessionTimeoutMs, rebalanceTimeoutMs: 60_000, memberId: member,
            groupInstanceId: instance, protocolType: type,
            protocols: strategies.map { .init(name: $0, metadata: metadata) })
    }

    @discardableResult
    private mutating func join(_ what: String, _ talker: Talker, _ request: JoinGroupRequest) async throws
        -> JoinGroupResponse
    {
        let response = try await talker.call(request) { $0.errorCode }
        note(joined: what, response, as: request)
        return response
    }

    private mutating func note(joined what: String, _ response: JoinGroupResponse, as request: JoinGroupRequest) {
        let isLeader = response.leader == response.memberId ? " leader" : ""
        note(
            "join \(what)", response.errorCode,
            " generation \(response.generationId) \(response.protocolName ?? "nil") \(response.protocolType ?? "nil")"
                + " members \(response.members.count)\(isLeader) skip \(response.skipAssignment)"
                + " same id \(response.memberId == request.memberId) empty id \(response.memberId.isEmpty)")
    }

    private func syncing(
        _ member: String, _ generation: Int32, _ assignments: [String: [UInt8]] = [:], instance: String? = nil,
        strategy: String = "range"
    ) -> SyncGroupRequest {
        SyncGroupRequest(
            groupId: group, generationId: generation, memberId: member, groupInstanceId: instance,
            protocolType: "consumer", protocolName: strategy,
            assignments: assignments.sorted { $0.key < $1.key }.map {
                .init(memberId: $0.key, assignment: ByteSlice($0.value))
            })
    }

    private mutating func sync(_ what: String, _ talker: Talker, _ request: SyncGroupRequest) async throws {
        note(synced: what, try await talker.call(request) { $0.errorCode })
    }

    private mutating func note(synced what: String, _ response: SyncGroupResponse) {
        note(
            "sync \(what)", response.errorCode,
            " \(Array(response.assignment)) \(response.protocolType ?? "nil") \(response.protocolName ?? "nil")")
    }

    @discardableResult
    private mutating func heartbeat(
        _ what: String, _ talker: Talker, _ member: String, _ generation: Int32, instance: String? = nil
    ) async throws -> Int16 {
        let request = HeartbeatRequest(
            groupId: group, generationId: generation, memberId: member, groupInstanceId: instance)
        let code = try await talker.call(request) { $0.errorCode }.errorCode
        note("heartbeat \(what)", code)
        return code
    }

    private mutating func commit(
        _ what: String, _ talker: Talker, _ member: String, _ generation: Int32, upTo limit: Int16 = 9
    ) async throws {
        let request = OffsetCommitRequest(
            groupId: group, generationIdOrMemberEpoch: generation, memberId: member,
            topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, committedOffset: 5)])])
        let response = try await talker.call(request, upTo: limit) { $0.topics.first?.partitions.first?.errorCode }
        note("commit \(what)", try #require(response.topics.first?.partitions.first).errorCode)
    }

    private mutating func leave(
        _ what: String, _ talker: Talker, _ member: String, instance: String? = nil, upTo limit: Int16 = 5
    ) async throws {
        let request =
            limit < 3
            ? LeaveGroupRequest(groupId: group, memberId: member)
            : LeaveGroupRequest(groupId: group, members: [.init(memberId: member, groupInstanceId: instance)])
        let response = try await talker.call(request, upTo: limit) { $0.errorCode }
        note(
            "leave \(what)", response.errorCode,
            response.members.map { " \(ErrorCode(rawValue: $0.errorCode))" }.joined())
    }

    private mutating func describe(_ what: String, _ talker: Talker) async throws {
        let response = try await talker.call(DescribeGroupsRequest(groups: [group]), upTo: 5) {
            $0.groups.first?.errorCode
        }
        let found = try #require(response.groups.first)
        let members = found.members.map {
            "\($0.groupInstanceId ?? "nil") \($0.memberMetadata.count) \($0.memberAssignment.count)"
        }
        note(
            "describe \(what)", found.errorCode,
            " \(found.groupState) \(found.protocolType) \(found.protocolData) \(members.sorted())")
    }

    private mutating func delete(_ what: String, _ talker: Talker) async throws {
        let response = try await talker.call(DeleteGroupsRequest(groupsNames: [group])) { $0.results.first?.errorCode }
        note("delete \(what)", try #require(response.results.first).errorCode)
    }

    /// Two members, from the first to join to the last to leave.
    static func run(_ bootstrap: String, _ topic: String) async throws -> [String] {
        var talk = ClassicGroupTalk(group: "g-\(topic)", topic: topic)
        let a = try await Talker(bootstrap, coordinator: .group(talk.group))
        let b = try await Talker(bootstrap, coordinator: .group(talk.group))
        try await talk.describe("nothing", a)
        try await talk.heartbeat("of no group", a, "nobody", 1)
        try await talk.leave("no group", a, "nobody")
        try await talk.leave("no group, of old", a, "nobody", upTo: 2)
        try await talk.commit("of no group", a, "nobody", 1)
        try await talk.commit("of no group, of old", a, "nobody", 1, upTo: 8)
        try await talk.delete("no group", a)
        try await talk.join("unknown id", a, talk.joining("nobody"))
        try await talk.join("too short", a, talk.joining("", sessionTimeoutMs: 10))
        try await talk.join("no strategies", a, talk.joining("", strategies: []))
        let one = try await talk.join("first", a, talk.joining("", strategies: ["range", "roundrobin"])).memberId
        let joinOne = try talk.joining(one, strategies: ["range", "roundrobin"])
        try await talk.join("first with id", a, joinOne)
        try await talk.heartbeat("before sync", a, one, 1)
        try await talk.commit("before sync", a, one, 1)
        try await talk.describe("before sync", a)
        try await talk.join("sent again", a, joinOne)
        try await talk.sync("other generation", a, talk.syncing(one, 0))
        try await talk.sync("other strategy", a, talk.syncing(one, 1, strategy: "sticky"))
        try await talk.sync("of nobody", a, talk.syncing("nobody", 1))
        try await talk.sync("first", a, talk.syncing(one, 1, [one: [1, 2]]))
        try await talk.sync("sent again", a, talk.syncing(one, 1))
        try await talk.describe("stable", a)
        try await talk.heartbeat("stable", a, one, 1)
        try await talk.heartbeat("other generation", a, one, 0)
        try await talk.heartbeat("of nobody", a, "nobody", 1)
        try await talk.heartbeat("with a name", a, one, 1, instance: "i")
        try await talk.delete("not empty", a)
        try await talk.join("other strategies", b, talk.joining("", strategies: ["lottery"]))
        try await talk.join("other type", b, talk.joining("", type: "connect"))

        // The second one.
        let two = try await talk.join("second", b, talk.joining("", strategies: ["range", "sticky"])).memberId
        let joinTwo = try talk.joining(two, strategies: ["range", "sticky"])
        async let joined = b.call(joinTwo)
        for _ in 0..<500 {
            let code = try await talk.heartbeat("until the rebalance", a, one, 1)
            if code == ErrorCode.rebalanceInProgress.rawValue { break }
            talk.lines.removeLast()
            try await Task.sleep(for: .milliseconds(10))
        }
        try await talk.sync("in the rebalance", a, talk.syncing(one, 1))
        try await talk.commit("in the rebalance", a, one, 1)
        try await talk.describe("in the rebalance", a)
        try await talk.join("first again", a, joinOne)
        talk.note(joined: "second", try await joined, as: joinTwo)
        let syncTwo = talk.syncing(two, 2)
        async let synced = b.call(syncTwo)
        try await talk.sync("leader", a, talk.syncing(one, 2, [one: [1], two: [2]]))
        talk.note(synced: "second", try await synced)
        try await talk.commit("of the second", b, two, 2)
        try await talk.commit("of the generation before", b, two, 1)
        try await talk.commit("of nobody", b, "", -1)
        try await talk.leave("first", a, one)
        try await talk.leave("first again", a, one)
        try await talk.leave("first again, of old", a, one, upTo: 2)
        try await talk.heartbeat("alone", b, two, 2)
        try await talk.commit("alone", b, two, 2)
        try await talk.leave("second", b, two)
        try await talk.describe("empty", b)
        try await talk.heartbeat("of an empty group", b, two, 2)
        try await talk.join("the id that left", b, joinTwo)
        try await talk.commit("of nobody", b, "", -1)
        try await talk.commit("of who left", b, two, 2)
        try await talk.delete("empty", b)
        try await talk.delete("again", b)
        return talk.lines
    }

    /// A static member and its successor.
    static func runStatic(_ bootstrap: String, _ topic: String) async throws -> [String] {
        var talk = ClassicGroupTalk(group: "s-\(topic)", topic: topic)
        let a = try await Talker(bootstrap, coordinator: .group(talk.group))
        let one = try await talk.join("first", a, talk.joining("", instance: "i")).memberId
        try await talk.sync("first", a, talk.syncing(one, 1, [one: [3]], instance: "i"))
        try await talk.heartbeat("first", a, one, 1, instance: "i")
        try await talk.heartbeat("without its name", a, one, 1)
        let two = try await talk.join("successor", a, talk.joining("", instance: "i")).memberId
        try await talk.sync("successor", a, talk.syncing(two, 1, instance: "i"))
        try await talk.heartbeat("fenced", a, one, 1, instance: "i")
        try await talk.heartbeat("fenced, without its name", a, one, 1)
        try await talk.join("fenced", a, talk.joining(one, instance: "i"))
        try await talk.sync("fenced", a, talk.syncing(one, 1, instance: "i"))
        try await talk.heartbeat("other name", a, two, 1, instance: "j")
        try await talk.leave("fenced", a, one, instance: "i")
        try await talk.leave("other name", a, two, instance: "j")
        try await talk.describe("with a static member", a)
        try await talk.leave("by name", a, "", instance: "i")
        try await talk.describe("empty", a)
        return talk.lines
    }
}
