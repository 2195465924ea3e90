/// A permanent error of one partition: the partition is read no further, the others are.
///
/// Such errors are: OFFSET_OUT_OF_RANGE and LOG_TRUNCATION if `auto.offset.reset` is `none`, missing authorisation,
/// CORRUPT_MESSAGE for a batch that can't be read, MESSAGE_TOO_LARGE for a batch above `receive.message.max.bytes`,
/// INCONSISTENT_TOPIC_ID for a topic that was deleted and recreated, UNKNOWN_TOPIC_OR_PARTITION for a topic that is
/// missing for `default.api.timeout.ms`, and whatever else a broker refuses for good.
///
/// The partition resumes when it is sought (``KafkaConsumer/seek(_:)``) or assigned again.
public struct PartitionFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The partition that has failed.
    public let partition: TopicPartition
    /// The offset of the record or batch that can't be read. If the error concerns no certain offset, the partition's
    /// position; nil if that is not known yet.
    public let offset: Int64?
    /// The reason, with its code.
    public let error: KafkaError

    public var description: String {
        "\(partition) has failed\(offset.map { " at offset \($0)" } ?? ""): \(error)"
    }
}

/// Receives the permanent errors of single partitions, in the place where the partition's next batch would come.
///
/// The consumer is passed along, to seek the partition past the error. The next batch is handed out after the handler has
/// returned, and a group waits for the handler before it moves partitions, as it waits for the processing of a batch:
/// the time counts for `max.poll.interval.ms`. The handler must not iterate the consumer.
public typealias PartitionFailureHandler = @Sendable (PartitionFailure, KafkaConsumer) async -> Void
