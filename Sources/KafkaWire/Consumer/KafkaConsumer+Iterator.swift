import Concurrency

extension KafkaConsumer {
    /// Hands out the batches.
    ///
    /// A batch counts as processed when the next one is asked for. What an iterator leaves is there for the next.
    ///
    /// - Important: One iterator at a time: two would share the batches between them.
    public struct Iterator: AsyncIteratorProtocol {
        private let consumer: KafkaConsumer

        fileprivate init(_ consumer: KafkaConsumer) {
            self.consumer = consumer
        }

        /// The next batch; nil once the consumer is closed.
        ///
        /// - Throws: `KafkaError`: CORRUPT_MESSAGE with topic, partition and offset for a batch that can't be read,
        ///   OFFSET_OUT_OF_RANGE where `auto.offset.reset` is `none`, LOG_TRUNCATION where a log was cut back below
        ///   what was read of it, and what no retry cures. It is thrown again until partitions are assigned anew, or
        ///   the one in question is sought elsewhere. `CancellationError` once the task is cancelled and no batch is
        ///   there that was fetched before.
        public mutating func next() async throws -> RecordBatch? {
            while true {
                switch try await next(timeout: nil) {
                case .batch(let batch): return batch
                case .finished: return nil
                case .timedOut: continue
                }
            }
        }

        /// What came of asking for a batch with a time limit.
        public enum Step: Sendable {
            /// The next batch; the one before it counts as processed now.
            case batch(RecordBatch)
            /// No batch came in time.
            case timedOut
            /// The consumer was closed.
            case finished
        }

        /// The same, but waits no longer than `timeout`; nil waits for as long as it takes.
        public mutating func next(timeout: Duration?) async throws -> Step {
            try await consumer.step(timeout: timeout, isWhole: true)
        }
    }

    /// An iterator that goes on where the one before it has left off.
    public func makeAsyncIterator() -> Iterator {
        Iterator(self)
    }

    /// - Parameter isWhole: Whether the position moves past the batch at once; otherwise `FetchBuffer.advance` moves it.
    func step(timeout: Duration?, isWhole: Bool) async throws -> Iterator.Step {
        buffer.comeBack()
        defer { buffer.goAway(at: cluster.timing.now()) }
        while true {
            if let batch = try nextBatch(isWhole: isWhole) { return .batch(batch) }
            switch try await buffer.take(timeout: timeout) {
            case .part(let part): reading.withLock { $0 = part }
            case .nothing: return .timedOut
            case .finished: return .finished
            }
        }
    }

    /// The next batch of the part that is being read; nil at its end, and where it isn't to be read on.
    private func nextBatch(isWhole: Bool) throws(KafkaError) -> RecordBatch? {
        try reading.withLock { part throws(KafkaError) -> RecordBatch? in
            guard var current = part else { return nil }
            let batch: RecordBatch?
            do throws(KafkaError) {
                batch = try current.reader?.next()
            } catch {
                if buffer.isStanding(current.slot) { throw error }
                batch = nil
            }
            guard let batch else {
                part = nil
                return nil
            }
            let next = FetchPosition(offset: batch.nextOffset, lastFetchedEpoch: batch.partitionLeaderEpoch)
            switch buffer.handOut(current.slot, next: isWhole ? next : nil) {
            case .handedOut:
                part = current
                return batch
            case .stale:
                part = nil
            case .paused:
                if let part { buffer.putBack(part) }
                part = nil
            }
            return nil
        }
    }
}
