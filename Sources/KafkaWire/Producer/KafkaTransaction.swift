/// A transaction under way, as `KafkaProducer.withTransaction` hands it to its closure: what is sent through it counts
/// when the closure has returned, all of it or nothing.
public struct KafkaTransaction: Sendable {
    private let producer: KafkaProducer

    init(_ producer: KafkaProducer) {
        self.producer = producer
    }

    /// Takes a record in, waiting for room where there is none. It needn't be awaited: a record that isn't delivered
    /// makes the commit fail.
    ///
    /// - Throws: As `KafkaProducer.enqueue`, and the error that has spoiled the transaction.
    @discardableResult
    public func enqueue(_ record: ProducerRecord) async throws -> Delivery {
        try await producer.enqueue(record)
    }

    /// Sends a record and waits until it is written, which doesn't make it visible to `read_committed` yet.
    ///
    /// - Throws: As `enqueue`, and `Delivery.metadata`.
    public func send(_ record: ProducerRecord) async throws -> RecordMetadata {
        try await producer.send(record)
    }

    /// Commits offsets of a group together with the transaction's records (KIP-447).
    ///
    /// - Throws: As `KafkaProducer.sendOffsets`.
    public func sendOffsets(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata
    ) async throws(KafkaError) {
        try await producer.sendOffsets(offsets, group: group)
    }
}
