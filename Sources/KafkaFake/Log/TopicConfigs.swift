import KafkaWire

/// The settings of one topic: explicit values, and Kafka's defaults for the rest.
///
/// Source: Kafka documentation, "Topic Configs".
struct TopicConfigs {
    enum Kind {
        case number
        case fraction
        case bool
        case list
        case choice([String])
    }

    struct Definition {
        let kind: Kind
        let defaultValue: String
    }

    static let definitions: [String: Definition] = [
        "cleanup.policy": .init(kind: .list, defaultValue: "delete"),
        "compression.gzip.level": .init(kind: .number, defaultValue: "-1"),
        "compression.lz4.level": .init(kind: .number, defaultValue: "9"),
        "compression.type": .init(
            kind: .choice(["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), defaultValue: "producer"),
        "compression.zstd.level": .init(kind: .number, defaultValue: "3"),
        "delete.retention.ms": .init(kind: .number, defaultValue: "86400000"),
        "file.delete.delay.ms": .init(kind: .number, defaultValue: "60000"),
        "flush.messages": .init(kind: .number, defaultValue: "9223372036854775807"),
        "flush.ms": .init(kind: .number, defaultValue: "9223372036854775807"),
        "follower.replication.throttled.replicas": .init(kind: .list, defaultValue: ""),
        "index.interval.bytes": .init(kind: .number, defaultValue: "4096"),
        "leader.replication.throttled.replicas": .init(kind: .list, defaultValue: ""),
        "local.retention.bytes": .init(kind: .number, defaultValue: "-2"),
        "local.retention.ms": .init(kind: .number, defaultValue: "-2"),
        "max.compaction.lag.ms": .init(kind: .number, defaultValue: "9223372036854775807"),
        "max.message.bytes": .init(kind: .number, defaultValue: "1048588"),
        "message.timestamp.after.max.ms": .init(kind: .number, defaultValue: "3600000"),
        "message.timestamp.before.max.ms": .init(kind: .number, defaultValue: "9223372036854775807"),
        "message.timestamp.type": .init(
            kind: .choice(["CreateTime", "LogAppendTime"]), defaultValue: "CreateTime"),
        "min.cleanable.dirty.ratio": .init(kind: .fraction, defaultValue: "0.5"),
        "min.compaction.lag.ms": .init(kind: .number, defaultValue: "0"),
        "min.insync.replicas": .init(kind: .number, defaultValue: "1"),
        "preallocate": .init(kind: .bool, defaultValue: "false"),
        "remote.log.copy.disable": .init(kind: .bool, defaultValue: "false"),
        "remote.log.delete.on.disable": .init(kind: .bool, defaultValue: "false"),
        "remote.storage.enable": .init(kind: .bool, defaultValue: "false"),
        "retention.bytes": .init(kind: .number, defaultValue: "-1"),
        "retention.ms": .init(kind: .number, defaultValue: "604800000"),
        "segment.bytes": .init(kind: .number, defaultValue: "1073741824"),
        "segment.index.bytes": .init(kind: .number, defaultValue: "10485760"),
        "segment.jitter.ms": .init(kind: .number, defaultValue: "0"),
        "segment.ms": .init(kind: .number, defaultValue: "604800000"),
        "unclean.leader.election.enable": .init(kind: .bool, defaultValue: "false"),
    ]

    /// The explicitly set values.
    private(set) var values: [String: String] = [:]

    /// Sets a value; nil restores the default.
    ///
    /// - Returns: The problem with the name or the value, in which case nothing is set; otherwise nil.
    mutating func set(_ name: String, _ value: String?) -> String? {
        if let problem = Self.problem(name, value) { return problem }
        values[name] = value
        return nil
    }

    /// Adds items to a list, without duplicates.
    ///
    /// - Returns: The problem, in which case nothing is set; otherwise nil.
    mutating func append(_ items: String, to name: String) -> String? {
        change(name, items) { list, items in list + items.filter { !list.contains($0) } }
    }

    /// Removes items from a list. The result is that of `append`.
    mutating func subtract(_ items: String, from name: String) -> String? {
        change(name, items) { list, items in list.filter { !items.contains($0) } }
    }

    private mutating func change(
        _ name: String, _ items: String, _ body: ([Substring], [Substring]) -> [Substring]
    ) -> String? {
        guard case .list = Self.definitions[name]?.kind, let value = value(name) else {
            return "\(name) isn't a list"
        }
        return set(name, body(value.split(separator: ","), items.split(separator: ",")).joined(separator: ","))
    }

    /// The problem with a setting; nil if it is valid.
    static func problem(_ name: String, _ value: String?) -> String? {
        guard let definition = definitions[name] else { return "there is no topic setting \(name)" }
        guard let value else { return nil }
        let isRight =
            switch definition.kind {
            case .number: Int64(value) != nil
            case .fraction: Double(value).map { (0...1).contains($0) } ?? false
            case .bool: value == "true" || value == "false"
            case .choice(let choices): choices.contains(value)
            case .list: true
            }
        return isRight ? nil : "'\(value)' can't be the value of \(name)"
    }

    func value(_ name: String) -> String? { values[name] ?? Self.definitions[name]?.defaultValue }

    var maximumMessageBytes: Int { value("max.message.bytes").flatMap(Int.init) ?? 1_048_588 }

    /// Whether every record must have a key.
    var isCompacted: Bool { value("cleanup.policy")?.contains("compact") ?? false }

    /// Whether records get the broker's time as their timestamp instead of the producer's.
    var usesAppendTime: Bool { value("message.timestamp.type") == "LogAppendTime" }
}
