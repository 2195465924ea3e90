/// Something that has settings: a topic, a broker, a group.
public struct ConfigResource: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Int8, Sendable, Hashable, CaseIterable {
        case topic = 2
        case broker = 4
        /// A broker's loggers and their levels (KIP-412).
        case brokerLogger = 8
        /// A subscription to clients' metrics (KIP-714).
        case clientMetrics = 16
        /// From Kafka 4.0 on (KIP-848).
        case group = 32
    }

    public let kind: Kind
    public let name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public static func topic(_ name: String) -> ConfigResource { ConfigResource(.topic, name) }
    public static func group(_ name: String) -> ConfigResource { ConfigResource(.group, name) }
    public static func broker(_ nodeID: Int32) -> ConfigResource { ConfigResource(.broker, String(nodeID)) }
    public static func brokerLogger(_ nodeID: Int32) -> ConfigResource { ConfigResource(.brokerLogger, String(nodeID)) }
    /// What is set for all brokers of the cluster together.
    public static let allBrokers = ConfigResource(.broker, "")

    public var description: String {
        switch kind {
        case .topic: "topic \(name)"
        case .broker: name.isEmpty ? "all brokers" : "broker \(name)"
        case .brokerLogger: "loggers of broker \(name)"
        case .clientMetrics: "client metrics \(name)"
        case .group: "group \(name)"
        }
    }
}

/// One setting, and where it has its value from.
public struct ConfigEntry: Sendable, Hashable {
    /// Where a value is from.
    public enum Source: Int8, Sendable, Hashable {
        case unknown = 0
        case topic = 1
        /// Set for this broker while it runs.
        case broker = 2
        /// Set for all brokers while they run.
        case allBrokers = 3
        /// The broker's `server.properties`.
        case brokerFile = 4
        case byDefault = 5
        case brokerLogger = 6
        case clientMetrics = 7
        case group = 8
    }

    public enum ValueType: Int8, Sendable, Hashable {
        case unknown = 0
        case boolean = 1
        case string = 2
        case int = 3
        case short = 4
        case long = 5
        case double = 6
        case list = 7
        case className = 8
        case password = 9
    }

    /// A place that the setting could have its value from.
    public struct Synonym: Sendable, Hashable {
        public let name: String
        public let value: String?
        public let source: Source
    }

    public let name: String
    /// Nil for a secret, and where nothing is set.
    public let value: String?
    public let source: Source
    /// Whether it can't be altered while the broker runs.
    public let isReadOnly: Bool
    /// Whether it is a secret, whose value no broker tells.
    public let isSensitive: Bool
    /// `unknown` before Kafka 2.6 (KIP-569).
    public let type: ValueType
    /// The places that the value could be from, the one that counts first; empty where they weren't asked for.
    public let synonyms: [Synonym]
    /// What the setting is for; nil where that wasn't asked for.
    public let documentation: String?

    /// Whether nobody has set it.
    public var isDefault: Bool { source == .byDefault }
}

/// A change of one setting (KIP-339).
public enum ConfigAlteration: Sendable, Hashable {
    case set(_ name: String, _ value: String)
    /// Back to the default.
    case delete(_ name: String)
    /// Adds to a setting that is a list; several with commas between.
    case append(_ name: String, _ value: String)
    /// Takes from a setting that is a list; several with commas between.
    case subtract(_ name: String, _ value: String)

    public var name: String {
        switch self {
        case .set(let name, _), .delete(let name), .append(let name, _), .subtract(let name, _): name
        }
    }
}
