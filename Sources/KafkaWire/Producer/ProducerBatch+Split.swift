extension ProducerBatch {
    /// Makes two batches of a closed one, with half of the records each, for a topic that the whole is too large for
    /// (KIP-126). Their numbers are those that their records had: what follows stays as it is.
    ///
    /// - Parameter maximumBytes: More than the records can have when they are decompressed.
    /// - Returns: Nil where there is nothing to be parted.
    /// - Throws: Where the batch's own bytes can't be read, which can't be.
    func halves(maximumBytes: Int, pool: BufferPool) throws(KafkaError) -> (ProducerBatch, ProducerBatch)? {
        guard var encoded, recordCount > 1 else { return nil }
        var reader = RecordBatchReader(
            topic: partition.topic, partition: partition.partition, records: encoded.stamp(), from: 0,
            maximumInflatedBytes: maximumBytes, pool: pool)
        guard let content = try reader.next() else { return nil }
        let middle = recordCount / 2
        var builders = [RecordBatchBuilder(pool: pool), RecordBatchBuilder(pool: pool)]
        var records = content.records
        var index = 0
        while let record = try records.next() {
            var headers: [RecordBatchBuilder.Header] = []
            var iterator = record.headers.makeIterator()
            while let header = iterator.next() {
                var value: [UInt8]?
                if let bytes = header.value { value = Array(bytes) }
                headers.append((String(repairingUTF8: header.name), value))
            }
            try builders[index < middle ? 0 : 1].append(
                key: record.key, value: record.value, headers: headers, timestamp: record.timestamp)
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
