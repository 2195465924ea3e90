/// The settings of a group's member, each under the name that it has in Kafka.
public struct GroupConfiguration: Sendable {
    /// Who assigns the partitions of a group (`group.protocol`).
    public enum GroupProtocol: Sendable, Hashable {
        /// One of the members, by its `partition.assignment.strategy`.
        case classic
        /// The coordinator (KIP-848), from Kafka 4.0 on.
        case consumer
    }

    /// `group.id`: the group whose member a consumer becomes when it subscribes, and whose offsets it commits.
    public var groupID: String?
    /// `group.instance.id`: makes the member a static one, whose partitions wait for it while it is away for less than
    /// the session time-out (KIP-345). No two members may have the same at once.
    public var instanceID: String?
    /// `group.protocol`: who divides the partitions.
    public var groupProtocol = GroupProtocol.classic
    /// `group.remote.assignor`: by what the coordinator assigns, `uniform` or `range`; nil leaves it to the broker.
    public var remoteAssignor: String?
    /// `partition.assignment.strategy`: how a classic group may be divided, the preferred way first. All members must
    /// have one in common.
    ///
    /// Partitions that needn't move are read on through a rebalance only where every one of them is cooperative. Names
    /// of the Java client's classes are understood too.
    public var assignors: [PartitionAssignor] = [.range, .cooperativeSticky]
    /// `session.timeout.ms`: after how long without a heartbeat a classic member is taken for dead. The broker's own
    /// settings bound it, and decide it alone in a KIP-848 group.
    public var sessionTimeout = Duration.seconds(45)
    /// `heartbeat.interval.ms`: of a classic member; a coordinator of a KIP-848 group tells its own.
    public var heartbeatInterval = Duration.seconds(3)
    /// `max.poll.interval.ms`: how long the application may take between two batches. One that takes longer is taken
    /// for stuck: the member leaves, and joins again when the application comes back.
    ///
    /// It is also how long the others wait for this member in a rebalance.
    public var maximumPollInterval = Duration.seconds(300)
    /// `enable.auto.commit`: whether what was processed is committed by itself: at an interval, before partitions are
    /// given up, and on closing.
    public var commitsAutomatically = true
    /// `auto.commit.interval.ms`: how often what was processed is committed.
    public var autoCommitInterval = Duration.seconds(5)

    /// Everything by default, and without a group.
    public init() {}

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try take(&groupID, "group.id", from: &list)
        try take(&instanceID, "group.instance.id", from: &list)
        try list.set(&groupProtocol, "group.protocol", from: ["classic": .classic, "consumer": .consumer])
        try take(&remoteAssignor, "group.remote.assignor", from: &list)
        var strategies: String?
        try take(&strategies, "partition.assignment.strategy", from: &list)
        if let strategies { assignors = try Self.assignors(strategies) }
        guard !assignors.isEmpty else {
            throw KafkaError(.invalidConfig, "the setting partition.assignment.strategy names no assignor")
        }
        try list.set(&sessionTimeout, "session.timeout.ms", atLeast: 1)
        try list.set(&heartbeatInterval, "heartbeat.interval.ms", atLeast: 1)
        try list.set(&maximumPollInterval, "max.poll.interval.ms", atLeast: 1)
        try list.set(&commitsAutomatically, "enable.auto.commit")
        try list.set(&autoCommitInterval, "auto.commit.interval.ms", atLeast: 1)
        guard heartbeatInterval < sessionTimeout else {
            throw KafkaError(
                .invalidConfig, "heartbeat.interval.ms must be less than session.timeout.ms; a third of it is usual")
        }
    }

    /// A text that isn't empty.
    private func take(
        _ target: inout String?, _ name: String, from list: inout PropertyList
    ) throws(KafkaError) {
        if let text = try list.text(name) { target = text.isEmpty ? nil : text }
    }

    private static func assignors(_ text: String) throws(KafkaError) -> [PartitionAssignor] {
        var assignors: [PartitionAssignor] = []
        for part in text.split(separator: ",") {
            let name = String(part).trimmed
            let assignor = PartitionAssignor.allCases.first { $0.rawValue == name || $0.javaClass == name }
            guard let assignor else {
                let names = PartitionAssignor.allCases.map(\.rawValue).joined(separator: ", ")
                throw KafkaError(
                    .invalidConfig,
                    PropertyList.isInvalid("partition.assignment.strategy", "a list of \(names)")
                )
            }
            if !assignors.contains(assignor) { assignors.append(assignor) }
        }
        guard !assignors.isEmpty else {
            throw KafkaError(.invalidConfig, "the property partition.assignment.strategy names no assignor")
        }
        return assignors
    }
}
