extension KafkaConsumer {
    /// Batches of records for bulk work, such as an insert of many rows.
    ///
    /// ```swift
    /// for try await records in consumer.batches(maximumRecords: 500, maximumWait: .milliseconds(200)) {
    ///     try await database.insert(records)
    ///     try await consumer.commit(after: records)
    /// }
    /// ```
    ///
    /// A batch is handed out when it has `maximumRecords` records, or when `maximumWait` has passed since its first record
    /// arrived. It is never empty. Its records may be of several partitions; those of one partition are in order.
    ///
    /// If a group revokes a partition meanwhile, its records are removed from the batch. A group waits for the
    /// application while it processes a batch, as with ``records``.
    ///
    /// Use `enable.auto.commit=false` in a group, and commit after each batch: automatic commits count a record as
    /// processed when it enters a batch. A batch that a loop leaves by `break` or by an error is not handed out again until
    /// its partitions are sought or assigned again.
    ///
    /// - Parameters:
    ///   - maximumRecords: The largest number of records of a batch, at least 1.
    ///   - maximumWait: The longest time between the arrival of a batch's first record and the end of the batch.
    public func batches(maximumRecords: Int, maximumWait: Duration) -> RecordBatchesSequence {
        RecordBatchesSequence(consumer: self, maximumRecords: Swift.max(maximumRecords, 1), maximumWait: maximumWait)
    }

    /// Commits for the group that all these records, and all before them in their partitions, are processed.
    ///
    /// - Throws: As `commit()` does.
    public nonisolated(nonsending) func commit(after records: [ConsumerRecord]) async throws {
        var offsets: [TopicPartition: OffsetAndMetadata] = [:]
        for record in records {
            let partition = record.topicPartition
            if let known = offsets[partition], known.offset >= record.nextOffset { continue }
            offsets[partition] = record.nextOffsetAndMetadata
        }
        try await commit(offsets)
    }

    /// The sequence of a consumer's records in batches of limited size and age.
    public struct RecordBatchesSequence: Sendable, AsyncSequence {
        /// The records of a batch.
        public typealias Element = [ConsumerRecord]

        fileprivate let consumer: KafkaConsumer
        fileprivate let maximumRecords: Int
        fileprivate let maximumWait: Duration

        /// Makes an iterator. Use one at a time, as with ``KafkaConsumer/Iterator``.
        public func makeAsyncIterator() -> Iterator {
            Iterator(sequence: self, reader: consumer.buffer.makeReader())
        }

        /// An iterator over the batches.
        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let sequence: RecordBatchesSequence
            fileprivate var reader: BatchReader
            private var failure: (any Error)?

            fileprivate init(sequence: RecordBatchesSequence, reader: BatchReader) {
                self.sequence = sequence
                self.reader = reader
            }

            /// The next batch; nil once the consumer is closed.
            ///
            /// - Throws: As `KafkaConsumer.RecordSequence.Iterator.next`, and INVALID_CONFIG in a group with
            ///   `enable.auto.commit`. The records before an error are handed out first.
            public nonisolated(nonsending) mutating func next() async throws -> [ConsumerRecord]? {
                let consumer = sequence.consumer
                try consumer.requireManualCommits(for: "batches(maximumRecords:maximumWait:)")
                if let error = failure {
                    failure = nil
                    throw error
                }
                let timing = consumer.cluster.timing
                var batch = PendingRecords()
                var deadline: ContinuousClock.Instant?
                while true {
                    do {
                        let remaining = deadline.map { Swift.max($0 - timing.now(), .zero) }
                        switch try await consumer.nextRecord(&reader, timeout: remaining) {
                        case .record(let record):
                            batch.append(record)
                            if deadline == nil { deadline = timing.now() + sequence.maximumWait }
                        case .timedOut: break
                        case .finished:
                            return batch.records.isEmpty ? nil : batch.records
                        }
                    } catch {
                        batch.keep(consumer.assignment)
                        guard !batch.records.isEmpty else { throw error }
                        failure = error
                        return batch.records
                    }
                    let isFull = batch.records.count >= sequence.maximumRecords
                    guard isFull || deadline.map({ timing.now() >= $0 }) == true else { continue }
                    batch.keep(consumer.assignment)
                    if !batch.records.isEmpty { return batch.records }
                    deadline = nil
                }
            }

            /// The next batch, as `next()`. A `for` loop calls it, so that it stays on the loop's actor.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [ConsumerRecord]? {
                try await next()
            }
        }
    }
}

/// The records of a batch that is being collected.
private struct PendingRecords {
    private(set) var records: [ConsumerRecord] = []
    private var last: [TopicPartition: Int64] = [:]

    mutating func append(_ record: ConsumerRecord) {
        let partition = record.topicPartition
        if let known = last[partition], known >= record.offset {
            // The partition was sought, or revoked and assigned again: it is read anew from here.
            records.removeAll { $0.offset >= record.offset && $0.topicPartition == partition }
        }
        last[partition] = record.offset
        records.append(record)
    }

    /// Removes the records of partitions that are not assigned any more.
    mutating func keep(_ assignment: Set<TopicPartition>) {
        guard !last.keys.allSatisfy(assignment.contains) else { return }
        records.removeAll { !assignment.contains($0.topicPartition) }
        last = last.filter { assignment.contains($0.key) }
    }
}
