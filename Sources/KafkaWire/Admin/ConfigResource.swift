/// A resource that has configs: a topic, a broker, a group.
public struct ConfigResource: Sendable, Hashable, CustomStringConvertible {
    /// What sort of resource has configs.
    ///
    /// Open: newer brokers may report other numbers.
    public struct Kind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The number in the protocol.
        public let rawValue: Int8

        /// Creates a kind from its number in the protocol.
        public init(rawValue: Int8) { self.rawValue = rawValue }

        /// A topic, by its name.
        public static let topic = Kind(rawValue: 2)
        /// A broker, by its node id in digits. The empty name stands for all brokers together (KIP-226).
        public static let broker = Kind(rawValue: 4)
        /// The loggers of a broker and their levels (KIP-412).
        public static let brokerLogger = Kind(rawValue: 8)
        /// A subscription to clients' metrics (KIP-714).
        public static let clientMetrics = Kind(rawValue: 16)
        /// A group, from Kafka 4.0 on (KIP-848).
        public static let group = Kind(rawValue: 32)

        static let names: KeyValuePairs<String, Kind> = [
            "TOPIC": .topic, "BROKER": .broker, "BROKER_LOGGER": .brokerLogger, "CLIENT_METRICS": .clientMetrics,
            "GROUP": .group,
        ]

        /// Kafka's name, such as `BROKER`; the number of an unknown value.
        public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
    }

    /// What sort of resource it is.
    public let kind: Kind
    /// The name of a topic, group or subscription; the node id of a broker in digits.
    public let name: String

    /// Creates a resource.
    ///
    /// - Parameters:
    ///   - kind: What sort of resource it is.
    ///   - name: For brokers the node id in digits; empty for all of them together.
    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// The configs of a topic, such as `retention.ms`.
    public static func topic(_ name: String) -> ConfigResource { ConfigResource(.topic, name) }
    /// The configs of a group, such as `consumer.session.timeout.ms`; from Kafka 4.0 on (KIP-848).
    public static func group(_ name: String) -> ConfigResource { ConfigResource(.group, name) }
    /// The configs of one broker. Only that broker knows them.
    public static func broker(_ nodeID: Int32) -> ConfigResource { ConfigResource(.broker, String(nodeID)) }
    /// The loggers of one broker and their levels, such as `DEBUG` (KIP-412).
    public static func brokerLogger(_ nodeID: Int32) -> ConfigResource { ConfigResource(.brokerLogger, String(nodeID)) }
    /// The configs that are set for all brokers of the cluster together.
    public static let allBrokers = ConfigResource(.broker, "")

    /// The kind and the name, such as `topic orders`.
    public var description: String {
        switch kind {
        case .topic: "topic \(name)"
        case .broker: name.isEmpty ? "all brokers" : "broker \(name)"
        case .brokerLogger: "loggers of broker \(name)"
        case .clientMetrics: "client metrics \(name)"
        case .group: "group \(name)"
        default: "\(kind) \(name)"
        }
    }
}
