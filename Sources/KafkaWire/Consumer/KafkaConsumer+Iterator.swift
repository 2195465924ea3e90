import Concurrency

extension KafkaConsumer {
    /// Hands out the batches.
    ///
    /// A batch counts as processed when the same iterator is asked for the next one, or when ``KafkaConsumer/commit()``
    /// returns. A `for` loop makes an iterator of its own. If a loop is left by `break` or by an error, the batch at
    /// hand is not processed:
    /// - With `group.id` the next loop begins with that batch again, so that no offset behind it is committed before
    ///   it was processed. Call `commit()` before `break` to avoid that. With `enable.auto.commit=false`, offsets that the
    ///   application has committed itself, also in a transaction, don't come again.
    /// - Without `group.id` nothing can be committed, and the next loop continues with the batch after it.
    ///
    /// - Important: One iterator at a time. If a second task asks for a batch while the first one waits for one, the
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
        /// - Throws: `KafkaError` for a partition that has failed, after what was fetched of it before, unless the
        ///   consumer has a ``PartitionFailureHandler``. It names topic, partition and, if known, the offset, and is
        ///   thrown once; the next call continues with the other partitions. See ``PartitionFailure`` and
        ///   ``KafkaConsumer/failedPartitions``.
        ///
        ///   An error that concerns all partitions (authentication, a closed client, the end of a group membership) is
        ///   thrown by each call until partitions are assigned again, or sought. INVALID_REQUEST for a second iterator.
        ///   OPERATION_NOT_ATTEMPTED in a rebalance handler of this consumer, since the group waits for the handler.
        ///   `CancellationError` once the task is cancelled.
        public mutating func next() async throws -> RecordBatch? {
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
            /// No batch came in time.
            case timedOut
            /// The consumer was closed.
            case finished
        }

        /// The same, but waits no longer than `timeout`; nil waits for as long as it takes.
        public mutating func next(timeout: Duration?) async throws -> Step {
            try await consumer.step(&reader, timeout: timeout, isWhole: true)
        }
    }

    /// Ends the wait for a batch: `Iterator.next(timeout:)` returns `.timedOut` at once. If no task waits, the next wait
    /// ends at once instead. Java's `wakeup`.
    ///
    /// Batches that have arrived are handed out first. While the group moves partitions, the wait ends when that is done.
    /// A call of `next()`, which has no time limit, continues to wait.
    public func wakeUp() {
        buffer.wakeUp()
    }

    /// A new iterator. With `group.id` it begins with the batch that the one before it left unfinished.
    public func makeAsyncIterator() -> Iterator {
        Iterator(self)
    }

    /// - Parameter isWhole: Whether the position moves past the batch at once; otherwise `FetchBuffer.advance` moves it.
    func step(_ reader: inout BatchReader, timeout: Duration?, isWhole: Bool) async throws -> Iterator.Step {
        if let settingsError { throw settingsError }
        let redelivery = try buffer.comeBack(&reader) { isInHandler ? inHandler("next") : nil }
        defer { buffer.goAway(at: cluster.timing.now()) }
        if let redelivery { try await redeliver(redelivery) }
        while true {
            switch nextBatch(isWhole: isWhole) {
            case .batch(let batch):
                // Before another task may ask: the records of this batch are the next ones.
                if !isWhole { begin(batch) }
                return .batch(batch)
            case .failed(let slot, let failure):
                try await handle(failure, slot)
                continue
            case .none: break
            }
            switch try await buffer.take(timeout: timeout) {
            case .part(let part): reading.withLock { $0 = part }
            case .nothing: return .timedOut
            case .finished: return .finished
            }
        }
    }

    /// Has a batch handed out again that an iterator has left unfinished.
    ///
    /// - Throws: An error of the coordinator, if it doesn't say whether the application has committed the batch itself. The
    ///   batch is handed out again in this case too.
    private func redeliver(_ redelivery: Redelivery) async throws {
        var redelivery = redelivery
        var failure: (any Error)?
        if !settings.group.commitsAutomatically {
            // The application commits by itself, perhaps in a transaction: what is committed doesn't come again.
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

    /// Has the fetcher stop reading a partition that has failed, and reports the error.
    ///
    /// - Throws: The error, unless there is a handler for it.
    func handle(_ failure: PartitionFailure, _ slot: FetchSlot) async throws {
        await fetcher.stop(failure.partition, slot)
        guard let onPartitionFailure else { throw failure.error }
        await onPartitionFailure(failure, self)
    }

    private enum NextBatch {
        case batch(RecordBatch)
        case failed(FetchSlot, PartitionFailure)
        /// The part is finished, or isn't to be read further now.
        case none
    }

    /// The next batch of the part that is being read, or the error that stands in its place.
    private func nextBatch(isWhole: Bool) -> NextBatch {
        reading.withLock { part in
            guard var current = part else { return .none }
            let batch: RecordBatch
            do throws(KafkaError) {
                guard let next = try current.reader?.next() else {
                    guard let failure = current.failure else {
                        part = nil
                        return .none
                    }
                    return fail(&part, failure)
                }
                batch = next
            } catch {
                return fail(&part, error)
            }
            let next = FetchPosition(offset: batch.nextOffset, lastFetchedEpoch: batch.leaderEpoch)
            switch buffer.handOut(current.slot, next: isWhole ? next : nil) {
            case .handedOut:
                part = current
                return .batch(batch)
            case .stale:
                part = nil
            case .paused:
                if let part { buffer.putBack(part) }
                part = nil
            }
            return .none
        }
    }

    /// Hands out an error of the partition that is being read.
    private func fail(_ part: inout FetchedPartition?, _ error: KafkaError) -> NextBatch {
        guard let current = part else { return .none }
        part = nil
        switch buffer.fail(current.slot, error) {
        case .handedOut: return .failed(current.slot, failure(of: current.slot, error))
        case .stale: break
        case .paused: buffer.putBack(current)
        }
        return .none
    }

    /// The event for an error that the buffer has noted for a slot.
    func failure(of slot: FetchSlot, _ error: KafkaError) -> PartitionFailure {
        let entry = buffer.state.withLock { $0.entry(slot) }
        let named = TopicPartition(topic: error.topic ?? "", partition: error.partition ?? -1)
        let partition = entry?.partition ?? named
        var error = error
        error.topic = partition.topic
        error.partition = partition.partition
        return PartitionFailure(
            partition: partition, offset: error.offset ?? entry?.delivered?.offset, error: error)
    }
}
