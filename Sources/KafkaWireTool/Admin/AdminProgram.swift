import CommandLineSupport
import KafkaWire

/// `kafkawire AREA COMMAND …`
struct AdminProgram {
    let area: AdminArea

    private static let common = ConnectionOptions.specs + [OptionSpec("J", "json"), OptionSpec("h", "help")]

    func run(_ arguments: [String]) async throws {
        let specs = Self.common + options.map { OptionSpec(nil, $0.name, takesValue: $0.takesValue) }
        var items: [OptionScanner.Item]
        do {
            items = try OptionScanner(specs: specs, skipped: 1).scan(arguments)
        } catch {
            throw Failure(error.sentence, status: .usage, hint: hint)
        }
        if items.contains(.option("-h", nil)) || arguments.first == "help" {
            return try await Output.standard.write(helpText)
        }
        let place = items.firstIndex { if case .operand = $0 { true } else { false } }
        guard let place, case .operand(let name, let position) = items.remove(at: place) else {
            throw Failure("a command is missing: one of \(commandNames)", status: .usage, hint: hint)
        }
        guard let command = area.commands.first(where: { $0.name == name }) else {
            throw Failure(
                "\(ShownArgument.argument(position)) is not a command of '\(area.name)': it is one of \(commandNames)",
                status: .usage, hint: hint)
        }
        do {
            try await run(command, items)
        } catch let failure as Failure where failure.status == .usage && failure.hint == nil {
            throw Failure(failure.sentence, status: .usage, hint: hint)
        }
    }

    private func run(_ command: AdminCommand, _ items: [OptionScanner.Item]) async throws {
        var connection = ConnectionOptions()
        var operands: [AdminCall.Operand] = []
        var values: [String: [String]] = [:]
        var isJSON = false
        for item in items {
            switch item {
            case .operand(let text, let position): operands.append(AdminCall.Operand(text: text, position: position))
            case .option("-J", _): isJSON = true
            case .option(let name, let value):
                if let value, try connection.take(name, value) { continue }
                let option = String(name.drop { $0 == "-" })
                guard command.options.contains(where: { $0.name == option }) else {
                    throw Failure("'\(command.name)' has no option \(name)", status: .usage)
                }
                values[option, default: []].append(value ?? "")
            }
        }
        let defaults = ClusterSession.shortCalls.merging(["client.id": "kafkawire"]) { $1 }
        if let report = connection.report {
            return try await connection.print(report, defaults: defaults, overrides: [:])
        }
        let session = try await connection.session(defaults: defaults)
        let call = AdminCall(admin: session.client.admin, given: operands, isJSON: isJSON, values: values)
        try await session.run { try await command.run(call) }
    }

    /// The options of all commands, each once.
    private var options: [(name: String, takesValue: Bool)] {
        var takesValue: [String: Bool] = [:]
        for option in area.commands.flatMap(\.options) { takesValue[option.name] = option.value != nil }
        return takesValue.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private var commandNames: String { area.commands.map(\.name).joined(separator: ", ") }
    private var hint: String { "see 'kafkawire \(area.name) --help'" }

    var helpText: String {
        var text = "kafkawire \(area.name): \(area.abstract)\n"
        for command in area.commands {
            let operands = command.operands.isEmpty ? "" : " " + command.operands
            text += "\n  kafkawire \(area.name) \(command.name)\(operands)\n      \(command.abstract)\n"
            for option in command.options {
                let name = "--\(option.name)\(option.value.map { " " + $0 } ?? "")"
                let padding = String(repeating: " ", count: max(1, 26 - name.count))
                text += "        \(name)\(padding)\(option.help)\n"
            }
        }
        text += "\n  Every command accepts -b, -X, -F, -m and -d; see 'kafkawire --help'.\n"
        return text
    }
}
