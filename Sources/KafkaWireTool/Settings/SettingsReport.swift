import CommandLineSupport
import KafkaWire

/// The output of `-X list` and `-X dump`.
enum SettingsReport {
    /// All settings with their defaults and librdkafka's names for them.
    static func list() throws(Failure) -> String {
        let defaults: ClientConfiguration
        do throws(KafkaError) {
            defaults = try ClientConfiguration(bootstrapServers: ConnectionOptions.anyServer)
        } catch {
            throw Failure(error.message, status: .internalError)
        }
        let aliases = Dictionary(grouping: LibrdkafkaSettings.aliases, by: \.kafkaName).mapValues { $0.map(\.name) }
        var table = TextTable(["PROPERTY", "DEFAULT", "ALSO"])
        for setting in KnownSetting.all {
            let value: String
            switch setting.value(defaults) {
            case .shown(let text): value = setting.name == "bootstrap.servers" ? "" : text
            case .hidden, .none: value = ""
            }
            table.add([setting.name, value, (aliases[setting.name] ?? []).joined(separator: ", ")])
        }
        table.add(["partitioner", "murmur2_random", ""])
        table.add(["debug", "", ""])
        table.add(["ssl.key.location", "", ""])
        table.add(["compression.level", "-1", ""])
        return table.lines.map(\.trimmingBlanksAtEnd).joined(separator: "\n") + "\n\n"
            + "Topic settings may have the prefix topic., as in topic.acks. Other settings of librdkafka are ignored "
            + "with a note.\n"
    }

    /// The effective settings, in a format that `-F` can read. Secrets are omitted.
    static func dump(_ configuration: ClientConfiguration, _ settings: KafkaSettings) -> String {
        var lines: [String] = []
        for setting in KnownSetting.all {
            switch setting.value(configuration) {
            case .shown(let text): lines.append("\(setting.name) = \(text)")
            case .hidden: lines.append("# \(setting.name) is set, but not shown")
            case .none: break
            }
        }
        if let keyFile = settings.keyFile { lines.append("ssl.key.location = \(ShownArgument.name(keyFile))") }
        if let partitioner = settings.partitioner { lines.append("partitioner = \(partitioner.kind.rawValue)") }
        if !settings.debug.isEmpty {
            lines.append("debug = \(settings.debug.map(\.rawValue).sorted().joined(separator: ","))")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    fileprivate var trimmingBlanksAtEnd: String {
        var rest = self[...]
        while rest.last == " " { rest = rest.dropLast() }
        return String(rest)
    }
}
