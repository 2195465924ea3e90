/// The settings of a consumer, each under the name that it has in Kafka.
public struct ConsumerConfiguration: Sendable {
    /// `fetch.min.bytes`: how much a broker should have before it answers.
    public var fetchMinimumBytes = 1
    /// `fetch.max.bytes`: how much one answer may hold, over all partitions.
    ///
    /// A consumer holds up to two answers of each broker, one that is being read and one behind it. The default is
    /// smaller than the Java client's 50 MiB: measured, more gains no speed and only costs memory.
    public var fetchMaximumBytes = 4 << 20
    /// `max.partition.fetch.bytes`: how much of one partition an answer may hold. A single larger batch still comes.
    public var maximumPartitionFetchBytes = 1 << 20
    /// `fetch.max.wait.ms`: how long a broker waits for `fetch.min.bytes`.
    public var fetchMaximumWait = Duration.milliseconds(500)
    /// `auto.offset.reset`: where to begin where a group has no offset, or the log doesn't have the one to go on with.
    public var offsetReset = OffsetReset.latest
    /// `isolation.level`: whether records of transactions that aren't committed are handed out.
    public var isolationLevel = IsolationLevel.readUncommitted
    /// `client.rack`: where this client stands, as brokers have it in `broker.rack`; empty for nowhere in particular.
    ///
    /// Brokers with a `replica.selector.class` then let the nearest replica of each partition serve it (KIP-392). A
    /// member of a group tells it to whoever divides the partitions (KIP-848, KIP-881).
    public var rack = ""
    /// `check.crcs`: whether record batches are checked against their CRC-32C.
    public var checksCRCs = true
    /// How large one compressed batch may become, in bytes; what is larger is an error, not an exhausted memory.
    public var maximumInflatedBytes = 256 << 20

    /// `allow.auto.create.topics`: whether subscribing to a topic that does not exist, or assigning a partition of it, has
    /// the broker create it, if the broker's `auto.create.topics.enable` permits that.
    ///
    /// On by default, as in the Java client; librdkafka's consumer has it off. A subscribed topic that is deleted is
    /// created again, empty, while a consumer is still subscribed to it: turn this off where topics are deleted. Patterns
    /// create no topic, and assigned partitions only one that has not been found since. The property sets it for
    /// producers as well.
    public var allowsTopicCreation = true

    /// Everything by default.
    public init() {}

    /// As a group's member tells it: nil for nowhere in particular.
    var rackOfMember: String? { rack.isEmpty ? nil : rack }

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try list.set(&fetchMinimumBytes, "fetch.min.bytes", in: 0...Int(Int32.max))
        try list.set(&fetchMaximumBytes, "fetch.max.bytes", in: 1...Int(Int32.max))
        try list.set(&maximumPartitionFetchBytes, "max.partition.fetch.bytes", in: 1...Int(Int32.max))
        try list.set(&fetchMaximumWait, "fetch.max.wait.ms")
        try list.set(
            &offsetReset, "auto.offset.reset",
            expected: "one of earliest, latest, none, or by_duration: with a duration such as PT1H"
        ) { OffsetReset($0) }
        try list.set(
            &isolationLevel, "isolation.level",
            from: ["read_uncommitted": .readUncommitted, "read_committed": .readCommitted])
        try list.set(&rack, "client.rack")
        try list.set(&checksCRCs, "check.crcs")
        guard maximumInflatedBytes > 0 else {
            throw KafkaError(.invalidConfig, "maximumInflatedBytes is \(maximumInflatedBytes); 1 or more is expected")
        }
    }
}
