import CommandLineSupport
import KafkaWire

/// `kafkawire groups …`
enum GroupCommands {
    static let area = AdminArea(
        name: "groups", abstract: "shows consumer groups, moves their offsets and deletes them",
        commands: [
            AdminCommand(
                "list", "", "lists all groups with type and state; -J as JSON",
                options: [
                    ("state", "STATE", "only groups in this state, such as Stable; may be repeated"),
                    ("type", "TYPE", "only groups of this type: classic or consumer; may be repeated"),
                ], run: list),
            AdminCommand("describe", "GROUP…", "shows members and their partitions; -J as JSON", run: describe),
            AdminCommand(
                "offsets", "GROUP", "shows each partition's committed offset, end and lag; -J as JSON", run: offsets),
            AdminCommand(
                "set-offsets", "GROUP TOPIC:PARTITION:PLACE…",
                "moves offsets of a group without members; a PLACE is an offset, beginning, end or @MS", run: setOffsets
            ),
            AdminCommand(
                "delete-offsets", "GROUP TOPIC:PARTITION…", "deletes committed offsets", run: deleteOffsets),
            AdminCommand("delete", "GROUP…", "deletes groups without members, and their offsets", run: delete),
        ])

    private static func list(_ call: AdminCall) async throws {
        try call.noOperands()
        let listing = try await call.admin.listGroups(
            states: Set(call.all("state").map { GroupState(rawValue: $0) }),
            types: Set(call.all("type").map { GroupType(rawValue: $0.lowercased()) }))
        let failures = listing.failures.sorted { $0.key < $1.key }.map(\.value)
        if call.isJSON {
            let groups = listing.groups.map { group -> JSONValue in
                [
                    "group": .string(group.groupID), "protocol_type": .string(group.protocolType),
                    "type": group.type.map { .string($0.rawValue) } ?? .null,
                    "state": group.state.map { .string($0.rawValue) } ?? .null,
                ]
            }
            return try await call.write(.array(groups), failures: failures)
        }
        var table = TextTable(["GROUP", "TYPE", "STATE"])
        for group in listing.groups {
            table.add([group.groupID, group.type?.rawValue ?? "?", group.state?.rawValue ?? "?"])
        }
        try await call.write(table.lines, failures: failures)
    }

    private static func describe(_ call: AdminCall) async throws {
        let outcomes = try await call.admin.describeGroups(try call.groups())
        if call.isJSON {
            let found = outcomes.values.compactMap { try? $0.get() }.sorted { $0.groupID < $1.groupID }
            return try await call.write(.array(found.map(json)), failures: call.failures(of: outcomes))
        }
        try await call.report(outcomes) { name, group in
            var text = "\(name)  \(group.type)  \(group.state)  coordinator \(group.coordinator)"
            if !group.assignor.isEmpty { text += "  assignor \(group.assignor)" }
            if let epoch = group.groupEpoch { text += "  epoch \(epoch)" }
            guard !group.members.isEmpty else { return [text] }
            var table = TextTable(["MEMBER", "CLIENT", "HOST", "PARTITIONS"])
            for member in group.members {
                table.add([
                    member.groupInstanceID ?? member.memberID, member.clientID, member.clientHost,
                    member.assignment.map { "\($0)" }.joined(separator: " "),
                ])
            }
            return [text] + table.lines
        }
    }

    private static func json(_ group: GroupDescription) -> JSONValue {
        [
            "group": .string(group.groupID), "type": .string(group.type.rawValue),
            "state": .string(group.state.rawValue), "assignor": .string(group.assignor),
            "coordinator": .string("\(group.coordinator)"),
            "epoch": group.groupEpoch.map { .integer(Int($0)) } ?? .null,
            "members": .array(
                group.members.map { member in
                    [
                        "member": .string(member.memberID),
                        "instance": member.groupInstanceID.map { .string($0) } ?? .null,
                        "client": .string(member.clientID), "host": .string(member.clientHost),
                        "topics": .array(member.subscribedTopics.map { .string($0) }),
                        "partitions": .array(
                            member.assignment.map {
                                ["topic": .string($0.topic), "partition": .integer(Int($0.partition))]
                            }),
                    ]
                }),
        ]
    }

    private static func offsets(_ call: AdminCall) async throws {
        guard call.operands.count == 1 else { throw Failure("exactly one GROUP is expected", status: .usage) }
        let outcomes = try await call.admin.listGroupOffsets(try call.group("exactly one GROUP is expected"))
        let committed = outcomes.compactMapValues { try? $0.get() }
        let ends = await ends(of: Array(committed.keys), call.admin)
        var table = TextTable(["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"])
        var json: [JSONValue] = []
        for (partition, offset) in committed.sorted(by: { $0.key < $1.key }) {
            let end = ends[partition]
            let lag = end.map { Numbers.distance(from: offset.offset, to: $0) }
            table.add([
                partition.topic, "\(partition.partition)", "\(offset.offset)", end.map { "\($0)" } ?? "?",
                lag.map { "\($0)" } ?? "?",
            ])
            json.append([
                "topic": .string(partition.topic), "partition": .integer(Int(partition.partition)),
                "committed": .integer(Int(offset.offset)), "metadata": .string(offset.metadata),
                "end": end.map { .integer(Int($0)) } ?? .null, "lag": lag.map { .integer(Int($0)) } ?? .null,
            ])
        }
        let failures = call.failures(of: outcomes)
        if call.isJSON { return try await call.write(.array(json), failures: failures) }
        try await call.write(table.lines, failures: failures)
    }

    /// The end offset of each partition. Partitions of deleted topics are omitted.
    private static func ends(of partitions: [TopicPartition], _ admin: KafkaAdmin) async -> [TopicPartition: Int64] {
        guard let topics = try? await admin.describeTopics(Array(Set(partitions.map(\.topic)))) else { return [:] }
        var specs: [TopicPartition: OffsetSpec] = [:]
        for partition in partitions {
            let topic = try? topics[partition.topic]?.get()
            if topic?.partitions.contains(where: { $0.partition == partition.partition }) == true {
                specs[partition] = .latest
            }
        }
        return (try? await admin.listOffsets(specs).mapValues(\.offset)) ?? [:]
    }

    /// Parses an offset, `beginning`, `end` or `@MS`; nil for any other text.
    static func place(_ text: String) -> OffsetSpec? {
        switch text {
        case "beginning": return .earliest
        case "end": return .latest
        default:
            // Brokers give negative times special meanings: -1 is the end.
            if text.hasPrefix("@") {
                return Int64(text.dropFirst()).flatMap {
                    $0 >= 0 ? .timestamp(KafkaTimestamp(millisecondsSince1970: $0)) : nil
                }
            }
            return Int64(text).flatMap { $0 >= 0 ? .offset($0) : nil }
        }
    }

    private static func setOffsets(_ call: AdminCall) async throws {
        let group = try call.group("a group name and offsets are expected: GROUP TOPIC:PARTITION:PLACE…")
        let specs = try places(call, from: 1)
        try await call.admin.requireExisting(specs.keys)
        let offsets = try await call.admin.listOffsets(specs).mapValues { OffsetAndMetadata($0.offset) }
        let outcomes = try await call.admin.alterGroupOffsets(group, offsets)
        try await call.report(outcomes) { partition, _ in
            ["set the offset of \(group) in \(partition) to \(offsets[partition]?.offset ?? -1)"]
        }
    }

    /// Parses operands of the form TOPIC:PARTITION:PLACE.
    static func places(_ call: AdminCall, from index: Int) throws(Failure) -> [TopicPartition: OffsetSpec] {
        let places = try call.operands(from: index, "TOPIC:PARTITION:PLACE") {
            (text) throws(Failure) -> (TopicPartition, OffsetSpec)? in
            guard let (partition, rest) = PartitionText.parse(text), let place = place(rest) else { return nil }
            try TopicArguments.check(partition.topic)
            return (partition, place)
        }
        return Dictionary(places) { $1 }
    }

    private static func deleteOffsets(_ call: AdminCall) async throws {
        let group = try call.group("a group name and partitions are expected: GROUP TOPIC:PARTITION…")
        let partitions = try call.operands(from: 1, "TOPIC:PARTITION") { (text) throws(Failure) -> TopicPartition? in
            guard let partition = PartitionText.parsePartition(text) else { return nil }
            try TopicArguments.check(partition.topic)
            return partition
        }
        let outcomes = try await call.admin.deleteGroupOffsets(group, of: partitions)
        try await call.report(outcomes) { partition, _ in ["deleted the offset of \(group) in \(partition)"] }
    }

    private static func delete(_ call: AdminCall) async throws {
        let outcomes = try await call.admin.deleteGroups(try call.groups())
        try await call.report(outcomes) { name, _ in ["\(name) is deleted"] }
    }
}
