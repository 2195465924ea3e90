/// A batch of records, as a view of the response that it arrived in or of the memory that it was decompressed into.
///
/// A batch keeps all of that memory alive, so read its records and release it. Its checksum has been verified already,
/// unless `check.crcs` is off.
public struct RecordBatch: Sendable {
    /// The clock that the timestamps of the records come from.
    ///
    /// Closed: the batch format has a single bit for it.
    public enum TimestampType: Sendable {
        /// The producer's clock (`CreateTime`).
        case createTime
        /// The broker's clock when it stored the batch (`LogAppendTime`).
        case logAppendTime
    }

    /// The topic's name.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int32
    /// The first record's offset when the batch was written. Compaction may have removed the record.
    public let baseOffset: Int64
    /// The last record's offset when the batch was written. Compaction may have removed the record.
    public let lastOffset: Int64
    /// The offset that the consumer asked for: records below it are skipped.
    public let firstOffset: Int64
    /// The epoch of the leader that stored the batch; -1 if unknown.
    public let leaderEpoch: Int32
    /// `message.timestamp.type` of the topic when the batch was written.
    public let timestampType: TimestampType
    /// The first record's timestamp. Compaction replaces it by the time from which tombstones may be removed (KIP-534).
    public let firstTimestamp: KafkaTimestamp
    /// The largest timestamp of the batch. With `logAppendTime` it is the timestamp of every record.
    public let maxTimestamp: KafkaTimestamp
    /// The id of the idempotent or transactional producer that wrote the batch; -1 for other producers.
    public let producerID: Int64
    /// The epoch of the producer with `producerID`; -1 if there is none.
    public let producerEpoch: Int16
    /// The first record's sequence number; -1 without idempotence.
    public let baseSequence: Int32
    /// Whether the batch was written in a transaction, or marks the end of one (KIP-98).
    public let isTransactional: Bool
    /// Whether the batch is a control batch, which marks the end of a transaction and has no records for consumers.
    public let isControl: Bool
    /// Whether the batch belongs to an aborted transaction, so that a consumer with `isolation.level=read_committed` gets
    /// no records of it. Always false with `read_uncommitted`.
    public let isAborted: Bool
    /// The codec that the batch was compressed with when it arrived.
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
        leaderEpoch = header.partitionLeaderEpoch
        timestampType = header.attributes.contains(.logAppendTime) ? .logAppendTime : .createTime
        firstTimestamp = KafkaTimestamp(millisecondsSince1970: header.baseTimestamp)
        maxTimestamp = KafkaTimestamp(millisecondsSince1970: header.maxTimestamp)
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

    /// The partition that the batch was read from.
    public var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }

    /// The offset after the batch: what to commit once all of its records are processed. Compaction does not change it.
    public var nextOffset: Int64 { lastOffset + 1 }

    /// The offset after the batch with its leader epoch, to commit once all of its records are processed.
    public var nextOffsetAndMetadata: OffsetAndMetadata { OffsetAndMetadata(nextOffset, leaderEpoch: leaderEpoch) }

    /// The size of the decompressed records in bytes.
    public var byteCount: Int { content.count }

    /// Returns an iterator over the records from `firstOffset` on. A control batch and an aborted batch have none.
    @_lifetime(borrow self)
    public func makeIterator() -> RecordIterator { RecordIterator(content.span, of: self) }
}

/// The meaning of a control batch for its producer's transaction.
package enum ControlRecordType: Equatable, Sendable {
    case abort
    case commit
    /// A type that only concerns brokers.
    case other(Int16)
}

extension RecordBatch {
    /// The type of a control batch, from the key of its record; nil for other batches, and if compaction has removed the
    /// record.
    ///
    /// - Throws: CORRUPT_MESSAGE if the record cannot be decoded.
    package func controlRecordType() throws(KafkaError) -> ControlRecordType? {
        guard isControl else { return nil }
        var records = RecordIterator(content.span, of: self, includingControl: true)
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
