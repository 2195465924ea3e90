/// A record batch as it lies in a fetched response, or in the memory that it was decompressed into.
///
/// A batch keeps that memory alive; it is meant to be gone through and let go. Its checksum has been compared before
/// there is a `RecordBatch` of it.
public struct RecordBatch: Sendable {
    /// Whose clock the timestamps of the records are of.
    public enum TimestampType: Sendable {
        /// The producer's.
        case createTime
        /// The broker's, at the time when it stored the batch.
        case logAppendTime
    }

    /// The topic that it was read from.
    public let topic: String
    /// From 0 on.
    public let partition: Int32
    /// The offset that the first record had when the batch was written; compaction may have removed it.
    public let baseOffset: Int64
    /// The offset that the last record had when the batch was written; compaction may have removed it.
    public let lastOffset: Int64
    /// The offset that the batch was asked from: `records` passes over the ones below it.
    public let firstOffset: Int64
    /// The epoch of the leader that stored the batch; -1 where it isn't known.
    public let partitionLeaderEpoch: Int32
    /// `message.timestamp.type` of the topic when the batch was written.
    public let timestampType: TimestampType
    /// What the records' timestamps count from, in milliseconds since 1970: the first record's timestamp, until
    /// compaction puts the time there from which on tombstones may go (KIP-534).
    public let firstTimestamp: Int64
    /// The largest timestamp, in milliseconds since 1970: with `logAppendTime` every record's.
    public let maxTimestamp: Int64
    /// Of the idempotent or transactional producer that wrote the batch; -1 for others.
    public let producerID: Int64
    /// Of the producer with `producerID`; -1 without one.
    public let producerEpoch: Int16
    /// The producer's sequence number of the first record; -1 without idempotence.
    public let baseSequence: Int32
    /// Whether it was written in a transaction, or is the end of one (KIP-98).
    public let isTransactional: Bool
    /// Whether the batch holds the end of a transaction, and no record for consumers.
    public let isControl: Bool
    /// Whether the batch belongs to a transaction that was aborted, and so holds no record for consumers that read
    /// what is committed (`isolation.level=read_committed`). Never true for others.
    public let isAborted: Bool
    /// How the batch was compressed when it came.
    public let compression: Compression
    /// How many records are in the batch, those below `firstOffset` counted as well.
    public let recordCount: Int
    /// The batch's size as the broker sent it, in bytes.
    public let wireByteCount: Int
    /// The node id of the broker that sent the batch; -1 if it is unknown.
    public internal(set) var brokerID: Int32 = -1
    /// The records, decompressed.
    let content: ByteSlice

    init(
        _ header: RecordBatchHeader, compression: Compression, content: ByteSlice, topic: String, partition: Int32,
        firstOffset: Int64, isAborted: Bool = false
    ) {
        self.topic = topic
        self.partition = partition
        baseOffset = header.baseOffset
        lastOffset = header.baseOffset + Int64(header.lastOffsetDelta)
        self.firstOffset = firstOffset
        partitionLeaderEpoch = header.partitionLeaderEpoch
        timestampType = header.attributes.contains(.logAppendTime) ? .logAppendTime : .createTime
        firstTimestamp = header.baseTimestamp
        maxTimestamp = header.maxTimestamp
        producerID = header.producerID
        producerEpoch = header.producerEpoch
        baseSequence = header.baseSequence
        isTransactional = header.attributes.contains(.transactional)
        isControl = header.attributes.contains(.control)
        self.isAborted = isAborted
        self.compression = compression
        recordCount = Int(header.recordCount)
        wireByteCount = Int(header.batchLength) + RecordBatchHeader.prefixByteCount
        self.content = content
    }

    /// The offset that follows the batch, whether or not compaction has left a record in it.
    public var nextOffset: Int64 { lastOffset + 1 }

    /// The size of the records in bytes, decompressed.
    public var byteCount: Int { content.count }

    /// The records from `firstOffset` on, none for a control batch and one that was aborted; each use of it begins
    /// at the beginning.
    public var records: Records {
        @_lifetime(borrow self)
        get { Records(content.span, of: self) }
    }
}

/// What a control batch says about its producer's transaction.
package enum ControlRecordType: Equatable, Sendable {
    case abort
    case commit
    /// One that concerns brokers alone.
    case other(Int16)
}

extension RecordBatch {
    /// What a control batch says, by the key of its record: a version and a type; nil for other batches, and where
    /// compaction has left nothing.
    ///
    /// - Throws: `CORRUPT_MESSAGE`
    package func controlRecordType() throws(KafkaError) -> ControlRecordType? {
        guard isControl else { return nil }
        var records = Records(content.span, of: self, includingControl: true)
        guard let record = try records.next() else { return nil }
        guard let key = record.key, key.byteCount >= 4 else {
            throw KafkaError(
                .corruptMessage, "A control record has no type in its key.", topic: topic, partition: partition,
                offset: record.offset)
        }
        switch key.bigEndian(at: 2, as: Int16.self) {
        case 0: return .abort
        case 1: return .commit
        case let type: return .other(type)
        }
    }
}
