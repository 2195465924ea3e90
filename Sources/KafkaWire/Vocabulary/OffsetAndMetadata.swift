/// An offset as a group commits it.
public struct OffsetAndMetadata: Sendable, Hashable {
    /// The offset of the next record to read: one after the last processed record.
    public var offset: Int64
    /// The leader epoch of the last processed record; -1 if unknown (KIP-320).
    public var leaderEpoch: Int32
    /// Any text that the application wants to store with the offset.
    public var metadata: String

    /// Creates an offset to commit. `KafkaConsumer.commit(after:)` does it for a record or a batch.
    ///
    /// - Parameters:
    ///   - offset: `ConsumerRecord.nextOffset` or `RecordBatch.nextOffset` of the last processed record or batch.
    ///   - leaderEpoch: The `leaderEpoch` of that record or batch, so that a truncated log is noticed later.
    ///   - metadata: Any text; at most `offset.metadata.max.bytes` of the broker, 4096 bytes by default.
    public init(_ offset: Int64, leaderEpoch: Int32 = -1, metadata: String = "") {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
    }
}
