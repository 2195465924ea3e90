/// Something that has settings: a topic, a broker, a group.
public struct ConfigResource: Sendable, Hashable, CustomStringConvertible {
    /// What sort of thing has settings; the numbers are the protocol's.
    public enum Kind: Int8, Sendable, Hashable, CaseIterable {
        /// By the topic's name.
        case topic = 2
        /// By the node id in digits; the empty name stands for all brokers together (KIP-226).
        case broker = 4
        /// A broker's loggers and their levels (KIP-412).
        case brokerLogger = 8
        /// A subscription to clients' metrics (KIP-714).
        case clientMetrics = 16
        /// From Kafka 4.0 on (KIP-848).
        case group = 32
    }

    /// What sort of thing it is.
    public let kind: Kind
    /// A topic, a group or a subscription by its name, a broker by its node id in digits.
    public let name: String

    /// - Parameters:
    ///   - kind: What sort of thing it is.
    ///   - name: For brokers the node id in digits; empty for all of them together.
    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// The settings of a topic, such as `retention.ms`.
    public static func topic(_ name: String) -> ConfigResource { ConfigResource(.topic, name) }
    /// The settings of a group, such as `consumer.session.timeout.ms`; from Kafka 4.0 on (KIP-848).
    public static func group(_ name: String) -> ConfigResource { ConfigResource(.group, name) }
    /// The settings of one broker. They are asked of that broker, and set for it alone.
    public static func broker(_ nodeID: Int32) -> ConfigResource { ConfigResource(.broker, String(nodeID)) }
    /// The loggers of one broker and their levels, such as `DEBUG` (KIP-412).
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
        /// One that this client doesn't know.
        case unknown = 0
        /// Set for this topic.
        case topic = 1
        /// Set for this broker while it runs.
        case broker = 2
        /// Set for all brokers while they run.
        case allBrokers = 3
        /// The broker's `server.properties`.
        case brokerFile = 4
        /// Set by nobody: Kafka's own default.
        case byDefault = 5
        /// Set for this logger of a broker (KIP-412).
        case brokerLogger = 6
        /// Set for this subscription to clients' metrics (KIP-714).
        case clientMetrics = 7
        /// Set for this group (KIP-848).
        case group = 8
    }

    /// How a value's text is to be read (KIP-569).
    public enum ValueType: Int8, Sendable, Hashable {
        /// Not told, or one that this client doesn't know.
        case unknown = 0
        /// `true` or `false`.
        case boolean = 1
        /// Any text.
        case string = 2
        /// A whole number of 32 bits.
        case int = 3
        /// A whole number of 16 bits.
        case short = 4
        /// A whole number of 64 bits.
        case long = 5
        /// A number with a fraction.
        case double = 6
        /// Several texts with commas between: what `ConfigAlteration.append` and `subtract` are for.
        case list = 7
        /// The name of a Java class.
        case className = 8
        /// A secret: its value is never told.
        case password = 9
    }

    /// A place that the setting could have its value from.
    public struct Synonym: Sendable, Hashable {
        /// The setting's name there, such as `log.retention.ms` for a topic's `retention.ms`.
        public let name: String
        /// Nil for a secret, and where nothing is set.
        public let value: String?
        /// Which place it is.
        public let source: Source
    }

    /// By Kafka's name.
    public let name: String
    /// Nil for a secret, and where nothing is set.
    public let value: String?
    /// Where the value that counts is from.
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
    /// Gives it this value; for a list, instead of all that it had.
    case set(_ name: String, _ value: String)
    /// Back to the default.
    case delete(_ name: String)
    /// Adds to a setting that is a list; several with commas between.
    case append(_ name: String, _ value: String)
    /// Takes from a setting that is a list; several with commas between.
    case subtract(_ name: String, _ value: String)

    /// The setting's name.
    public var name: String {
        switch self {
        case .set(let name, _), .delete(let name), .append(let name, _), .subtract(let name, _): name
        }
    }
}
