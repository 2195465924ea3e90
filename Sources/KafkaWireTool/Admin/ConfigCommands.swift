import CommandLineSupport
import KafkaWire

/// `kafkawire configs …`
enum ConfigCommands {
    static let area = AdminArea(
        name: "configs",
        abstract: "shows and alters settings. A RESOURCE is topic:NAME, broker:ID, brokers (all of them) or group:NAME",
        commands: [
            AdminCommand(
                "describe", "RESOURCE…", "what is set; -J as JSON",
                options: [
                    ("all", nil, "defaults too"), ("name", "NAME", "this setting alone; may be repeated"),
                ], run: describe),
            AdminCommand(
                "alter", "RESOURCE", "alters settings and leaves the others as they are: all of it is done or nothing",
                options: [
                    ("set", "NAME=VALUE", "gives a setting a value; each of these may be repeated"),
                    ("delete", "NAME", "back to the default"),
                    ("append", "NAME=VALUE", "adds to a list"), ("subtract", "NAME=VALUE", "takes from a list"),
                    ("validate-only", nil, "only asks whether it could be done"),
                ], run: alter),
        ])

    /// The form of a resource on the command line.
    private static let form = "topic:NAME, broker:ID, brokers or group:NAME"

    /// - Returns: Nil for a text that isn't of the form.
    /// - Throws: A failure of status `usage` for a name that can't be.
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
        guard call.operands.count == 1 else { throw Failure("one resource is wanted", status: .usage) }
        let resource = try call.operands(form, Self.resource)[0]
        var alterations = try call.pairs("set").map { ConfigAlteration.set($0.name, $0.value) }
        alterations += call.all("delete").map { .delete($0) }
        alterations += try call.pairs("append").map { .append($0.name, $0.value) }
        alterations += try call.pairs("subtract").map { .subtract($0.name, $0.value) }
        guard !alterations.isEmpty else {
            throw Failure("nothing is to be altered: give --set, --delete, --append or --subtract", status: .usage)
        }
        let outcomes = try await call.admin.alterConfigs(
            [resource: alterations], validateOnly: call.has("validate-only"))
        guard let outcome = outcomes[resource] else { return }
        try await call.report(["\(resource)": outcome]) { name, _ in
            [call.has("validate-only") ? "\(name) can be altered" : "\(name) is altered"]
        }
    }
}
