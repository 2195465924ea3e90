/// One of Kafka's error codes, with Kafka's own name for it.
///
/// A code that this version doesn't know (from a newer broker) keeps its number and is not retriable.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int16

    public init(rawValue: Int16) {
        self.rawValue = rawValue
    }

    public static let none = ErrorCode(rawValue: 0)
    public static let corruptMessage = ErrorCode(rawValue: 2)

    /// The name as in Kafka's protocol guide, such as `NOT_LEADER_OR_FOLLOWER`; `ERROR_n` for an unknown code.
    public var description: String { "ERROR_\(rawValue)" }

    /// Whether the same request can succeed later, as Kafka's protocol guide has it.
    public var isRetriable: Bool { false }
}
