/// A batch of one partition's records on its way to the partition's leader.
struct ProducerBatch: Sendable {
    let partition: TopicPartition
    /// The open form, until it is sent for the first time.
    var builder: RecordBatchBuilder?
    /// The closed form, compressed where that is wanted; what is sent, and sent again.
    var encoded: EncodedRecordBatch?
    let recordCount: Int
    let outcome: BatchOutcome
    let created: ContinuousClock.Instant
    /// The bytes of `buffer.memory` that it takes until it is settled.
    let reserved: Int
    /// The number of its first record, once it has one (idempotence). It keeps it through all retries.
    var sequence: SequenceNumber?
}

/// One partition's batches. Only touched with the accumulator's lock held.
final class PartitionQueue {
    let partition: TopicPartition
    var builder: RecordBatchBuilder?
    var outcome: BatchOutcome
    var created: ContinuousClock.Instant
    /// Full batches in order; those that are tried again stand first.
    var complete: [ProducerBatch] = []

    init(partition: TopicPartition, now: ContinuousClock.Instant) {
        self.partition = partition
        outcome = BatchOutcome(partition: partition)
        created = now
    }

    /// Ends the open batch. Returns the bytes that it takes.
    func completeOpen() -> Int {
        guard let builder else { return 0 }
        complete.append(
            ProducerBatch(
                partition: partition, builder: builder, recordCount: builder.recordCount, outcome: outcome,
                created: created, reserved: builder.byteCount))
        self.builder = nil
        return builder.byteCount
    }
}
