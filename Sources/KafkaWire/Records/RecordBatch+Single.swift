extension RecordBatch {
    /// Creates a batch of one record, as a consumer would have read it: for tests, and for records that were stored
    /// elsewhere.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - partition: The partition's number, from 0.
    ///   - offset: The record's offset.
    ///   - timestamp: The record's timestamp.
    ///   - key: The key; nil for a record without one.
    ///   - value: The value; nil for a tombstone.
    ///   - headers: The headers in their order.
    /// - Throws: MESSAGE_TOO_LARGE for a record that is too large for any batch.
    public init(
        topic: String, partition: Int32, offset: Int64, timestamp: KafkaTimestamp = .unknown, key: [UInt8]?,
        value: [UInt8]?,
        headers: [RecordHeader] = []
    ) throws(KafkaError) {
        let pool = BufferPool(limit: 0)
        var builder = RecordBatchBuilder(pool: pool)
        try builder.append(key: key, value: value, headers: headers, timestamp: timestamp.millisecondsSince1970)
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
