/// The settings of a group member, each with the name that Kafka has for it.
public struct GroupConfiguration: Sendable {
    /// The protocol by which a group assigns partitions (`group.protocol`).
    ///
    /// Open: Kafka may add protocols. A client accepts only those that are named here, others are INVALID_CONFIG.
    public struct GroupProtocol: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The value of the setting, such as `consumer`.
        public let rawValue: String

        /// Creates a value from its name in Kafka.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// One member assigns the partitions, by its `partition.assignment.strategy`.
        public static let classic = GroupProtocol(rawValue: "classic")
        /// The coordinator assigns the partitions (KIP-848), from Kafka 4.0 on.
        public static let consumer = GroupProtocol(rawValue: "consumer")

        static let names: KeyValuePairs<String, GroupProtocol> = ["classic": .classic, "consumer": .consumer]

        /// The value of the setting.
        public var description: String { rawValue }
    }

    /// `group.id`: the group that a consumer joins when it subscribes, and for which it commits offsets. nil for no group.
    ///
    /// `KafkaClient.consumer` can set another one for each consumer.
    public var groupID: String?
    /// `group.instance.id`: makes the member a static one. Its partitions stay assigned to it while it is away for less
    /// than the session timeout (KIP-345). Each member of a group needs a name of its own.
    public var groupInstanceID: String?
    /// `group.protocol`: how the group assigns partitions.
    public var groupProtocol = GroupProtocol.classic
    /// `group.remote.assignor`: the coordinator's assignor, such as `uniform` or `range`; nil for the broker's choice.
    public var remoteAssignor: String?
    /// `partition.assignment.strategy`: the assignors of a classic group, the preferred one first. All members must have
    /// one in common.
    ///
    /// Partitions that stay with their member are read without a break through a rebalance only if all of these assignors
    /// are cooperative. In text, the names of the Java client's classes are accepted too.
    public var assignors: [PartitionAssignor] = [.range, .cooperativeSticky]
    /// `session.timeout.ms`: how long a classic member may go without a heartbeat before the group removes it. The
    /// broker's settings limit it, and replace it in a KIP-848 group.
    public var sessionTimeout = Duration.seconds(45)
    /// `heartbeat.interval.ms` of a classic member. The coordinator of a KIP-848 group sets its own interval.
    public var heartbeatInterval = Duration.seconds(3)
    /// `max.poll.interval.ms`: how long the application may take between two batches. A member that takes longer leaves
    /// the group, and joins again when the application asks for the next batch.
    ///
    /// It is also how long the other members wait for this one in a rebalance.
    public var maximumPollInterval = Duration.seconds(300)
    /// `enable.auto.commit`: whether processed offsets are committed automatically: at intervals, before partitions are
    /// revoked, and on closing.
    public var commitsAutomatically = true
    /// `auto.commit.interval.ms`: how often processed offsets are committed.
    public var autoCommitInterval = Duration.seconds(5)

    /// Creates settings with defaults, and without a group.
    public init() {}

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try take(&groupID, "group.id", from: &list)
        try take(&groupInstanceID, "group.instance.id", from: &list)
        try list.set(&groupProtocol, "group.protocol", knownAs: GroupProtocol.names)
        try take(&remoteAssignor, "group.remote.assignor", from: &list)
        var strategies: String?
        try take(&strategies, "partition.assignment.strategy", from: &list)
        if let strategies { assignors = try Self.assignors(strategies) }
        guard !assignors.isEmpty else {
            throw KafkaError(.invalidConfig, "the setting partition.assignment.strategy names no assignor")
        }
        if let unknown = assignors.first(where: { !PartitionAssignor.allKnown.contains($0) }) {
            throw KafkaError(
                .invalidConfig,
                "the setting partition.assignment.strategy names \(unknown); \(Self.expected) is expected")
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

    /// Takes a text; an empty one counts as unset.
    private func take(
        _ target: inout String?, _ name: String, from list: inout PropertyList
    ) throws(KafkaError) {
        if let text = try list.text(name) { target = text.isEmpty ? nil : text }
    }

    private static let expected = "a list of " + PartitionAssignor.allKnown.map(\.rawValue).joined(separator: ", ")

    private static func assignors(_ text: String) throws(KafkaError) -> [PartitionAssignor] {
        var assignors: [PartitionAssignor] = []
        for part in text.split(separator: ",") {
            let name = String(part).trimmed
            let assignor = PartitionAssignor.allKnown.first { $0.rawValue == name || $0.javaClass == name }
            guard let assignor else {
                throw KafkaError(.invalidConfig, PropertyList.isInvalid("partition.assignment.strategy", expected))
            }
            if !assignors.contains(assignor) { assignors.append(assignor) }
        }
        guard !assignors.isEmpty else {
            throw KafkaError(.invalidConfig, "the property partition.assignment.strategy names no assignor")
        }
        return assignors
    }
}
