/// Which records of transactions a consumer reads (`isolation.level`, KIP-98).
///
/// Open: Kafka may add levels. A client accepts only those that are named here, others are INVALID_CONFIG.
public struct IsolationLevel: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the protocol.
    public let rawValue: Int8

    /// Creates a level from its number in the protocol.
    public init(rawValue: Int8) { self.rawValue = rawValue }

    /// All records, also those of transactions that are in progress or were aborted.
    public static let readUncommitted = IsolationLevel(rawValue: 0)
    /// Records of committed transactions and records outside transactions, up to the first transaction that is still in
    /// progress (the last stable offset).
    public static let readCommitted = IsolationLevel(rawValue: 1)

    static let names: KeyValuePairs<String, IsolationLevel> = [
        "read_uncommitted": .readUncommitted, "read_committed": .readCommitted,
    ]

    /// The value of `isolation.level`, such as `read_committed`; the number of an unknown level.
    public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
}
