extension RecordBatch {
    /// A batch of one record, as a consumer would read it.
    ///
    /// For tests, and for records that were stored outside Kafka.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - partition: The partition's number, from 0.
    ///   - offset: The record's offset.
    ///   - timestamp: Milliseconds since 1970; -1 if none.
    ///   - key: Nil for a record without a key.
    ///   - value: Nil for a tombstone.
    ///   - headers: The headers in order. Names may repeat, and a value may be nil.
    /// - Throws: MESSAGE_TOO_LARGE if the record doesn't fit into a batch.
    public init(
        topic: String, partition: Int32, offset: Int64, timestamp: Int64 = -1, key: [UInt8]?, value: [UInt8]?,
        headers: [(name: String, value: [UInt8]?)] = []
    ) throws(KafkaError) {
        let pool = BufferPool(limit: 0)
        var builder = RecordBatchBuilder(pool: pool)
        try builder.append(key: key, value: value, headers: headers, timestamp: timestamp)
        var encoded = try builder.finish()
        var reader = RecordBatchReader(
            topic: topic, partition: partition, records: encoded.stamp(offset: offset), from: offset, checksCRC: false,
            maximumInflatedBytes: .max, pool: pool)
        guard let batch = try reader.next() else {
            throw KafkaError(.corruptMessage, "the record cannot be decoded", isRetriable: false)
        }
        self = batch
    }
}
