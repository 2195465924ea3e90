/// Where a consumer begins to read a partition.
public struct ConsumerStart: Sendable, Hashable {
    /// The place; what isn't an offset is asked for at the partition's leader when the fetching begins.
    public var spec: OffsetSpec
    /// The leader epoch of the last record that was read before, for `OffsetSpec.offset`; -1 where it isn't known.
    ///
    /// With it a log that was cut back since is noticed (KIP-320), from Kafka 2.7 on.
    public var leaderEpoch: Int32
    /// The topic that the place belongs to; zero if unknown.
    ///
    /// An application that keeps its own offsets should give it. If the topic was deleted and created again, the partition
    /// then fails with INCONSISTENT_TOPIC_ID, instead of being read from an offset of the old topic.
    public var topicID: KafkaUUID

    /// - Parameters:
    ///   - spec: The place; what isn't an offset is asked for when the fetching begins.
    ///   - leaderEpoch: As `ConsumerRecord.leaderEpoch` and `OffsetAndMetadata.leaderEpoch` tell it.
    ///   - topicID: As `TopicDescription.id` tells it.
    public init(_ spec: OffsetSpec, leaderEpoch: Int32 = -1, topicID: KafkaUUID = .zero) {
        self.spec = spec
        self.leaderEpoch = leaderEpoch
        self.topicID = topicID
    }
}
