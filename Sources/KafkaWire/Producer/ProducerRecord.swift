/// A record to send.
///
/// ```swift
/// ProducerRecord(topic: "TFI", key: "greeting", value: "hello")
/// ```
public struct ProducerRecord: Sendable, Hashable {
    /// The topic's name. If the topic does not exist, the broker creates it if its `auto.create.topics.enable` and the
    /// client's `allow.auto.create.topics` permit that.
    public var topic: String
    /// The partition's number, from 0. If nil, the producer chooses: by the key's murmur2 hash as the Java client does;
    /// without a key, one partition until a batch is full.
    public var partition: Int32?
    /// The key; nil for none. Records with the same key go to the same partition, and keep their order.
    public var key: [UInt8]?
    /// The value; nil for a tombstone, which deletes the key's value in a compacted topic.
    public var value: [UInt8]?
    /// The headers in their order. Names may repeat.
    public var headers: [RecordHeader]
    /// The record's timestamp; nil for the time at which it is enqueued.
    public var timestamp: KafkaTimestamp?

    /// Creates a record of bytes.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - partition: The partition's number; nil for the producer's choice.
    ///   - key: The key; nil for none.
    ///   - value: The value; nil for a tombstone.
    ///   - headers: The headers in their order.
    ///   - timestamp: The record's timestamp; nil for the time at which it is enqueued.
    public init(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?, headers: [RecordHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    /// Creates a record with key and value of text, in UTF-8.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - partition: The partition's number; nil for the producer's choice.
    ///   - key: The key; nil for none.
    ///   - value: The value; nil for a tombstone.
    ///   - headers: The headers in their order.
    ///   - timestamp: The record's timestamp; nil for the time at which it is enqueued.
    @_disfavoredOverload  // So that `key: nil, value: nil` is not ambiguous.
    public init(
        topic: String, partition: Int32? = nil, key: String?, value: String?, headers: [RecordHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.init(
            topic: topic, partition: partition, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) },
            headers: headers, timestamp: timestamp)
    }

    /// Creates a record with a value of text, in UTF-8, and without a key.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - partition: The partition's number; nil for the producer's choice.
    ///   - value: The value.
    ///   - headers: The headers in their order.
    ///   - timestamp: The record's timestamp; nil for the time at which it is enqueued.
    public init(
        topic: String, partition: Int32? = nil, value: String, headers: [RecordHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.init(
            topic: topic, partition: partition, key: nil, value: Array(value.utf8), headers: headers,
            timestamp: timestamp)
    }
}
