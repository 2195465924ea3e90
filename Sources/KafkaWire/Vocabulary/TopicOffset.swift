/// An offset to commit, and the id of the topic that it belongs to.
struct TopicOffset: Sendable, Hashable {
    var offset: OffsetAndMetadata
    /// The id of the topic that the consumer read. If it is zero the id is unknown, and the topic is not checked.
    var topicID = KafkaUUID.zero
}
