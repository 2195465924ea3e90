/// Where a record ended up.
public struct RecordMetadata: Sendable, Hashable {
    /// The topic that it was sent to.
    public let topic: String
    /// The one that was named, or that the key, the `Partitioner` or chance have chosen.
    public let partition: Int32
    /// -1 where no broker told it: with acks=0, and for a batch that was written twice and found out to be so.
    public let offset: Int64
    /// In milliseconds since 1970: the broker's for a topic with LogAppendTime, else the record's own.
    public let timestamp: Int64
}

/// A record on its way: await `metadata` for how it ended.
public struct Delivery: Sendable {
    let batch: BatchOutcome
    let index: Int
    let timestamp: Int64

    /// Whether the record is the first of its batch. Who only wants to know that everything was delivered needs to
    /// await `batchDelivered()` of these alone.
    public var isFirstOfBatch: Bool { index == 0 }

    /// Waits until the record is delivered as `acks` demands.
    ///
    /// Takes at most `delivery.timeout.ms` from when the record's batch was begun. In a transaction it takes up to
    /// `request.timeout.ms` longer, since the answer to what is in flight is awaited. Not cancellable.
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

    /// The same, but ends at once if the task is cancelled.
    ///
    /// - Throws: As `metadata`, and `CancellationError`.
    func metadataUnlessCancelled() async throws -> RecordMetadata {
        guard let (outcome, index) = await batch.valueUnlessCancelled(of: index) else { throw CancellationError() }
        return metadata(try outcome.get(), index: index)
    }

    private func metadata(_ written: BatchOutcome.Written, index: Int) -> RecordMetadata {
        // The base offset is the broker's word: the sum may be no offset.
        let (offset, isTooLarge) = written.baseOffset.addingReportingOverflow(Int64(index))
        return RecordMetadata(
            topic: batch.partition.topic, partition: batch.partition.partition,
            offset: written.baseOffset < 0 || isTooLarge ? -1 : offset,
            timestamp: written.logAppendTime < 0 ? timestamp : written.logAppendTime)
    }

    /// Waits until all records of the batch that this one was put into are delivered or have failed.
    ///
    /// Nearly always they end alike; a batch that was too large for its topic is sent in parts.
    ///
    /// - Throws: The error of the first that failed, as `metadata` has it.
    public func batchDelivered() async throws(KafkaError) {
        if let error = await batch.allSettled() { throw error }
    }
}
