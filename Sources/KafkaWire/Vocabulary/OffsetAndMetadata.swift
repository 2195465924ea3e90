/// An offset as a group commits it.
public struct OffsetAndMetadata: Sendable, Hashable {
    /// The offset of the record to go on with: one after the last that is done.
    public var offset: Int64
    /// The leader epoch of the last record that is done; -1 where it isn't known (KIP-320).
    public var leaderEpoch: Int32
    /// Whatever the application wants to keep beside it.
    public var metadata: String

    /// - Parameters:
    ///   - offset: `RecordBatch.nextOffset`, or one more than a record's.
    ///   - leaderEpoch: `RecordBatch.partitionLeaderEpoch`, by which a log that was cut back is noticed later.
    ///   - metadata: Up to the broker's `offset.metadata.max.bytes`, 4096 unless set otherwise.
    public init(_ offset: Int64, leaderEpoch: Int32 = -1, metadata: String = "") {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
    }
}
