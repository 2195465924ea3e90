import KafkaWire

// Writes and reads records without a client.
extension FakeCluster {
    /// Appends records to their topics, each as a batch of its own, without a request.
    ///
    /// ```swift
    /// try fake.produce([ProducerRecord(topic: "orders", key: "4711", value: "{}")])
    /// ```
    /// A record without a partition goes to the partition of its key, as with a producer. Without a key either, it goes to
    /// partition 0. A record without a timestamp gets the current time.
    ///
    /// - Returns: Where the records were written, in their order.
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION if a topic or partition does not exist. The records before it are written.
    @discardableResult
    public func produce(_ records: [ProducerRecord]) throws(KafkaError) -> [RecordMetadata] {
        var written: [RecordMetadata] = []
        written.reserveCapacity(records.count)
        for record in records {
            let partition = TopicPartition(topic: record.topic, partition: partition(of: record))
            let timestamp = record.timestamp ?? .now
            var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
            try builder.append(
                key: record.key, value: record.value, headers: record.headers,
                timestamp: timestamp.millisecondsSince1970)
            var batch = try builder.finish()
            guard let offset = append([UInt8](batch.stamp()), to: partition) else {
                throw KafkaError(
                    .unknownTopicOrPartition, "the fake cluster has no such partition; create the topic first",
                    isRetriable: false, topic: partition.topic, partition: partition.partition)
            }
            written.append(
                RecordMetadata(
                    topic: partition.topic, partition: partition.partition, offset: offset, timestamp: timestamp))
        }
        return written
    }

    /// The records of a topic, by partition and offset, read without a request.
    ///
    /// ```swift
    /// let letters = try fake.records(of: "orders.dlt")
    /// ```
    /// Transaction markers are left out.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - isolation: With `readCommitted` records of aborted and open transactions are left out.
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION if the topic does not exist; CORRUPT_MESSAGE and the like for a batch that
    ///   can't be read.
    public func records(
        of topic: String, isolation: IsolationLevel = .readCommitted
    ) throws(KafkaError) -> [ConsumerRecord] {
        let logs = state.withLock { $0.topics[topic].map { $0.partitions.map { StoredRecords($0) } } }
        guard let logs else {
            throw KafkaError(
                .unknownTopicOrPartition, "the fake cluster has no such topic", isRetriable: false, topic: topic)
        }
        var records: [ConsumerRecord] = []
        for (index, log) in logs.enumerated() {
            try log.read(into: &records, topic: topic, partition: Int32(clamping: index), isolation)
        }
        return records
    }

    private func partition(of record: ProducerRecord) -> Int32 {
        if let partition = record.partition { return partition }
        let count = state.withLock { $0.topics[record.topic]?.partitions.count ?? 0 }
        guard let key = record.key, count > 0 else { return 0 }
        // The span ends with the call.
        return unsafe Murmur2.partition(forKey: key.span.bytes, count: Int32(clamping: count))
    }
}

/// What a partition stores at one moment.
private struct StoredRecords: Sendable {
    let batches: [ByteSlice]
    let startOffset: Int64
    let lastStableOffset: Int64
    let aborted: [FetchResponse.AbortedTransaction]

    init(_ log: PartitionLog) {
        batches = log.batches.map(\.bytes)
        startOffset = log.startOffset
        lastStableOffset = log.lastStableOffset
        aborted = log.transactions.aborted.map {
            FetchResponse.AbortedTransaction(producerId: $0.producerID, firstOffset: $0.firstOffset)
        }
    }

    func read(
        into records: inout [ConsumerRecord], topic: String, partition: Int32, _ isolation: IsolationLevel
    ) throws(KafkaError) {
        let isCommitted = isolation == .readCommitted
        let pool = BufferPool(limit: 0)
        let bytes = ByteSlice(batches.flatMap { [UInt8]($0) })
        var reader = RecordBatchReader(
            topic: topic, partition: partition, records: bytes, from: startOffset, maximumInflatedBytes: .max,
            pool: pool, leavingOut: isCommitted ? AbortedTransactions(aborted) : nil)
        while let batch = try reader.next() {
            if isCommitted, batch.baseOffset >= lastStableOffset { return }
            guard !batch.isControl, !batch.isAborted else { continue }
            var remaining = batch.makeIterator()
            while let record = try remaining.next() { records.append(ConsumerRecord(record, of: batch)) }
        }
    }
}
