/// The transaction that `KafkaProducer.withTransaction` passes to its closure.
///
/// Its records and offsets become visible together after the closure has returned, or not at all. After the transaction has
/// ended, every call throws INVALID_TXN_STATE, also while the producer's next transaction is in progress.
public struct KafkaTransaction: Sendable {
    private let producer: KafkaProducer
    /// Distinguishes the producer's transactions.
    private let number: UInt64

    init(_ producer: KafkaProducer, number: UInt64) {
        self.producer = producer
        self.number = number
    }

    /// Enqueues a record, and waits for room in `buffer.memory` if there is none. The delivery needn't be awaited: a
    /// record that isn't delivered makes the commit fail.
    ///
    /// - Throws: As `KafkaProducer.enqueue`, and the error that makes the transaction fail. INVALID_TXN_STATE if the
    ///   transaction has ended.
    @discardableResult
    public nonisolated(nonsending) func enqueue(_ record: ProducerRecord) async throws -> Delivery {
        try await producer.enqueue(record, transaction: number)
    }

    /// Sends a record and waits until it is written, which doesn't make it visible to `read_committed` yet.
    ///
    /// - Throws: As `enqueue`, and `KafkaProducer.send`.
    public nonisolated(nonsending) func send(_ record: ProducerRecord) async throws -> RecordMetadata {
        try await enqueue(record).metadataUnlessCancelled()
    }

    /// Commits offsets of a group together with the transaction's records (KIP-447).
    ///
    /// - Throws: As `KafkaProducer.sendOffsets`. INVALID_TXN_STATE if the transaction has ended.
    public nonisolated(nonsending) func sendOffsets(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata
    ) async throws(KafkaError) {
        try await producer.sendOffsets(offsets, group: group, transaction: number)
    }
}
