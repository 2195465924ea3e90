/// Where a record ended up.
public struct RecordMetadata: Sendable, Hashable {
    /// The topic that it was sent to.
    public let topic: String
    /// The partition that the record named, or the one that was chosen for it.
    public let partition: Int32
    /// -1 if unknown: with acks=0, and for a batch that was written by an attempt whose response was lost.
    public let offset: Int64
    /// In milliseconds since 1970: the broker's for a topic with LogAppendTime, else the record's own.
    public let timestamp: Int64
}

/// A record that was enqueued. Await `metadata` for its outcome.
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
            timestamp: written.logAppendTime < 0 ? timestamp : written.logAppendTime)
    }

    /// Waits until all records of this record's batch are delivered or have failed.
    ///
    /// Nearly always they have the same outcome; a batch that was too large for its topic is sent in parts.
    ///
    /// - Throws: The error of the first record that failed, as `metadata`.
    public func batchDelivered() async throws(KafkaError) {
        if let error = await batch.allSettled() { throw error }
    }
}
