/// Receives the permanent errors of single partitions, in the place where the partition's next batch would come.
///
/// The consumer is passed along, to seek the partition past the error. The next batch is handed out after the handler has
/// returned. The handler must not iterate the consumer.
public typealias PartitionFailureHandler = @Sendable (PartitionFailure, KafkaConsumer) async -> Void
