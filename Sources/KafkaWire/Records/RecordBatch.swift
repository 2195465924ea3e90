/// A record batch, as a view of the fetched response or of its decompressed content.
///
/// A batch keeps that memory alive, so iterate over it and release it. Its checksum is verified before the
/// `RecordBatch` is created, unless `check.crcs` is off.
public struct RecordBatch: Sendable {
    /// The clock that the records' timestamps come from.
    public enum TimestampType: Sendable {
        /// The producer's.
        case createTime
        /// The broker's, when it appended the batch.
        case logAppendTime
    }

    /// The topic that the batch was read from.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int32
    /// The first record's offset when the batch was written. Compaction may have removed the record.
    public let baseOffset: Int64
    /// The last record's offset when the batch was written. Compaction may have removed the record.
    public let lastOffset: Int64
    /// The offset that the fetch requested: `records` skips records below it.
    public let firstOffset: Int64
    /// The epoch of the leader that appended the batch; -1 if unknown.
    public let partitionLeaderEpoch: Int32
    /// The topic's `message.timestamp.type` when the batch was written.
    public let timestampType: TimestampType
    /// The base of the records' timestamps, in milliseconds since 1970.
    ///
    /// It is the first record's timestamp, until compaction replaces it by the time after which tombstones may be
    /// removed (KIP-534).
    public let firstTimestamp: Int64
    /// The largest timestamp, in milliseconds since 1970. With `logAppendTime` it is every record's timestamp.
    public let maxTimestamp: Int64
    /// The id of the idempotent or transactional producer that wrote the batch; -1 for others.
    public let producerID: Int64
    /// The epoch of `producerID`; -1 if there is none.
    public let producerEpoch: Int16
    /// The first record's sequence number; -1 without idempotence.
    public let baseSequence: Int32
    /// Whether the batch was written in a transaction, or marks the end of one (KIP-98).
    public let isTransactional: Bool
    /// Whether the batch marks the end of a transaction. It has no records for consumers.
    public let isControl: Bool
    /// Whether the batch belongs to an aborted transaction, so that `records` is empty.
    ///
    /// Always false unless the consumer reads with `isolation.level=read_committed`.
    public let isAborted: Bool
    /// The codec that the batch was received with.
    public let compression: Compression
    /// The number of records in the batch, including those below `firstOffset`.
    public let recordCount: Int
    /// The batch's size in bytes as received.
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

    /// The offset after the batch, even if compaction has removed all of its records.
    public var nextOffset: Int64 { lastOffset + 1 }

    /// The decompressed size of the records in bytes.
    public var byteCount: Int { content.count }

    /// The records from `firstOffset` on; none if the batch is a control batch or aborted. Each access begins a new
    /// iteration.
    public var records: Records {
        @_lifetime(borrow self)
        get { Records(content.span, of: self) }
    }
}

/// The outcome of a transaction that a control batch records.
package enum ControlRecordType: Equatable, Sendable {
    case abort
    case commit
    /// A type for brokers only.
    case other(Int16)
}

extension RecordBatch {
    /// The type of a control batch, from its record's key (a version and a type).
    ///
    /// - Returns: nil for other batches, and if compaction has removed the record.
    /// - Throws: `CORRUPT_MESSAGE` if the key is too short.
    package func controlRecordType() throws(KafkaError) -> ControlRecordType? {
        guard isControl else { return nil }
        var records = Records(content.span, of: self, includingControl: true)
        guard let record = try records.next() else { return nil }
        guard let key = record.key, key.byteCount >= 4 else {
            throw KafkaError(
                .corruptMessage, "a control record has no type in its key", topic: topic, partition: partition,
                offset: record.offset)
        }
        switch key.bigEndian(at: 2, as: Int16.self) {
        case 0: return .abort
        case 1: return .commit
        case let type: return .other(type)
        }
    }
}
