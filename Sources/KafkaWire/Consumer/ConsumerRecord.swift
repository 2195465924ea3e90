/// A record with memory of its own, to be kept for as long as one likes.
public struct ConsumerRecord: Sendable, Hashable {
    /// A name and a value that the producer has put beside the record (KIP-82).
    public struct Header: Sendable, Hashable {
        /// What of it isn't UTF-8 is U+FFFD.
        public let name: String
        /// Nil for null.
        public let value: [UInt8]?
    }

    /// The topic that the record was read from.
    public let topic: String
    /// From 0 on.
    public let partition: Int32
    /// The record's place in its partition. Offsets ascend, with gaps where there are transactions or compaction.
    public let offset: Int64
    /// Milliseconds since 1970: the producer's, or the broker's where the topic has `LogAppendTime`; -1 for none.
    public let timestamp: Int64
    /// The epoch of the leader that stored the record; -1 where it isn't known.
    public let leaderEpoch: Int32
    /// Nil for a record without a key.
    public let key: [UInt8]?
    /// Nil in a tombstone.
    public let value: [UInt8]?
    /// In their order; names may repeat.
    public let headers: [Header]

    /// Copies a record.
    public init(_ record: borrowing Record, of batch: RecordBatch) {
        topic = batch.topic
        partition = batch.partition
        offset = record.offset
        timestamp = record.timestamp
        leaderEpoch = batch.partitionLeaderEpoch
        if let bytes = record.key { key = Array(bytes) } else { key = nil }
        if let bytes = record.value { value = Array(bytes) } else { value = nil }
        var headers: [Header] = []
        var iterator = record.headers.makeIterator()
        while let header = iterator.next() {
            var value: [UInt8]?
            if let bytes = header.value { value = Array(bytes) }
            headers.append(Header(name: String(repairingUTF8: header.name), value: value))
        }
        self.headers = headers
    }
}
