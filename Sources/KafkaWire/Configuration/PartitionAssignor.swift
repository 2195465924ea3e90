/// How a member of a classic group divides the partitions when it leads the group (`partition.assignment.strategy`).
///
/// The names and what goes over the wire are those of Kafka's Java client, so members of other clients may be in the
/// group and any member may lead it.
public enum PartitionAssignor: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Topic by topic: each member gets partitions that lie next to each other, the first members one more. Topics with
    /// as many partitions and the same readers are divided alike.
    case range
    /// All partitions of all topics, dealt out in turn.
    case roundRobin = "roundrobin"
    /// Evenly, and each member keeps what it has as far as that goes (KIP-54). All partitions are given up before a
    /// rebalance.
    case sticky
    /// As `sticky`, but only partitions that move are given up, and others are read on (KIP-429).
    case cooperativeSticky = "cooperative-sticky"

    public var description: String { rawValue }

    /// Whether a member continues to read the partitions that it keeps during a rebalance (KIP-429).
    public var isCooperative: Bool { self == .cooperativeSticky }

    /// The name of the Java client's class, which stands in properties files.
    var javaClass: String {
        let name =
            switch self {
            case .range: "Range"
            case .roundRobin: "RoundRobin"
            case .sticky: "Sticky"
            case .cooperativeSticky: "CooperativeSticky"
            }
        return "org.apache.kafka.clients.consumer.\(name)Assignor"
    }
}
