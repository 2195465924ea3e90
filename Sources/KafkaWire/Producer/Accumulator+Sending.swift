/// The sender's side: batches are taken out, put back, and settled.
extension Accumulator {
    /// What can be sent, and when there may be more.
    struct Ready {
        var partitions: [TopicPartition] = []
        /// When the first open batch will have lingered long enough.
        var nextDeadline: ContinuousClock.Instant?
        /// Those of the partitions whose first batch has waited for longer than `delivery.timeout.ms`.
        var expired: [TopicPartition] = []
        /// When the first batch of another of them will have.
        var nextExpiry: ContinuousClock.Instant?
        /// Whether there is a partition without a leader, be there anything to send or not.
        var lacksLeader = false
    }

    /// The partitions that have a batch to send.
    ///
    /// Open batches don't linger when the memory is used up: they may hold all of it.
    func ready(at now: ContinuousClock.Instant) -> Ready {
        state.withLock { state in
            var ready = Ready()
            let isUrgent = state.flushes > 0 || state.closed != nil || state.isFull
            for topic in state.topics {
                for queue in topic.queues {
                    if !queue.hasLeader { ready.lacksLeader = true }
                    if queue.builder != nil, queue.complete.isEmpty {
                        let due = queue.created + linger
                        if due <= now || isUrgent {
                            queue.completeOpen()
                        } else {
                            ready.nextDeadline = min(ready.nextDeadline ?? due, due)
                        }
                    }
                    guard let first = queue.complete.first else { continue }
                    ready.partitions.append(queue.partition)
                    let expiry = first.created + configuration.deliveryTimeout
                    if expiry < now {
                        ready.expired.append(queue.partition)
                    } else {
                        ready.nextExpiry = min(ready.nextExpiry ?? expiry, expiry)
                    }
                }
            }
            return ready
        }
    }

    /// Takes a partition's next batch out.
    ///
    /// - Parameters:
    ///   - isOpen: Only one of which it is open whether it was written.
    ///   - room: How many bytes it may take of a request; a larger one stays.
    func takeBatch(
        of partition: TopicPartition, whoseOutcomeIsOpen isOpen: Bool = false, room: Int = .max
    ) -> ProducerBatch? {
        state.withLock { state in
            guard let queue = state.queue(partition),
                let index = queue.complete.firstIndex(where: { $0.mayBeWritten || !isOpen }),
                queue.complete[index].byteCount <= room
            else { return nil }
            let batch = queue.complete.remove(at: index)
            state.noteRecords(of: batch)
            return batch
        }
    }

    func firstBatch(of partition: TopicPartition) -> ProducerBatch? {
        state.withLock { $0.queue(partition)?.complete.first }
    }

    /// Whether a partition has a batch of which it is open whether it was written.
    func hasOpenOutcome(_ partition: TopicPartition) -> Bool {
        state.withLock { $0.queue(partition)?.complete.contains(where: \.mayBeWritten) ?? false }
    }

    /// Puts a batch back that will be tried again, in the order of the numbers.
    func putBack(_ batch: ProducerBatch) {
        state.withLock { $0.putBack(batch) }
    }

    /// Takes a batch out that was put back. False where it isn't there any more.
    func takeBack(_ batch: ProducerBatch) -> Bool {
        state.withLock { state in
            guard let queue = state.queue(batch.partition),
                let index = queue.complete.firstIndex(where: { $0.outcome === batch.outcome })
            else { return false }
            queue.complete.remove(at: index)
            return true
        }
    }

    /// A batch has come to its end: its memory is free, and whoever waits for it is told.
    func settle(_ batch: ProducerBatch, _ outcome: BatchOutcome.Outcome) {
        let now = timing.now()
        let (isNews, waiters) = state.withLock { state in
            // All may have failed while it was on its way.
            let isNews = state.unsettled.removeValue(forKey: ObjectIdentifier(batch.outcome)) != nil
            if isNews { state.usedBytes -= batch.reserved }
            switch outcome {
            case .success: state.lastAcknowledgement = now
            case .failure(let error): if isNews { state.noteFailure(of: batch.recordCount, error) }
            }
            return (isNews, state.takeWaiters())
        }
        if isNews { observe(batch, outcome) }
        batch.outcome.settle(outcome)
        for waiter in waiters { waiter.resume() }
    }

    private func observe(_ batch: ProducerBatch, _ outcome: BatchOutcome.Outcome) {
        switch outcome {
        case .success:
            observer?.produced(
                batch.partition, records: batch.recordCount, bytes: batch.encoded?.uncompressedByteCount ?? 0)
        case .failure(let error):
            observer?.failedToProduce(batch.partition, records: batch.recordCount, error)
        }
    }

    /// Replaces a batch by its two parts.
    func replace(_ batch: ProducerBatch, by first: ProducerBatch, _ second: ProducerBatch) {
        state.withLock { state in
            state.usedBytes += first.reserved + second.reserved - batch.reserved
            state.unsettled[ObjectIdentifier(batch.outcome)] = nil
            // The second first: without numbers a batch is put back before all others.
            for part in [second, first] {
                state.unsettled[ObjectIdentifier(part.outcome)] = Unsettled(
                    outcome: part.outcome, created: part.created)
                state.putBack(part)
            }
        }
        batch.outcome.split(into: first.outcome, and: second.outcome, at: first.recordCount)
    }

    /// Takes out all of a partition's batches that are not in flight.
    func takeAll(of partition: TopicPartition) -> [ProducerBatch] {
        state.withLock { state in
            guard let queue = state.queue(partition) else { return [] }
            queue.completeOpen()
            defer { queue.complete = [] }
            return queue.complete
        }
    }

    /// Fails everything that isn't in flight.
    ///
    /// - Returns: Whether a batch with a number was among it.
    func failWaiting(_ error: KafkaError) -> Bool {
        let batches = state.withLock { state in
            var batches: [ProducerBatch] = []
            for topic in state.topics {
                for queue in topic.queues {
                    queue.completeOpen()
                    batches += queue.complete
                    queue.complete = []
                }
            }
            return batches
        }
        for batch in batches { settle(batch, .failure(error)) }
        return batches.contains { $0.sequence != nil }
    }

    /// Takes back the numbers of a partition's waiting batches: they will be numbered under another producer id.
    func forgetSequences(of partition: TopicPartition) {
        state.withLock { state in
            guard let queue = state.queue(partition) else { return }
            for index in queue.complete.indices { queue.complete[index].sequence = nil }
        }
    }
}

extension Accumulator.State {
    fileprivate func putBack(_ batch: ProducerBatch) {
        guard let queue = queue(batch.partition) else { return }
        let place = queue.complete.firstIndex { other in
            guard let mine = batch.sequence, let theirs = other.sequence else { return other.sequence == nil }
            return mine.precedes(theirs)
        }
        queue.complete.insert(batch, at: place ?? queue.complete.count)
    }
}
