/// A fake cluster's settings of groups, named as Kafka's.
public struct GroupSettings: Sendable {
    /// How long the first rebalance of an empty group waits for further members
    /// (`group.initial.rebalance.delay.ms`; Kafka's default is 3 s).
    public var initialRebalanceDelay = Duration.zero
    /// Which session timeouts members of classic groups may ask for (`group.min.session.timeout.ms`,
    /// `group.max.session.timeout.ms`).
    public var sessionTimeouts: ClosedRange<Duration> = .seconds(6) ... .seconds(1800)
    /// How many members a group may have (`group.max.size`, `group.consumer.max.size`).
    public var maximumSize = Int.max
    /// How often a member of a KIP-848 group is to send heartbeats (`group.consumer.heartbeat.interval.ms`).
    public var consumerHeartbeatInterval = Duration.seconds(5)
    /// After how long without a heartbeat a member of a KIP-848 group is put out
    /// (`group.consumer.session.timeout.ms`).
    public var consumerSessionTimeout = Duration.seconds(45)

    public init() {}
}
