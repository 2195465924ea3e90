import CommandLineSupport
import KafkaWire

/// `kafkawire topics …`
enum TopicCommands {
    static let area = AdminArea(
        name: "topics", abstract: "creates, shows, extends and deletes topics",
        commands: [
            AdminCommand(
                "list", "", "lists the names of all topics; -J with their partitions as JSON",
                options: [("internal", nil, "includes internal topics, such as __consumer_offsets")], run: list),
            AdminCommand("describe", "NAME…", "shows partitions, leaders and replicas; -J as JSON", run: describe),
            AdminCommand(
                "create", "NAME…", "creates topics, all with the same options",
                options: [
                    ("partitions", "N", "the number of partitions (default: the brokers')"),
                    ("replication-factor", "N", "the number of replicas (default: the brokers')"),
                    ("config", "NAME=VALUE", "a topic setting; may be repeated"),
                    ("validate-only", nil, "only checks whether the request is valid"),
                ], run: create),
            AdminCommand(
                "add-partitions", "NAME COUNT", "adds partitions to a topic, up to COUNT in total",
                options: [("validate-only", nil, "only checks whether the request is valid")], run: addPartitions),
            AdminCommand("delete", "NAME…", "deletes topics and all their records", run: delete),
        ])

    private static func list(_ call: AdminCall) async throws {
        try call.noOperands()
        let topics = try await call.admin.listTopics(includingInternal: call.has("internal"))
        if call.isJSON { return try await call.write(.array(topics.map(ListMode.json))) }
        try await call.write(topics.map(\.name))
    }

    private static func describe(_ call: AdminCall) async throws {
        let outcomes = try await call.admin.describeTopics(try call.topics())
        if call.isJSON {
            let found = outcomes.values.compactMap { try? $0.get() }.sorted { $0.name < $1.name }
            return try await call.write(.array(found.map(ListMode.json)), failures: call.failures(of: outcomes))
        }
        try await call.report(outcomes) { name, topic in
            var table = TextTable(["PARTITION", "LEADER", "EPOCH", "REPLICAS", "IN SYNC"])
            for partition in topic.partitions {
                table.add([
                    "\(partition.partition)", partition.leader.map { "\($0)" } ?? "none", "\(partition.leaderEpoch)",
                    partition.replicas.map { "\($0)" }.joined(separator: ","),
                    partition.inSyncReplicas.map { "\($0)" }.joined(separator: ","),
                ])
            }
            return ["\(name)  id \(topic.id)"] + table.lines
        }
    }

    private static func create(_ call: AdminCall) async throws {
        let names = try call.topics()
        let partitions: Int32 = try call.number("partitions", default: -1)
        let replicationFactor: Int16 = try call.number("replication-factor", default: -1)
        let configs = Dictionary(try call.pairs("config").map { ($0.name, $0.value) }) { $1 }
        let validateOnly = call.has("validate-only")
        let outcomes = try await call.admin.createTopics(
            names.map {
                NewTopic($0, partitions: partitions, replicationFactor: replicationFactor, configs: configs)
            }, validateOnly: validateOnly)
        try await call.report(outcomes) { name, topic in
            let size = topic.partitions < 0 ? "" : " with \(topic.partitions) partitions"
            return [validateOnly ? "\(name) can be created\(size)" : "created \(name)\(size)"]
        }
    }

    private static func addPartitions(_ call: AdminCall) async throws {
        guard call.operands.count == 2, let count = Int32(call.operands[1]), count > 0 else {
            throw Failure("a topic name and a partition count are expected: NAME COUNT", status: .usage)
        }
        try TopicArguments.check(call.operands[0])
        let outcomes = try await call.admin.createPartitions(
            [call.operands[0]: count], validateOnly: call.has("validate-only"))
        try await call.report(outcomes) { name, _ in
            [call.has("validate-only") ? "\(name) can have \(count) partitions" : "\(name) has \(count) partitions"]
        }
    }

    private static func delete(_ call: AdminCall) async throws {
        let outcomes = try await call.admin.deleteTopics(try call.topics())
        try await call.report(outcomes) { name, _ in ["\(name) is deleted"] }
    }
}
