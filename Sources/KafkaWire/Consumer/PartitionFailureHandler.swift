/// Receives the permanent errors of single partitions, in the place where the partition's next batch would come.
///
/// The consumer is passed along, to seek the partition past the error. The next batch is handed out after the handler has
/// returned, and a group waits for the handler before it moves partitions, as it waits for the processing of a batch:
/// the time counts for `max.poll.interval.ms`. The handler must not iterate the consumer.
public typealias PartitionFailureHandler = @Sendable (PartitionFailure, KafkaConsumer) async -> Void
