import KafkaWire
import Testing

/// Valid and invalid requests of a classic group's members.
struct ClassicGroupExchange {
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
    private mutating func join(_ what: String, _ client: CoordinatorClient, _ request: JoinGroupRequest) async throws
        -> JoinGroupResponse
    {
        let response = try await client.call(request) { $0.errorCode }
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

    private mutating func sync(_ what: String, _ client: CoordinatorClient, _ request: SyncGroupRequest) async throws {
        note(synced: what, try await client.call(request) { $0.errorCode })
    }

    private mutating func note(synced what: String, _ response: SyncGroupResponse) {
        note(
            "sync \(what)", response.errorCode,
            " \(Array(response.assignment)) \(response.protocolType ?? "nil") \(response.protocolName ?? "nil")")
    }

    @discardableResult
    private mutating func heartbeat(
        _ what: String, _ client: CoordinatorClient, _ member: String, _ generation: Int32, instance: String? = nil
    ) async throws -> Int16 {
        let request = HeartbeatRequest(
            groupId: group, generationId: generation, memberId: member, groupInstanceId: instance)
        let code = try await client.call(request) { $0.errorCode }.errorCode
        note("heartbeat \(what)", code)
        return code
    }

    private mutating func commit(
        _ what: String, _ client: CoordinatorClient, _ member: String, _ generation: Int32, upTo limit: Int16 = 9
    ) async throws {
        let request = OffsetCommitRequest(
            groupId: group, generationIdOrMemberEpoch: generation, memberId: member,
            topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, committedOffset: 5)])])
        let response = try await client.call(request, upTo: limit) { $0.topics.first?.partitions.first?.errorCode }
        note("commit \(what)", try #require(response.topics.first?.partitions.first).errorCode)
    }

    private mutating func leave(
        _ what: String, _ client: CoordinatorClient, _ member: String, instance: String? = nil, upTo limit: Int16 = 5
    ) async throws {
        let request =
            limit < 3
            ? LeaveGroupRequest(groupId: group, memberId: member)
            : LeaveGroupRequest(groupId: group, members: [.init(memberId: member, groupInstanceId: instance)])
        let response = try await client.call(request, upTo: limit) { $0.errorCode }
        note(
            "leave \(what)", response.errorCode,
            response.members.map { " \(ErrorCode(rawValue: $0.errorCode))" }.joined())
    }

    private mutating func describe(_ what: String, _ client: CoordinatorClient) async throws {
        let response = try await client.call(DescribeGroupsRequest(groups: [group]), upTo: 5) {
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

    private mutating func delete(_ what: String, _ client: CoordinatorClient) async throws {
        let response = try await client.call(DeleteGroupsRequest(groupsNames: [group])) { $0.results.first?.errorCode }
        note("delete \(what)", try #require(response.results.first).errorCode)
    }

    /// Two members, from the first join to the last leave.
    static func run(_ bootstrap: String, _ topic: String) async throws -> [String] {
        var exchange = ClassicGroupExchange(group: "g-\(topic)", topic: topic)
        let a = try await CoordinatorClient(bootstrap, coordinator: .group(exchange.group))
        let b = try await CoordinatorClient(bootstrap, coordinator: .group(exchange.group))
        try await exchange.describe("nothing", a)
        try await exchange.heartbeat("of no group", a, "nobody", 1)
        try await exchange.leave("no group", a, "nobody")
        try await exchange.leave("no group, old version", a, "nobody", upTo: 2)
        try await exchange.commit("of no group", a, "nobody", 1)
        try await exchange.commit("no group, old version", a, "nobody", 1, upTo: 8)
        try await exchange.delete("no group", a)
        try await exchange.join("unknown id", a, exchange.joining("nobody"))
        try await exchange.join("too short", a, exchange.joining("", sessionTimeoutMs: 10))
        try await exchange.join("no strategies", a, exchange.joining("", strategies: []))
        let one = try await exchange.join("first", a, exchange.joining("", strategies: ["range", "roundrobin"]))
            .memberId
        let joinOne = try exchange.joining(one, strategies: ["range", "roundrobin"])
        try await exchange.join("first with id", a, joinOne)
        try await exchange.heartbeat("before sync", a, one, 1)
        try await exchange.commit("before sync", a, one, 1)
        try await exchange.describe("before sync", a)
        try await exchange.join("sent again", a, joinOne)
        try await exchange.sync("other generation", a, exchange.syncing(one, 0))
        try await exchange.sync("other strategy", a, exchange.syncing(one, 1, strategy: "sticky"))
        try await exchange.sync("of an unknown member", a, exchange.syncing("nobody", 1))
        try await exchange.sync("first", a, exchange.syncing(one, 1, [one: [1, 2]]))
        try await exchange.sync("sent again", a, exchange.syncing(one, 1))
        try await exchange.describe("stable", a)
        try await exchange.heartbeat("stable", a, one, 1)
        try await exchange.heartbeat("other generation", a, one, 0)
        try await exchange.heartbeat("of an unknown member", a, "nobody", 1)
        try await exchange.heartbeat("with a name", a, one, 1, instance: "i")
        try await exchange.delete("not empty", a)
        try await exchange.join("other strategies", b, exchange.joining("", strategies: ["lottery"]))
        try await exchange.join("other type", b, exchange.joining("", type: "connect"))

        // The second member.
        let two = try await exchange.join("second", b, exchange.joining("", strategies: ["range", "sticky"])).memberId
        let joinTwo = try exchange.joining(two, strategies: ["range", "sticky"])
        async let joined = b.call(joinTwo)
        for _ in 0..<500 {
            let code = try await exchange.heartbeat("until the rebalance", a, one, 1)
            if code == ErrorCode.rebalanceInProgress.rawValue { break }
            exchange.lines.removeLast()
            try await Task.sleep(for: .milliseconds(10))
        }
        try await exchange.sync("in the rebalance", a, exchange.syncing(one, 1))
        try await exchange.commit("in the rebalance", a, one, 1)
        try await exchange.describe("in the rebalance", a)
        try await exchange.join("first again", a, joinOne)
        exchange.note(joined: "second", try await joined, as: joinTwo)
        let syncTwo = exchange.syncing(two, 2)
        async let synced = b.call(syncTwo)
        try await exchange.sync("leader", a, exchange.syncing(one, 2, [one: [1], two: [2]]))
        exchange.note(synced: "second", try await synced)
        try await exchange.commit("of the second", b, two, 2)
        try await exchange.commit("of the generation before", b, two, 1)
        try await exchange.commit("of nobody", b, "", -1)
        try await exchange.leave("first", a, one)
        try await exchange.leave("first again", a, one)
        try await exchange.leave("first again, of old", a, one, upTo: 2)
        try await exchange.heartbeat("alone", b, two, 2)
        try await exchange.commit("alone", b, two, 2)
        try await exchange.leave("second", b, two)
        try await exchange.describe("empty", b)
        try await exchange.heartbeat("of an empty group", b, two, 2)
        try await exchange.join("the id that left", b, joinTwo)
        try await exchange.commit("of nobody", b, "", -1)
        try await exchange.commit("of who left", b, two, 2)
        try await exchange.delete("empty", b)
        try await exchange.delete("again", b)
        return exchange.lines
    }

    /// A static member and its successor.
    static func runStatic(_ bootstrap: String, _ topic: String) async throws -> [String] {
        var exchange = ClassicGroupExchange(group: "s-\(topic)", topic: topic)
        let a = try await CoordinatorClient(bootstrap, coordinator: .group(exchange.group))
        let one = try await exchange.join("first", a, exchange.joining("", instance: "i")).memberId
        try await exchange.sync("first", a, exchange.syncing(one, 1, [one: [3]], instance: "i"))
        try await exchange.heartbeat("first", a, one, 1, instance: "i")
        try await exchange.heartbeat("without its name", a, one, 1)
        let two = try await exchange.join("successor", a, exchange.joining("", instance: "i")).memberId
        try await exchange.sync("successor", a, exchange.syncing(two, 1, instance: "i"))
        try await exchange.heartbeat("fenced", a, one, 1, instance: "i")
        try await exchange.heartbeat("fenced, without its name", a, one, 1)
        try await exchange.join("fenced", a, exchange.joining(one, instance: "i"))
        try await exchange.sync("fenced", a, exchange.syncing(one, 1, instance: "i"))
        try await exchange.heartbeat("other name", a, two, 1, instance: "j")
        try await exchange.leave("fenced", a, one, instance: "i")
        try await exchange.leave("other name", a, two, instance: "j")
        try await exchange.describe("with a static member", a)
        try await exchange.leave("by name", a, "", instance: "i")
        try await exchange.describe("empty", a)
        return exchange.lines
    }
}
