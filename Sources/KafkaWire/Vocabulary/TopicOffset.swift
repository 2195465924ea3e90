/// An offset to commit, with the id of the topic that it belongs to.
struct TopicOffset: Sendable, Hashable {
    var offset: OffsetAndMetadata
    /// The id of the topic that the consumer read. Zero if unknown; the topic is not checked then.
    var topicID = KafkaUUID.zero
}
