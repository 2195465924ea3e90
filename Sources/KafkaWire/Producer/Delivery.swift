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

    /// Waits until the record is delivered as `acks` asks for.
    ///
    /// That lasts for `delivery.timeout.ms` at most, from when the record's batch was begun; in a transaction for up to
    /// `request.timeout.ms` longer, since the answer to what is in flight is waited for. A task that is cancelled goes
    /// on waiting.
    ///
    /// - Throws: `KafkaError` with the broker's error. After `delivery.timeout.ms` REQUEST_TIMED_OUT or, where the last
    ///   attempt ended so, NETWORK_EXCEPTION: then it isn't known whether the record was written. Neither is it after
    ///   UNKNOWN_SERVER_ERROR and NOT_ENOUGH_REPLICAS_AFTER_APPEND.
    public var metadata: RecordMetadata {
        get async throws(KafkaError) {
            let (outcome, index) = await batch.value(of: index)
            let written = try outcome.get()
            return RecordMetadata(
                topic: batch.partition.topic, partition: batch.partition.partition,
                offset: written.baseOffset < 0 ? -1 : written.baseOffset + Int64(index),
                timestamp: written.logAppendTime < 0 ? timestamp : written.logAppendTime)
        }
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
