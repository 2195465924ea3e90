/// How the leader of a classic group assigns partitions to members (`partition.assignment.strategy`).
///
/// The names and the bytes on the wire are those of Kafka's Java client, so a group may have members with other clients,
/// and any member may lead it.
///
/// Open: Kafka may add assignors. A client accepts only those that are named here, others are INVALID_CONFIG.
public struct PartitionAssignor: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name in the group protocol, such as `cooperative-sticky`.
    public let rawValue: String

    /// Creates an assignor from its name in the group protocol.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Topic by topic, each member gets a range of partitions; the first members get one more. Topics with the same
    /// number of partitions and the same subscribers are assigned alike.
    public static let range = PartitionAssignor(rawValue: "range")
    /// The partitions of all topics in turn.
    public static let roundRobin = PartitionAssignor(rawValue: "roundrobin")
    /// Evenly, and members keep their partitions as far as possible (KIP-54). All partitions are revoked before a
    /// rebalance.
    public static let sticky = PartitionAssignor(rawValue: "sticky")
    /// As `sticky`, but only partitions that move are revoked, and the others are read without a break (KIP-429).
    public static let cooperativeSticky = PartitionAssignor(rawValue: "cooperative-sticky")

    /// The assignors that a client accepts.
    public static let allKnown: [PartitionAssignor] = [.range, .roundRobin, .sticky, .cooperativeSticky]

    /// The name in the group protocol.
    public var description: String { rawValue }

    /// Whether a member continues to read the partitions that it keeps during a rebalance (KIP-429).
    public var isCooperative: Bool { self == .cooperativeSticky }

    /// The name of the Java client's class, which properties files contain.
    var javaClass: String {
        let name =
            switch self {
            case .range: "Range"
            case .roundRobin: "RoundRobin"
            case .sticky: "Sticky"
            case .cooperativeSticky: "CooperativeSticky"
            default: rawValue
            }
        return "org.apache.kafka.clients.consumer.\(name)Assignor"
    }
}
