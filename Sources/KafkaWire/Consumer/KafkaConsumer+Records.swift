extension KafkaConsumer {
    /// The records, one by one.
    ///
    /// ```swift
    /// for try await record in consumer.records {
    ///     print(record.offset, String(decoding: record.value ?? [], as: UTF8.self))
    /// }
    /// ```
    ///
    /// Copies each record (two allocations, a few hundred nanoseconds). For maximum throughput iterate over batches.
    /// Transaction markers and empty batches are left out, but the positions move with them.
    ///
    /// A record counts as processed when the same iterator is asked for the next one. Asking for a record also resets the
    /// time that `max.poll.interval.ms` limits; the member notices it at its next heartbeat. After a seek or a revocation no
    /// further record of the partition is handed out, even within a batch. A pause takes effect at the end of a batch.
    ///
    /// A loop continues within the batch that an earlier loop has left. With `group.id` it begins with the last record of
    /// the earlier loop, which was not processed: see ``KafkaConsumer/Iterator``.
    ///
    /// - Important: Iterate either over records or over batches, and with one iterator at a time.
    public var records: RecordSequence { RecordSequence(consumer: self) }

    /// The sequence of a consumer's records.
    public struct RecordSequence: Sendable, AsyncSequence {
        /// An independent copy of each record.
        public typealias Element = ConsumerRecord

        fileprivate let consumer: KafkaConsumer

        /// Makes an iterator, which continues within the batch that the one before it has left.
        public func makeAsyncIterator() -> Iterator {
            Iterator(consumer: consumer, reader: consumer.buffer.makeReader())
        }

        /// An iterator over the records. Use one at a time, as with ``KafkaConsumer/Iterator``.
        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let consumer: KafkaConsumer
            fileprivate var reader: BatchReader

            /// The next record; nil once the consumer is closed.
            ///
            /// - Throws: As `KafkaConsumer.Iterator.next`. The records before one that can't be read are handed out first.
            public nonisolated(nonsending) mutating func next() async throws -> ConsumerRecord? {
                var reason = FetchBuffer.NoRecord.exhausted
                var record: ConsumerRecord?
                while true {
                    // Most records take this way alone, without a suspension.
                    if consumer.buffer.nextRecord(&reader, into: &record, otherwise: &reason) { return record }
                    switch try await consumer.waitForRecord(&reader, reason, timeout: nil) {
                    case .mayHaveRecord, .timedOut: continue
                    case .finished: return nil
                    }
                }
            }

            /// The next record, as `next()`. A `for` loop calls it, so that it stays on the loop's actor.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws
                -> ConsumerRecord?
            {
                try await next()
            }
        }
    }
}
