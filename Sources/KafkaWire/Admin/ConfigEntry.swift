/// A config of a topic, a broker or another resource, with its value (KIP-133).
public struct ConfigEntry: Sendable, Hashable {
    /// Where a value comes from.
    ///
    /// Open: newer brokers may report other numbers.
    public struct Source: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number in the protocol.
        public let rawValue: Int8

        /// Creates a source from its number in the protocol.
        public init(rawValue: Int8) { self.rawValue = rawValue }

        /// The broker does not say.
        public static let unknown = Source(rawValue: 0)
        /// Set for this topic.
        public static let topic = Source(rawValue: 1)
        /// Set for this broker at run time.
        public static let broker = Source(rawValue: 2)
        /// Set for all brokers at run time.
        public static let allBrokers = Source(rawValue: 3)
        /// Set in the broker's `server.properties`.
        public static let brokerFile = Source(rawValue: 4)
        /// Kafka's own default.
        public static let byDefault = Source(rawValue: 5)
        /// Set for this logger of a broker (KIP-412).
        public static let brokerLogger = Source(rawValue: 6)
        /// Set for this subscription to clients' metrics (KIP-714).
        public static let clientMetrics = Source(rawValue: 7)
        /// Set for this group (KIP-848).
        public static let group = Source(rawValue: 8)

        static let names: KeyValuePairs<String, Source> = [
            "UNKNOWN": .unknown, "DYNAMIC_TOPIC_CONFIG": .topic, "DYNAMIC_BROKER_CONFIG": .broker,
            "DYNAMIC_DEFAULT_BROKER_CONFIG": .allBrokers, "STATIC_BROKER_CONFIG": .brokerFile,
            "DEFAULT_CONFIG": .byDefault, "DYNAMIC_BROKER_LOGGER_CONFIG": .brokerLogger,
            "DYNAMIC_CLIENT_METRICS_CONFIG": .clientMetrics, "DYNAMIC_GROUP_CONFIG": .group,
        ]

        /// Kafka's name, such as `DYNAMIC_TOPIC_CONFIG`; the number of an unknown value.
        public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
    }

    /// The type of a config's value (KIP-569).
    ///
    /// Open: newer brokers may report other numbers.
    public struct ValueType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number in the protocol.
        public let rawValue: Int8

        /// Creates a type from its number in the protocol.
        public init(rawValue: Int8) { self.rawValue = rawValue }

        /// The broker does not say.
        public static let unknown = ValueType(rawValue: 0)
        /// `true` or `false`.
        public static let boolean = ValueType(rawValue: 1)
        /// Any text.
        public static let string = ValueType(rawValue: 2)
        /// An integer of 32 bits.
        public static let int = ValueType(rawValue: 3)
        /// An integer of 16 bits.
        public static let short = ValueType(rawValue: 4)
        /// An integer of 64 bits.
        public static let long = ValueType(rawValue: 5)
        /// A floating-point number.
        public static let double = ValueType(rawValue: 6)
        /// Texts with commas between, for `ConfigAlteration.append` and `subtract`.
        public static let list = ValueType(rawValue: 7)
        /// The name of a Java class.
        public static let className = ValueType(rawValue: 8)
        /// A secret. No broker returns its value.
        public static let password = ValueType(rawValue: 9)

        static let names: KeyValuePairs<String, ValueType> = [
            "UNKNOWN": .unknown, "BOOLEAN": .boolean, "STRING": .string, "INT": .int, "SHORT": .short, "LONG": .long,
            "DOUBLE": .double, "LIST": .list, "CLASS": .className, "PASSWORD": .password,
        ]

        /// Kafka's name, such as `BOOLEAN`; the number of an unknown value.
        public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
    }

    /// A place that the config could take its value from.
    public struct Synonym: Sendable, Hashable {
        /// The config's name there, such as `log.retention.ms` for a topic's `retention.ms`.
        public let name: String
        /// The value; nil for a secret, and if it is not set.
        public let value: String?
        /// The place.
        public let source: Source

        /// Creates a value, for example in a test.
        public init(name: String, value: String?, source: Source) {
            self.name = name
            self.value = value
            self.source = source
        }
    }

    /// The config's name in Kafka.
    public let name: String
    /// The value; nil for a secret, and if it is not set.
    public let value: String?
    /// Where the value comes from.
    public let source: Source
    /// Whether the config cannot be altered at run time.
    public let isReadOnly: Bool
    /// Whether the config is a secret. No broker returns its value.
    public let isSensitive: Bool
    /// The type of the value; `unknown` before Kafka 2.6 (KIP-569).
    public let type: ValueType
    /// The places that the value could come from, the effective one first; empty unless requested.
    public let synonyms: [Synonym]
    /// Kafka's documentation of the config; nil unless requested.
    public let documentation: String?

    /// Creates an entry, for example in a test.
    public init(
        name: String, value: String?, source: Source, isReadOnly: Bool = false, isSensitive: Bool = false,
        type: ValueType = .unknown, synonyms: [Synonym] = [], documentation: String? = nil
    ) {
        self.name = name
        self.value = value
        self.source = source
        self.isReadOnly = isReadOnly
        self.isSensitive = isSensitive
        self.type = type
        self.synonyms = synonyms
        self.documentation = documentation
    }

    /// Whether the value is Kafka's own default.
    public var isDefault: Bool { source == .byDefault }
}

/// A change of one config (KIP-339).
@nonexhaustive
public enum ConfigAlteration: Sendable, Hashable {
    /// Sets the value. For a list it replaces the whole list.
    case set(_ name: String, _ value: String)
    /// Resets the config to its default.
    case delete(_ name: String)
    /// Adds values to a list, with commas between.
    case append(_ name: String, _ value: String)
    /// Removes values from a list, with commas between.
    case subtract(_ name: String, _ value: String)

    /// The config's name.
    public var name: String {
        switch self {
        case .set(let name, _), .delete(let name), .append(let name, _), .subtract(let name, _): name
        }
    }
}
