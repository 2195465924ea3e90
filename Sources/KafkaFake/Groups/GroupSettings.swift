/// A fake cluster's group settings, named as in Kafka.
public struct GroupSettings: Sendable {
    /// How long the first rebalance of an empty group waits for further members
    /// (`group.initial.rebalance.delay.ms`; Kafka's default is 3 s).
    public var initialRebalanceDelay = Duration.zero
    /// The session timeouts that members of classic groups may request (`group.min.session.timeout.ms`,
    /// `group.max.session.timeout.ms`).
    public var sessionTimeouts: ClosedRange<Duration> = .seconds(6) ... .seconds(1800)
    /// The largest number of members of a group (`group.max.size`, `group.consumer.max.size`).
    public var maximumSize = Int.max
    /// The interval between heartbeats of a KIP-848 group's member (`group.consumer.heartbeat.interval.ms`).
    public var consumerHeartbeatInterval = Duration.seconds(5)
    /// The time without a heartbeat after which a member of a KIP-848 group is removed
    /// (`group.consumer.session.timeout.ms`).
    public var consumerSessionTimeout = Duration.seconds(45)

    public init() {}
}
