/// The options that both programs have.
public enum CommonOptions {
    public static let bootstrapServers = Option(
        "bootstrap-servers", .string, default: "localhost:9092", placeholder: "HOST:PORT[,HOST:PORT…]",
        help: "Brokers to ask for the rest of the cluster.")
    public static let topic = Option(
        "topic", .topic, default: "TFI", help: "The topic of the plant's messages.")
    public static let summaryJSON = Option(
        flag: "summary-json", help: "Ends standard output with a line that has the totals as a JSON object.")
    public static let properties = Option(
        repeated: "property", .property,
        help: "A Kafka client setting by its Kafka name, such as client.id=press-3.")
    public static let config = Option(
        optional: "config", .string, placeholder: "FILE",
        help: "A file with such settings in the format of Kafka's Java tools. Options take precedence.")
}

extension ParsedOptions {
    /// The Kafka client settings that take precedence over the file's: `--property`, then `--bootstrap-servers` as
    /// `bootstrap.servers`, then the program's defaults for names that the file doesn't set.
    ///
    /// - Parameters:
    ///   - defaults: The program's defaults.
    ///   - file: The names set by the file of `--config`.
    public func clientProperties(defaults: [String: String], file: Set<String> = []) -> [String: String] {
        var properties = defaults.filter { !file.contains($0.key) }
        if isGiven(CommonOptions.bootstrapServers) || !file.contains("bootstrap.servers") {
            properties["bootstrap.servers"] = self[CommonOptions.bootstrapServers]
        }
        return properties.merging(self[CommonOptions.properties].byName) { $1 }
    }
}

extension [Property] {
    /// The properties by name; for repeated names the last value.
    public var byName: [String: String] {
        Dictionary(map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
