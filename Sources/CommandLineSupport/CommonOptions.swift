/// The options that both programs have.
public enum CommonOptions {
    public static let bootstrapServers = Option(
        "bootstrap-servers", .string, default: "localhost:9092", placeholder: "HOST:PORT[,HOST:PORT…]",
        help: "Brokers to ask for the rest of the cluster.")
    public static let topic = Option(
        "topic", .topic, default: "TFI", help: "The topic of the plant's messages.")
    public static let summaryJSON = Option(
        flag: "summary-json", help: "Ends standard output with one line that is a JSON object of the totals.")
    public static let properties = Option(
        repeated: "property", .property,
        help: "A setting of the Kafka client by its name in Kafka, such as client.id=press-3.")
    public static let config = Option(
        optional: "config", .string, placeholder: "FILE",
        help: "A file of such settings, in the format that Kafka's Java tools read. Options beat it.")
}

extension ParsedOptions {
    /// The settings of the Kafka client that count instead of a file's: those of `--property`, then
    /// `--bootstrap-servers` as `bootstrap.servers`, and where the file says nothing the program's own.
    ///
    /// - Parameters:
    ///   - defaults: The program's own.
    ///   - file: The names that the file of `--config` gives.
    public func clientProperties(defaults: [String: String], file: Set<String> = []) -> [String: String] {
        var properties = defaults.filter { !file.contains($0.key) }
        if isGiven(CommonOptions.bootstrapServers) || !file.contains("bootstrap.servers") {
            properties["bootstrap.servers"] = self[CommonOptions.bootstrapServers]
        }
        return properties.merging(self[CommonOptions.properties].byName) { $1 }
    }
}

extension [Property] {
    /// By name; of a name given twice the last counts.
    public var byName: [String: String] {
        Dictionary(map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
