/// Where a delivered record was written.
public struct RecordMetadata: Sendable, Hashable {
    /// The topic's name.
    public let topic: String
    /// The partition that the record named, or that the `Partitioner`, the key or the default chose.
    public let partition: Int32
    /// The record's offset; -1 if the broker did not report it: with `acks=0`, and for a batch that it recognised as a
    /// duplicate.
    public let offset: Int64
    /// The record's own timestamp, or the broker's if the topic has `LogAppendTime`.
    public let timestamp: KafkaTimestamp

    /// Creates a value, for example in a test.
    public init(topic: String, partition: Int32, offset: Int64, timestamp: KafkaTimestamp = .unknown) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    /// The partition that the record was written to.
    public var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }
}

/// A record that is being delivered: await `metadata` for its outcome.
public struct Delivery: Sendable {
    let batch: BatchOutcome
    let index: Int
    let timestamp: Int64

    /// Whether the record is the first of its batch. To wait for all records it is enough to await `batchDelivered()` of
    /// these.
    public var isFirstOfBatch: Bool { index == 0 }

    /// Waits until the record is delivered as `acks` demands.
    ///
    /// Takes at most `delivery.timeout.ms` from when the record's batch was begun. In a transaction it takes up to
    /// `request.timeout.ms` longer, since it waits for the responses to batches in flight. Not cancellable.
    ///
    /// - Throws: `KafkaError` with the broker's error. After `delivery.timeout.ms` REQUEST_TIMED_OUT or, if the last
    ///   attempt ended so, NETWORK_EXCEPTION: then it isn't known whether the record was written. The same holds for
    ///   UNKNOWN_SERVER_ERROR and NOT_ENOUGH_REPLICAS_AFTER_APPEND.
    public var metadata: RecordMetadata {
        get async throws(KafkaError) {
            let (outcome, index) = await batch.value(of: index)
            return metadata(try outcome.get(), index: index)
        }
    }

    /// Waits for the outcome, or until the task is cancelled.
    ///
    /// - Throws: As `metadata`, and `CancellationError`.
    func metadataUnlessCancelled() async throws -> RecordMetadata {
        guard let (outcome, index) = await batch.valueUnlessCancelled(of: index) else { throw CancellationError() }
        return metadata(try outcome.get(), index: index)
    }

    private func metadata(_ written: BatchOutcome.Written, index: Int) -> RecordMetadata {
        // The base offset comes from the broker, so the sum may overflow.
        let (offset, isTooLarge) = written.baseOffset.addingReportingOverflow(Int64(index))
        return RecordMetadata(
            topic: batch.partition.topic, partition: batch.partition.partition,
            offset: written.baseOffset < 0 || isTooLarge ? -1 : offset,
            timestamp: KafkaTimestamp(
                millisecondsSince1970: written.logAppendTime < 0 ? timestamp : written.logAppendTime))
    }

    /// Waits until all records of this record's batch are delivered or have failed.
    ///
    /// Nearly always they have the same outcome; a batch that was too large for its topic is sent in parts.
    ///
    /// - Throws: The error of the first record that failed, as `metadata`.
    public nonisolated(nonsending) func batchDelivered() async throws(KafkaError) {
        if let error = await batch.allSettled() { throw error }
    }
}
