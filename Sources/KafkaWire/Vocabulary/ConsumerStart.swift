/// The place from which a consumer reads a partition: what `assign` and `seek` take.
///
/// ```swift
/// await consumer.assign([partition: .earliest])
/// try await consumer.seek([partition: .offset(1475)])
/// ```
public struct ConsumerStart: Sendable, Hashable {
    /// The place. Unless it is an offset, the consumer asks the partition's leader for it before the first fetch.
    public var spec: OffsetSpec
    /// The leader epoch of the last record that was read before; -1 if unknown. Used with `OffsetSpec.offset` only.
    ///
    /// With it the consumer notices that the log was truncated since (KIP-320), from Kafka 2.7 on.
    public var leaderEpoch: Int32
    /// The id of the topic that the place belongs to; zero if unknown.
    ///
    /// An application that stores its own offsets should give it. If the topic was deleted and recreated, the partition
    /// then fails with INCONSISTENT_TOPIC_ID, instead of being read from an offset of the old topic.
    public var topicID: KafkaUUID

    /// Creates a place with all that is known about it.
    ///
    /// - Parameters:
    ///   - spec: The place.
    ///   - leaderEpoch: `ConsumerRecord.leaderEpoch` or `OffsetAndMetadata.leaderEpoch`; -1 if unknown.
    ///   - topicID: `TopicDescription.id`; zero if unknown.
    public init(_ spec: OffsetSpec, leaderEpoch: Int32 = -1, topicID: KafkaUUID = .zero) {
        self.spec = spec
        self.leaderEpoch = leaderEpoch
        self.topicID = topicID
    }

    /// The first offset that the log still has.
    public static let earliest = ConsumerStart(.earliest)
    /// The end of the log, so that only new records are read.
    public static let latest = ConsumerStart(.latest)

    /// The first record with this timestamp or a later one; the end of the log if there is no such record.
    public static func timestamp(_ timestamp: KafkaTimestamp) -> ConsumerStart { ConsumerStart(.timestamp(timestamp)) }

    /// An offset. If the log does not have it, the consumer applies `auto.offset.reset`.
    public static func offset(
        _ offset: Int64, leaderEpoch: Int32 = -1, topicID: KafkaUUID = .zero
    ) -> ConsumerStart {
        ConsumerStart(.offset(offset), leaderEpoch: leaderEpoch, topicID: topicID)
    }

    /// The place that a group has committed.
    public static func committed(_ offset: OffsetAndMetadata) -> ConsumerStart {
        ConsumerStart(.offset(offset.offset), leaderEpoch: offset.leaderEpoch)
    }
}
