/// The identity of a consumer in its group, which the coordinator checks before it stores offsets.
///
/// A transaction that commits a group's offsets sends this identity. A member that lost its membership therefore cannot
/// overwrite the offsets of its successor (KIP-447).
///
/// A value of `KafkaConsumer.groupMetadata` also remembers its consumer. `KafkaProducer.sendOffsets` then follows the
/// member into later generations as long as it keeps the partitions. Equality does not consider the consumer.
public struct ConsumerGroupMetadata: Sendable, Hashable {
    /// `group.id`
    public let groupID: String
    /// The generation of a classic group, or the member epoch of a KIP-848 group; -1 for a consumer that is not a
    /// member.
    public let generationID: Int32
    /// Empty for a consumer that is not a member.
    public let memberID: String
    /// The name of a static member (KIP-345); nil for others.
    public let groupInstanceID: String?
    /// nil if the application created the value itself.
    var origin: Origin?

    /// Creates an identity.
    ///
    /// For manually assigned partitions the group's name is enough; the coordinator then checks nothing.
    ///
    /// - Important: Such an identity has no consumer, so the client cannot compare topic ids. Offsets of a topic that
    ///   was deleted and recreated meanwhile are committed for the new topic. Use ``KafkaConsumer/groupMetadata``
    ///   instead; it also works for a consumer without a subscription.
    public init(
        groupID: String, generationID: Int32 = -1, memberID: String = "", groupInstanceID: String? = nil
    ) {
        self.groupID = groupID
        self.generationID = generationID
        self.memberID = memberID
        self.groupInstanceID = groupInstanceID
    }

    public static func == (left: ConsumerGroupMetadata, right: ConsumerGroupMetadata) -> Bool {
        (left.groupID, left.generationID, left.memberID, left.groupInstanceID)
            == (right.groupID, right.generationID, right.memberID, right.groupInstanceID)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(groupID)
        hasher.combine(generationID)
        hasher.combine(memberID)
        hasher.combine(groupInstanceID)
    }
}
