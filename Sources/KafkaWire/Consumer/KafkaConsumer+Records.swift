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
    /// A record counts as processed when the next one is asked for, and who asks for one is there as far as
    /// `max.poll.interval.ms` goes. Once a partition is taken away or sought elsewhere none of its records comes any more,
    /// also amid a batch; a pause takes effect at the end of a batch.
    ///
    /// What a loop leaves is there for the next one.
    ///
    /// - Important: Either the records or the batches, and one iterator at a time.
    public var records: RecordSequence { RecordSequence(consumer: self) }

    /// The sequence of a consumer's records.
    public struct RecordSequence: Sendable, AsyncSequence {
        /// A copy of its own for each record.
        public typealias Element = ConsumerRecord

        fileprivate let consumer: KafkaConsumer

        /// An iterator that goes on where the one before it has left off, amid a batch too.
        public func makeAsyncIterator() -> Iterator { Iterator(consumer: consumer) }

        /// Hands out the records. One at a time: two would share the records between them.
        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let consumer: KafkaConsumer

            /// The next record; nil once the consumer is closed.
            ///
            /// - Throws: As `KafkaConsumer.Iterator.next`.
            public mutating func next() async throws -> ConsumerRecord? {
                while true {
                    switch try consumer.nextRecord() {
                    case .record(let record): return record
                    case .held:
                        try await consumer.rest()
                        continue
                    case .none: break
                    }
                    switch try await consumer.step(timeout: nil, isWhole: false) {
                    case .batch(let batch): try consumer.begin(batch)
                    case .timedOut: continue
                    case .finished: return nil
                    }
                }
            }
        }
    }

    /// The records of a batch that weren't handed out yet.
    struct UnreadRecords {
        /// The next one last.
        var records: [ConsumerRecord] = []
        /// The position after the batch.
        var end = FetchPosition(offset: 0)
        /// What is wrong with them: they aren't passed over, but have to be sought past.
        var failure: KafkaError?
    }

    private func begin(_ batch: RecordBatch) throws(KafkaError) {
        let end = FetchPosition(offset: batch.nextOffset, lastFetchedEpoch: batch.partitionLeaderEpoch)
        var copies: [ConsumerRecord] = []
        copies.reserveCapacity(batch.recordCount)
        var records = batch.records
        do throws(KafkaError) {
            while let record = try records.next() { copies.append(ConsumerRecord(record, of: batch)) }
        } catch {
            unread.withLock { $0 = UnreadRecords(failure: error) }
            throw error
        }
        if copies.isEmpty { buffer.pass(end) }
        copies.reverse()
        unread.withLock { $0 = UnreadRecords(records: copies, end: end) }
    }

    private enum NextRecord {
        case record(ConsumerRecord)
        /// There is one, and a group holds it back.
        case held
        case none
    }

    private func rest() async throws {
        defer { buffer.goAway(at: cluster.timing.now()) }
        try await buffer.rest()
    }

    private func nextRecord() throws(KafkaError) -> NextRecord {
        try unread.withLock { unread throws(KafkaError) -> NextRecord in
            if let failure = unread.failure {
                if let slot = buffer.handout?.slot, buffer.isStanding(slot) { throw failure }
                unread.failure = nil
            }
            guard let record = unread.records.last else { return .none }
            let next =
                unread.records.count == 1
                ? unread.end
                : FetchPosition(offset: record.offset + 1, lastFetchedEpoch: unread.end.lastFetchedEpoch)
            switch buffer.advance(processed: record.offset, next: next, at: cluster.timing.now()) {
            case .advanced:
                unread.records.removeLast()
                return .record(record)
            case .held: return .held
            case .stale:
                unread.records = []
                return .none
            }
        }
    }
}
