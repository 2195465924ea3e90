import CommandLineSupport
import KafkaWire

/// `kafkawire configs …`
enum ConfigCommands {
    static let area = AdminArea(
        name: "configs",
        abstract: "shows and alters settings. A RESOURCE is topic:NAME, broker:ID, brokers (all of them) or group:NAME",
        commands: [
            AdminCommand(
                "describe", "RESOURCE…", "shows the settings that are not defaults; -J as JSON",
                options: [
                    ("all", nil, "includes defaults"), ("name", "NAME", "only this setting; may be repeated"),
                ], run: describe),
            AdminCommand(
                "alter", "RESOURCE", "alters the given settings, all or none, and keeps the others",
                options: [
                    ("set", "NAME=VALUE", "sets a value; this and the next three may be repeated"),
                    ("delete", "NAME", "resets a setting to its default"),
                    ("append", "NAME=VALUE", "adds to a list"), ("subtract", "NAME=VALUE", "removes from a list"),
                    ("validate-only", nil, "only checks whether the request is valid"),
                ], run: alter),
        ])

    /// The form of a resource on the command line.
    private static let form = "topic:NAME, broker:ID, brokers or group:NAME"

    /// - Returns: nil if the text does not have the form.
    /// - Throws: A failure of status `usage` if the name is invalid.
    static func resource(_ text: String) throws(Failure) -> ConfigResource? {
        if text == "brokers" { return .allBrokers }
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2 {
            switch parts[0] {
            case "topic":
                try TopicArguments.check(parts[1])
                return .topic(parts[1])
            case "group":
                try TopicArguments.check(group: parts[1])
                return .group(parts[1])
            case "broker": if let id = Int32(parts[1]), id >= 0 { return .broker(id) }
            default: break
            }
        }
        return nil
    }

    private static func describe(_ call: AdminCall) async throws {
        let resources = try call.operands(form, Self.resource)
        let names = call.all("name")
        let outcomes = try await call.admin.describeConfigs(resources, names: names.isEmpty ? nil : names)
        func shown(_ entries: [ConfigEntry]) -> [ConfigEntry] {
            call.has("all") || !names.isEmpty ? entries : entries.filter { !$0.isDefault && $0.source != .brokerFile }
        }
        var failures: [KafkaError] = []
        var json: [JSONValue] = []
        var table = TextTable(["RESOURCE", "NAME", "SOURCE", "VALUE"])
        for resource in resources {
            switch outcomes[resource] {
            case .failure(let error): failures.append(error)
            case .success(let entries):
                for entry in shown(entries) {
                    json.append(self.json(entry, of: resource))
                    table.add([
                        "\(resource)", entry.name, "\(entry.source)",
                        entry.isSensitive ? "(secret)" : entry.value ?? "",
                    ])
                }
            case nil: break
            }
        }
        if call.isJSON { return try await call.write(.array(json), failures: failures) }
        try await call.write(table.lines, failures: failures)
    }

    private static func json(_ entry: ConfigEntry, of resource: ConfigResource) -> JSONValue {
        [
            "resource": .string("\(resource)"), "name": .string(entry.name),
            "value": entry.value.map { .string($0) } ?? .null, "source": .string("\(entry.source)"),
            "read_only": .bool(entry.isReadOnly), "sensitive": .bool(entry.isSensitive),
        ]
    }

    private static func alter(_ call: AdminCall) async throws {
        guard call.operands.count == 1 else {
            throw Failure("exactly one RESOURCE is expected: \(form)", status: .usage)
        }
        let resource = try call.operands(form, Self.resource)[0]
        var alterations = try call.pairs("set").map { ConfigAlteration.set($0.name, $0.value) }
        alterations += call.all("delete").map { .delete($0) }
        alterations += try call.pairs("append").map { .append($0.name, $0.value) }
        alterations += try call.pairs("subtract").map { .subtract($0.name, $0.value) }
        guard !alterations.isEmpty else {
            throw Failure("no alteration is given: use --set, --delete, --append or --subtract", status: .usage)
        }
        let outcomes = try await call.admin.alterConfigs(
            [resource: alterations], validateOnly: call.has("validate-only"))
        guard let outcome = outcomes[resource] else { return }
        try await call.report(["\(resource)": outcome]) { name, _ in
            [call.has("validate-only") ? "\(name) can be altered" : "\(name) is altered"]
        }
    }
}
