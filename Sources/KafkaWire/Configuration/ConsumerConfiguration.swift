/// The settings of a consumer, each with the name that Kafka has for it.
public struct ConsumerConfiguration: Sendable {
    /// `fetch.min.bytes`: how many bytes a broker collects before it answers.
    public var minimumFetchBytes = 1
    /// `fetch.max.bytes`: the largest size of one response in bytes, over all partitions.
    ///
    /// A consumer holds up to two responses of each broker: one that is being read and one behind it. The default is
    /// smaller than the Java client's 50 MiB, since measurements showed no gain in speed above it.
    public var maximumFetchBytes = 4 << 20
    /// `max.partition.fetch.bytes`: the largest part of a response for one partition, in bytes. A single larger batch is
    /// returned nevertheless.
    public var maximumPartitionFetchBytes = 1 << 20
    /// `fetch.max.wait.ms`: how long a broker waits for `fetch.min.bytes`.
    public var maximumFetchWait = Duration.milliseconds(500)
    /// `auto.offset.reset`: where to begin if a group has no offset, or the log no longer has it.
    public var offsetReset = OffsetReset.latest
    /// `isolation.level`: whether records of uncommitted transactions are returned.
    public var isolationLevel = IsolationLevel.readUncommitted
    /// `client.rack`: the rack of this client, named as in `broker.rack`; empty if unknown.
    ///
    /// Brokers with a `replica.selector.class` then let the nearest replica serve each partition (KIP-392). Assignors
    /// consider the racks of members (KIP-848, KIP-881).
    public var rack = ""
    /// `check.crcs`: whether the CRC-32C of record batches is verified.
    public var checksCRCs = true
    /// The largest size of a decompressed batch in bytes. A larger batch is an error, so that it cannot exhaust memory.
    public var maximumInflatedBytes = 256 << 20

    /// `allow.auto.create.topics`: whether the client asks the broker to create a missing topic that is subscribed, or of
    /// which a partition is assigned. The broker's `auto.create.topics.enable` must permit it too.
    ///
    /// True by default, as in the Java client; false in librdkafka's consumer. A subscribed topic that is deleted is
    /// created again, empty, while a consumer is subscribed to it: set this to false if topics are deleted. Patterns
    /// create no topic. Assigned partitions create only a topic that has not been found since. The property sets it for
    /// producers as well.
    public var allowsTopicCreation = true

    /// Creates settings with defaults.
    public init() {}

    /// The rack that a group member reports; nil if unknown.
    var rackOfMember: String? { rack.isEmpty ? nil : rack }

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try list.set(&minimumFetchBytes, "fetch.min.bytes", in: 0...Int(Int32.max))
        try list.set(&maximumFetchBytes, "fetch.max.bytes", in: 1...Int(Int32.max))
        try list.set(&maximumPartitionFetchBytes, "max.partition.fetch.bytes", in: 1...Int(Int32.max))
        try list.set(&maximumFetchWait, "fetch.max.wait.ms")
        try list.set(
            &offsetReset, "auto.offset.reset",
            expected: "one of earliest, latest, none, or by_duration: with a duration such as PT1H"
        ) { OffsetReset($0) }
        try list.set(&isolationLevel, "isolation.level", knownAs: IsolationLevel.names)
        try list.set(&rack, "client.rack")
        try list.set(&checksCRCs, "check.crcs")
        guard maximumInflatedBytes > 0 else {
            throw KafkaError(.invalidConfig, "maximumInflatedBytes is \(maximumInflatedBytes); 1 or more is expected")
        }
    }
}
