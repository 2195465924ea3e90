/// A permanent error of one partition. Reading of that partition stops; the others are still read.
///
/// Such errors are: OFFSET_OUT_OF_RANGE and LOG_TRUNCATION if `auto.offset.reset` is `none`, missing authorisation,
/// CORRUPT_MESSAGE for a batch that can't be read, MESSAGE_TOO_LARGE for a batch above `receive.message.max.bytes`,
/// INCONSISTENT_TOPIC_ID for a topic that was deleted and recreated, UNKNOWN_TOPIC_OR_PARTITION for a topic that is
/// missing for `default.api.timeout.ms`, and other permanent errors of a broker.
///
/// The partition resumes when it is sought (``KafkaConsumer/seek(_:)``) or assigned again.
public struct PartitionFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The partition that has failed.
    public let partition: TopicPartition
    /// The offset of the record or batch that can't be read. If the error has no specific offset, the partition's
    /// position; nil if that is not known yet.
    public let offset: Int64?
    /// The reason, with its code.
    public let error: KafkaError

    /// Creates a value, for example in a test.
    public init(partition: TopicPartition, offset: Int64? = nil, error: KafkaError) {
        self.partition = partition
        self.offset = offset
        self.error = error
    }

    public var description: String {
        "\(partition) has failed\(offset.map { " at offset \($0)" } ?? ""): \(error)"
    }
}
