/// A record that owns its memory and can be kept.
public struct ConsumerRecord: Sendable, Hashable {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32
    /// The record's offset in its partition. Offsets ascend, with gaps from transactions and compaction.
    public var offset: Int64
    /// The producer's timestamp, or the broker's if the topic has `LogAppendTime`.
    public var timestamp: KafkaTimestamp
    /// The epoch of the leader that stored the record; -1 if unknown.
    public var leaderEpoch: Int32
    /// The key; nil for a record without one.
    public var key: [UInt8]?
    /// The value; nil for a tombstone.
    public var value: [UInt8]?
    /// The headers in their order. Names may repeat.
    public var headers: [RecordHeader]

    /// Creates a record, for example in a test.
    public init(
        topic: String, partition: Int32, offset: Int64, timestamp: KafkaTimestamp = .unknown, leaderEpoch: Int32 = -1,
        key: [UInt8]? = nil, value: [UInt8]?, headers: [RecordHeader] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.leaderEpoch = leaderEpoch
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// Copies a record of a batch.
    public init(_ record: borrowing Record, of batch: RecordBatch) {
        let key: [UInt8]? = if let bytes = record.key { Array(bytes) } else { nil }
        let value: [UInt8]? = if let bytes = record.value { Array(bytes) } else { nil }
        self.init(
            topic: batch.topic, partition: batch.partition, offset: record.offset, timestamp: record.timestamp,
            leaderEpoch: batch.leaderEpoch, key: key, value: value, headers: [RecordHeader](record.headers))
    }

    /// The partition that the record was read from.
    public var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }

    /// The offset after the record: what to commit once the record is processed.
    public var nextOffset: Int64 { offset &+ 1 }

    /// The offset after the record with its leader epoch, to commit once the record is processed.
    public var nextOffsetAndMetadata: OffsetAndMetadata { OffsetAndMetadata(nextOffset, leaderEpoch: leaderEpoch) }
}
