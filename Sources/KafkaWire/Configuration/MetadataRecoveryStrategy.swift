/// What a client does if it can reach none of the brokers that it knows (`metadata.recovery.strategy`, KIP-899).
///
/// Open: Kafka may add strategies. A client accepts only those that are named here, others are INVALID_CONFIG.
public struct MetadataRecoveryStrategy: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The value of the setting, such as `rebootstrap`.
    public let rawValue: String

    /// Creates a strategy from its name in Kafka.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Forget the known brokers and ask the bootstrap servers again, since all addresses may have changed.
    public static let rebootstrap = MetadataRecoveryStrategy(rawValue: "rebootstrap")
    /// Keep retrying the known brokers (`none`).
    public static let keep = MetadataRecoveryStrategy(rawValue: "none")

    static let names: KeyValuePairs<String, MetadataRecoveryStrategy> = ["rebootstrap": .rebootstrap, "none": .keep]

    /// The value of the setting.
    public var description: String { rawValue }
}
