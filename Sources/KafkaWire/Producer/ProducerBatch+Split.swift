extension ProducerBatch {
    /// The index at which to split the batch so that refused records are separated from the others.
    ///
    /// - Parameter refused: The indexes of the refused records, as the broker named them.
    /// - Returns: nil if all records or none are refused.
    func splitIndex(isolating refused: [Int32]) -> Int? {
        let refused = Set(refused.compactMap { Int(exactly: $0) }.filter { (0..<recordCount).contains($0) })
        guard let first = refused.min(), refused.count < recordCount else { return nil }
        return first > 0 ? first : (0..<recordCount).first { !refused.contains($0) }
    }

    /// Splits a closed batch that is too large for its topic (KIP-126). The records keep their sequence numbers, so later
    /// batches are not affected.
    ///
    /// - Parameters:
    ///   - middle: The index of the first record of the second batch.
    ///   - maximumBytes: The largest size of the decompressed records.
    /// - Returns: nil if one of the parts would be empty.
    /// - Throws: If the batch can't be decoded, which would be a bug.
    func split(
        at middle: Int, maximumBytes: Int, pool: BufferPool
    ) throws(KafkaError) -> (ProducerBatch, ProducerBatch)? {
        guard var encoded, middle > 0, middle < recordCount else { return nil }
        var reader = RecordBatchReader(
            topic: partition.topic, partition: partition.partition, records: encoded.stamp(), from: 0,
            maximumInflatedBytes: maximumBytes, pool: pool)
        guard let content = try reader.next() else { return nil }
        var builders = [RecordBatchBuilder(pool: pool), RecordBatchBuilder(pool: pool)]
        var records = content.makeIterator()
        var index = 0
        while let record = try records.next() {
            try builders[index < middle ? 0 : 1].append(
                key: record.key, value: record.value, headers: [RecordHeader](record.headers),
                timestamp: record.timestamp.millisecondsSince1970)
            index += 1
        }
        func part(_ builder: RecordBatchBuilder, from start: Int) -> ProducerBatch {
            ProducerBatch(
                partition: partition, builder: builder, recordCount: builder.recordCount,
                outcome: BatchOutcome(partition: partition), created: created, reserved: builder.capacity,
                sequence: sequence?.advanced(by: start))
        }
        return (part(builders[0], from: 0), part(builders[1], from: middle))
    }
}
