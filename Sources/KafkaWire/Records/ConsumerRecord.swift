/// A record with its own memory, which may be kept for any time.
public struct ConsumerRecord: Sendable, Hashable {
    /// A name and a value that the producer has added to the record (KIP-82).
    public struct Header: Sendable, Hashable {
        /// Invalid UTF-8 is replaced by U+FFFD.
        public let name: String
        /// nil if the value is null.
        public let value: [UInt8]?
    }

    /// The topic that the record was read from.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int32
    /// The record's offset in its partition. Offsets ascend; transactions and compaction leave gaps.
    public let offset: Int64
    /// Milliseconds since 1970, by the producer's clock, or the broker's if the topic has `LogAppendTime`; -1 if there is
    /// none.
    public let timestamp: Int64
    /// The epoch of the leader that stored the record; -1 if unknown.
    public let leaderEpoch: Int32
    /// The key; nil if the record has none.
    public let key: [UInt8]?
    /// The value; nil in a tombstone.
    public let value: [UInt8]?
    /// The headers in their order. Names may repeat.
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
