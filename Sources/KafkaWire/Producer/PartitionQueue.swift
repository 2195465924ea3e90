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
    /// Whether an earlier attempt may have written the batch.
    var mayBeWritten = false

    /// How many bytes of a request it takes; before it was closed, as many as without compression.
    var byteCount: Int { encoded?.byteCount ?? builder?.byteCount ?? reserved }
}

/// One partition's batches. Only touched with the accumulator's lock held.
final class PartitionQueue {
    let partition: TopicPartition
    var builder: RecordBatchBuilder?
    var outcome: BatchOutcome
    var created: ContinuousClock.Instant
    /// Full batches in order; those that are tried again stand first.
    var complete: [ProducerBatch] = []
    /// Whether a broker leads the partition, as far as is known.
    var hasLeader = true
    /// How large the next batch is likely to become, in bytes: as the last one.
    private var expectedBytes = 4096

    init(partition: TopicPartition, now: ContinuousClock.Instant) {
        self.partition = partition
        outcome = BatchOutcome(partition: partition)
        created = now
    }

    /// Opens a batch with room for a record of so many bytes at least.
    ///
    /// - Parameter limit: How large it may become, and how much memory there is; only a single record makes it larger.
    func open(now: ContinuousClock.Instant, bound: Int, limit: Int, pool: BufferPool) {
        let expected = max(min(expectedBytes, limit), RecordBatchHeader.byteCount + bound)
        builder = RecordBatchBuilder(reserving: expected, pool: pool)
        outcome = BatchOutcome(partition: partition)
        created = now
    }

    /// Ends the open batch, if there is one.
    func completeOpen() {
        guard let builder else { return }
        complete.append(
            ProducerBatch(
                partition: partition, builder: builder, recordCount: builder.recordCount, outcome: outcome,
                created: created, reserved: builder.capacity))
        expectedBytes = builder.byteCount
        self.builder = nil
    }
}
