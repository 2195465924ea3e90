/// Where a consumer begins to read a partition.
public struct ConsumerStart: Sendable, Hashable {
    /// The place; what isn't an offset is asked for at the partition's leader when the fetching begins.
    public var spec: OffsetSpec
    /// The leader epoch of the last record that was read before, for `OffsetSpec.offset`; -1 where it isn't known.
    ///
    /// With it a log that was cut back since is noticed (KIP-320), from Kafka 2.7 on.
    public var leaderEpoch: Int32
    /// The topic that the place was looked up for, which must be the one that is read; zero if unknown.
    var topicID = KafkaUUID.zero

    /// - Parameters:
    ///   - spec: The place; what isn't an offset is asked for when the fetching begins.
    ///   - leaderEpoch: As `ConsumerRecord.leaderEpoch` and `OffsetAndMetadata.leaderEpoch` tell it.
    public init(_ spec: OffsetSpec, leaderEpoch: Int32 = -1) {
        self.spec = spec
        self.leaderEpoch = leaderEpoch
    }
}
