import Concurrency

extension KafkaConsumer {
    /// An iterator over the batches.
    ///
    /// A batch counts as processed when the same iterator is asked for the next one, or when ``KafkaConsumer/commit()``
    /// returns. Each `for` loop makes its own iterator. If a loop ends by `break` or by an error, the current batch is not
    /// processed:
    /// - With `group.id` the next loop begins with that batch again, so that no offset after it is committed before it is
    ///   processed. Call `commit()` before `break` to avoid that. With `enable.auto.commit=false`, records whose offsets the
    ///   application has committed itself, also in a transaction, are not redelivered.
    /// - Without `group.id` nothing can be committed, and the next loop continues with the next batch.
    ///
    /// - Important: Use one iterator at a time. If a second task asks for a batch while the first one waits for one, the
    ///   second gets INVALID_REQUEST at once. With `group.id` so does an iterator that is asked again while a later one
    ///   is processing a batch.
    public struct Iterator: AsyncIteratorProtocol {
        private let consumer: KafkaConsumer
        private var reader: BatchReader

        fileprivate init(_ consumer: KafkaConsumer) {
            self.consumer = consumer
            reader = consumer.buffer.makeReader()
        }

        /// The next batch; nil once the consumer is closed.
        ///
        /// - Throws: `KafkaError` if a partition has failed, after the batches that were fetched of it before, unless the
        ///   consumer has a ``PartitionFailureHandler``. It names topic, partition and, if known, the offset, and is
        ///   thrown once; the next call continues with the other partitions. See ``PartitionFailure`` and
        ///   ``KafkaConsumer/failedPartitions``.
        ///
        ///   An error that concerns all partitions (authentication, a closed client, the end of a group membership) is
        ///   thrown by each call until partitions are assigned again, or sought. INVALID_REQUEST for a second iterator.
        ///   OPERATION_NOT_ATTEMPTED in a rebalance handler of this consumer, since the group waits for the handler.
        ///   `CancellationError` once the task is cancelled.
        public nonisolated(nonsending) mutating func next() async throws -> RecordBatch? {
            while true {
                switch try await next(timeout: nil) {
                case .batch(let batch): return batch
                case .finished: return nil
                case .timedOut: continue
                }
            }
        }

        /// The outcome of asking for a batch with a time limit.
        ///
        /// Closed: these are all outcomes that a wait can have.
        public enum Step: Sendable {
            /// The next batch; the one before it counts as processed now.
            case batch(RecordBatch)
            /// No batch arrived in time.
            case timedOut
            /// The consumer was closed.
            case finished
        }

        /// The next batch, with a time limit.
        ///
        /// - Parameter timeout: The longest time to wait; nil to wait for as long as it takes.
        /// - Throws: As `next()` does.
        public nonisolated(nonsending) mutating func next(timeout: Duration?) async throws -> Step {
            try await consumer.step(&reader, timeout: timeout, isWhole: true)
        }

        /// The next batch, as `next()`. A `for` loop calls it, so that it stays on the loop's actor.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws
            -> RecordBatch?
        {
            try await next()
        }
    }

    /// Makes a waiting `Iterator.next(timeout:)` return `.timedOut` at once. If no task waits, the next wait ends at once
    /// instead. Java's `wakeup`.
    ///
    /// Buffered batches are handed out first. During a rebalance, the wait ends when the rebalance is over. A call of
    /// `next()`, which has no time limit, continues to wait.
    public func wakeUp() {
        buffer.wakeUp()
    }

    /// Makes an iterator. With `group.id` it begins with the batch that the one before it left unfinished.
    public func makeAsyncIterator() -> Iterator {
        Iterator(self)
    }

    /// Hands out the next batch.
    ///
    /// - Parameters:
    ///   - timeout: nil to wait for as long as it takes.
    ///   - isWhole: Whether the position moves past the batch at once. Otherwise the buffer keeps the batch, and
    ///     `FetchBuffer.nextRecord` moves the position.
    func step(_ reader: inout BatchReader, timeout: Duration?, isWhole: Bool) async throws -> Iterator.Step {
        if let settingsError { throw settingsError }
        var next = try buffer.beginNext(&reader) { isInHandler ? inHandler("next") : nil }
        // Has no effect if the buffer has let the application leave already, with a batch or without.
        defer { buffer.endNext(reader) }
        if let redelivery = next.redelivery { try await redeliver(redelivery) }
        while true {
            if let part = next.part {
                switch nextBatch(of: part, isWhole: isWhole) {
                case .batch(let batch): return .batch(batch)
                case .failed(let failure):
                    next.part = nil
                    try await handle(failure)
                    // The handler is the application's, so a group waits for it as for the processing of a batch.
                    _ = try buffer.beginNext(&reader, handledFailure: true)
                    continue
                case .finished: next.part = nil
                }
            }
            switch try await buffer.take(timeout: timeout) {
            case .part(let part): next.part = part
            case .nothing: return .timedOut
            case .finished: return .finished
            }
        }
    }

    /// Rewinds a partition so that a batch which an iterator has left unfinished is handed out again.
    ///
    /// - Throws: An error of the coordinator, if it is unknown whether the application has committed the batch itself. The
    ///   batch is handed out again in this case too.
    private func redeliver(_ redelivery: Redelivery) async throws {
        var redelivery = redelivery
        var failure: (any Error)?
        if !settings.group.commitsAutomatically {
            // The application commits by itself, perhaps in a transaction. What it has committed is not redelivered.
            do {
                if let committed = try await committed([redelivery.partition])[redelivery.partition],
                    committed.offset > redelivery.position.offset
                {
                    redelivery.position =
                        committed.offset >= redelivery.end.offset
                        ? redelivery.end
                        : FetchPosition(offset: committed.offset, lastFetchedEpoch: committed.leaderEpoch)
                }
            } catch {
                failure = error
            }
        }
        await fetcher.rewind(redelivery)
        if let failure { throw failure }
    }

    /// Reports the error of a partition.
    ///
    /// - Throws: The error, unless there is a handler for it.
    func handle(_ failure: PartitionFailure) async throws {
        guard let onPartitionFailure else { throw failure.error }
        await onPartitionFailure(failure, self)
    }

    private enum NextBatch {
        case batch(RecordBatch)
        case failed(PartitionFailure)
        /// The part has no more batches, or may not be read any further now.
        case finished
    }

    /// Hands out the next batch of a part, or the error in its place.
    private func nextBatch(of before: FetchedPartition, isWhole: Bool) -> NextBatch {
        var part = before
        var batch: RecordBatch
        do throws(KafkaError) {
            guard let next = try part.reader?.next() else {
                guard let error = part.failure else { return .finished }
                throw error
            }
            batch = next
            batch.brokerID = part.brokerID
        } catch {
            return buffer.handOutFailure(of: before, error).map { .failed($0) } ?? .finished
        }
        let end = FetchPosition(offset: batch.nextOffset, lastFetchedEpoch: batch.leaderEpoch)
        switch buffer.handOut(part, before: before, end: end, oneByOne: isWhole ? nil : batch) {
        case .handedOut: return .batch(batch)
        case .stale, .paused: return .finished
        }
    }
}
