/// A batch of one partition's records on its way to the partition's leader.
struct ProducerBatch: Sendable {
    let partition: TopicPartition
    /// The records in their open form, until the batch is sent for the first time.
    var builder: RecordBatchBuilder?
    /// The closed form, compressed if that is configured. It is sent, and sent again.
    var encoded: EncodedRecordBatch?
    let recordCount: Int
    /// Also the batch's identity.
    let outcome: BatchOutcome
    let created: ContinuousClock.Instant
    /// The bytes of `buffer.memory` that it takes until it succeeds or fails.
    let reserved: Int
    /// The number of its first record, once it has one (idempotence). It keeps it through all retries.
    var sequence: SequenceNumber?
    /// Whether an earlier attempt may have written the batch.
    var mayBeWritten = false

    /// Its size in a request in bytes; before it is closed, without compression.
    var byteCount: Int { encoded?.byteCount ?? builder?.byteCount ?? reserved }
}

/// A batch that a request is made of, with the producer's fields to put into it.
struct OutgoingBatch: Sendable {
    var batch: ProducerBatch
    /// nil without idempotence.
    let identity: ProducerIdentity?
}
