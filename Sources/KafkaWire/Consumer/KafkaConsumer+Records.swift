extension KafkaConsumer {
    /// The records, one by one.
    ///
    /// ```swift
    /// for try await record in consumer.records {
    ///     print(record.offset, String(decoding: record.value ?? [], as: UTF8.self))
    /// }
    /// ```
    ///
    /// Each is a copy: an allocation for the key and one for the value, and a few hundred nanoseconds in all. Who goes
    /// through the batches themselves has neither. Transaction markers and batches without records don't show, but the
    /// positions move with them.
    ///
    /// A record counts as processed when the same iterator is asked for the next one. Asking for a record also counts as
    /// a sign of life for `max.poll.interval.ms`. Once a partition is taken away or sought elsewhere, none of its records
    /// comes any more, also within a batch; a pause takes effect at the end of a batch.
    ///
    /// A loop continues within the batch that an earlier loop has left. With `group.id` it begins with the last record of
    /// the earlier loop again, which wasn't processed: see ``KafkaConsumer/Iterator``.
    ///
    /// - Important: Iterate either the records or the batches, and with one iterator at a time.
    public var records: RecordSequence { RecordSequence(consumer: self) }

    /// The sequence of a consumer's records.
    public struct RecordSequence: Sendable, AsyncSequence {
        /// A copy of its own for each record.
        public typealias Element = ConsumerRecord

        fileprivate let consumer: KafkaConsumer

        /// A new iterator, which continues within the batch that the one before it has left.
        public func makeAsyncIterator() -> Iterator {
            Iterator(consumer: consumer, reader: consumer.buffer.makeReader())
        }

        /// Hands out the records. One at a time, as ``KafkaConsumer/Iterator``.
        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let consumer: KafkaConsumer
            fileprivate var reader: BatchReader

            /// The next record; nil once the consumer is closed.
            ///
            /// - Throws: As `KafkaConsumer.Iterator.next`. The records before one that can't be read are handed out first.
            public mutating func next() async throws -> ConsumerRecord? {
                while true {
                    switch consumer.nextRecord(&reader) {
                    case .record(let record): return record
                    case .failed(let slot, let failure):
                        try await consumer.handle(failure, slot)
                        continue
                    case .held:
                        try await consumer.rest()
                        continue
                    case .none: break
                    }
                    switch try await consumer.step(&reader, timeout: nil, isWhole: false) {
                    case .batch, .timedOut: continue
                    case .finished: return nil
                    }
                }
            }
        }
    }

    /// The records of a batch that weren't handed out yet.
    struct UnreadRecords {
        /// In descending order: the next record is the last one.
        var records: [ConsumerRecord] = []
        /// The position after the batch.
        var end = FetchPosition(offset: 0)
        /// Why the record behind these can't be read; nil if they end the batch.
        var failure: KafkaError?
    }

    /// Copies the records of a batch, to be handed out one by one.
    func begin(_ batch: RecordBatch) {
        let end = FetchPosition(offset: batch.nextOffset, lastFetchedEpoch: batch.leaderEpoch)
        var copies: [ConsumerRecord] = []
        copies.reserveCapacity(batch.recordCount)
        var failure: KafkaError?
        var records = batch.makeIterator()
        do throws(KafkaError) {
            while let record = try records.next() { copies.append(ConsumerRecord(record, of: batch)) }
        } catch {
            failure = error
        }
        if copies.isEmpty, failure == nil { buffer.pass(end) }
        copies.reverse()
        unread.withLock { $0 = UnreadRecords(records: copies, end: end, failure: failure) }
    }

    private enum NextRecord {
        case record(ConsumerRecord)
        case failed(FetchSlot, PartitionFailure)
        /// There is one, and a group holds it back.
        case held
        case none
    }

    private func rest() async throws {
        if isInHandler { throw inHandler("next") }
        defer { buffer.goAway(at: cluster.timing.now()) }
        try await buffer.rest()
    }

    private func nextRecord(_ reader: inout BatchReader) -> NextRecord {
        unread.withLock { unread in
            guard let record = unread.records.last else {
                guard let failure = unread.failure else { return .none }
                return fail(&unread, failure, &reader)
            }
            let next =
                unread.records.count == 1 && unread.failure == nil
                ? unread.end
                : FetchPosition(offset: record.offset &+ 1, lastFetchedEpoch: unread.end.lastFetchedEpoch)
            switch buffer.advance(&reader, processed: record.offset, next: next, at: cluster.timing.now()) {
            case .advanced:
                unread.records.removeLast()
                return .record(record)
            case .held: return .held
            case .foreign: return .none
            case .stale:
                unread = UnreadRecords()
                return .none
            }
        }
    }

    /// Hands out the error of a record that can't be read.
    private func fail(_ unread: inout UnreadRecords, _ error: KafkaError, _ reader: inout BatchReader) -> NextRecord {
        let (outcome, slot) = buffer.failHandout(&reader, error)
        switch outcome {
        case .foreign: return .none
        case .held: return .held
        case .advanced, .stale: unread = UnreadRecords()
        }
        return slot.map { .failed($0, failure(of: $0, error)) } ?? .none
    }
}
