import Concurrency

/// The sender's side: batches are taken for requests, retried, and ended.
extension Accumulator {
    /// What can be sent, what is too late, and when there may be more.
    struct Ready: Sendable {
        /// The partitions that have a batch to send, though something may keep it waiting.
        var waiting: [TopicPartition] = []
        /// Those of them whose next batch can be sent to their leader.
        var sendable: [TopicPartition] = []
        /// Those whose batches wait for an identity.
        var unidentified: [TopicPartition] = []
        /// The identity for partitions that have none; nil if a new one must be asked for.
        var identity: ProducerIdentity?
        /// When the first open batch will have lingered, or the first back-off will be over.
        var nextDeadline: ContinuousClock.Instant?
        /// The queued batches that are older than `delivery.timeout.ms`. The sender must end them.
        var expired: [ProducerBatch] = []
        /// The batches in flight that are, whose deliveries must fail although a response is due.
        var late: [ProducerBatch] = []
        /// When the next batch will be.
        var nextExpiry: ContinuousClock.Instant?
        /// Whether any partition lacks a leader, with or without batches.
        var lacksLeader = false
        /// Whether a partition with batches must have its leader looked up.
        var needsLookup = false
    }

    /// Collects the partitions that have a batch to send.
    ///
    /// Open batches don't linger when the memory is used up: they may hold all of it.
    ///
    /// The sender must call this again by `nextDeadline`: until then, batches that are begun don't wake it.
    ///
    /// - Parameters:
    ///   - identity: The identity for partitions that have none.
    ///   - isTransactional: Whether the transaction numbers the batches. Its batches in flight don't expire, since it can't
    ///     end before it is known what may still be written.
    func ready(
        at now: ContinuousClock.Instant, identity: ProducerIdentity? = nil, isTransactional: Bool = false
    ) -> Ready {
        state.withLock { state in
            var ready = Ready(identity: identity)
            let isUrgent = state.flushes > 0 || state.closed != nil || state.isFull
            for partition in state.partitions {
                if !partition.hasLeader { ready.lacksLeader = true }
                if partition.builder != nil, partition.queuedCount == 0 {
                    let due = partition.created + linger
                    if due <= now || isUrgent {
                        partition.completeOpen()
                    } else {
                        ready.nextDeadline = min(ready.nextDeadline ?? due, due)
                    }
                }
                guard !partition.entries.isEmpty else { continue }
                expire(partition, at: now, inFlightToo: !isTransactional, &ready)
                guard partition.queuedCount > 0 else { continue }
                ready.waiting.append(partition.partition)
                if partition.needsLookup { ready.needsLookup = true }
                if !isTransactional, case .some(let abandoned) = partition.startOverBehindGap(),
                    abandoned?.id == ready.identity?.id
                {
                    ready.identity = nil
                }
            }
            for key in ready.waiting {
                guard let partition = state.partition(key) else { continue }
                let isIdentified =
                    !configuration.isIdempotent || isTransactional || (partition.identity ?? ready.identity) != nil
                if !isIdentified { ready.unidentified.append(key) }
                if let end = partition.notBefore, end > now {
                    ready.nextDeadline = min(ready.nextDeadline ?? end, end)
                } else if isIdentified, !partition.mustWait, !partition.awaitsLookup {
                    ready.sendable.append(key)
                }
            }
            state.nextCheck = ready.nextDeadline
            return ready
        }
    }

    /// Collects a partition's batches that are older than `delivery.timeout.ms`.
    private func expire(
        _ partition: ProducerPartition, at now: ContinuousClock.Instant, inFlightToo: Bool, _ ready: inout Ready
    ) {
        let timeout = configuration.deliveryTimeout
        ready.expired += partition.takeQueued { $0.created + timeout < now }
        var isFirst = true
        for entry in partition.entries {
            // Queued batches expire in their order.
            let counts = entry.phase == .queued ? isFirst : inFlightToo && entry.phase == .inFlight && !entry.hasExpired
            if entry.phase == .queued { isFirst = false }
            guard counts else { continue }
            let expiry = entry.batch.created + timeout
            if expiry < now {
                ready.late.append(entry.batch)
            } else {
                ready.nextExpiry = min(ready.nextExpiry ?? expiry, expiry)
            }
        }
    }

    /// How the batches of a request are numbered.
    enum Numbering {
        case none
        /// Partitions that have no identity get this one; without it they stay out of the request.
        case idempotent(ProducerIdentity?)
        case transactional(ProducerIdentity)
    }

    /// Takes the next batch of each partition for one request. The partitions whose last batch was taken the longest ago
    /// come first, since a request may not have room for all.
    ///
    /// - Parameter room: The size of the request in bytes. Its first batch may be larger.
    func takeBatches(of keys: [TopicPartition], numbering: Numbering, room: Int) -> [OutgoingBatch] {
        state.withLock { state in
            var partitions = keys.compactMap { state.partition($0) }
            if partitions.count > 1 { partitions.sort { $0.lastTurn < $1.lastTurn } }
            var taken: [OutgoingBatch] = []
            var size = 0
            for partition in partitions where size < room {
                let identity: ProducerIdentity?
                switch numbering {
                case .none: identity = nil
                case .idempotent(let current):
                    guard (partition.identity ?? current) != nil else { continue }
                    identity = current
                case .transactional(let current):
                    // Another transaction may have another identity, under which there is no gap yet.
                    partition.adopt(current)
                    identity = current
                }
                let left = taken.isEmpty ? Int.max : room - size
                guard let batch = partition.takeNext(as: identity, room: left, turn: state.turns + 1) else { continue }
                state.turns += 1
                size += batch.batch.byteCount
                taken.append(batch)
            }
            return taken
        }
    }

    /// Keeps the closed forms of batches in flight, for retries.
    func keep(_ batches: [OutgoingBatch]) {
        state.withLock { state in
            for outgoing in batches {
                guard let encoded = outgoing.batch.encoded else { continue }
                state.partition(outgoing.batch.partition)?.keep(encoded, of: outgoing.batch.outcome)
            }
        }
    }

    // MARK: Outcomes

    /// A batch was acknowledged.
    func succeeded(_ outcome: BatchOutcome, _ written: BatchOutcome.Written) {
        end(outcome, .success(written))
    }

    /// A batch is given up.
    func gaveUp(_ batch: ProducerBatch, _ error: KafkaError) {
        state.withLock { $0.partition(batch.partition)?.gaveUp(batch) }
        end(batch.outcome, .failure(error))
    }

    /// Frees a batch's memory and completes its deliveries.
    private func end(_ outcome: BatchOutcome, _ result: BatchOutcome.Outcome) {
        let now = timing.now()
        let (batch, waiters) = state.withLock { state in
            // All may have failed while it was in flight.
            let partition = state.partition(outcome.partition)
            let entry = partition?.remove(outcome)
            let batch = entry.flatMap { $0.hasExpired ? nil : $0.batch }
            if let batch { state.usedBytes -= batch.reserved }
            switch result {
            case .success:
                partition?.succeeded()
                state.lastAcknowledgement = now
            case .failure(let error): if let batch { state.noteFailure(of: batch.recordCount, error) }
            }
            return (batch, state.takeWaiters())
        }
        if let batch { observe(batch, result) }
        outcome.settle(result)
        for waiter in waiters { waiter.resume() }
    }

    /// Fails the deliveries of a batch in flight, whose response is still due.
    func expire(_ outcome: BatchOutcome, _ error: KafkaError) {
        let (batch, waiters) = state.withLock { state in
            let batch = state.partition(outcome.partition)?.expire(outcome)
            if let batch {
                state.usedBytes -= batch.reserved
                state.noteFailure(of: batch.recordCount, error)
            }
            return (batch, state.takeWaiters())
        }
        if let batch {
            observe(batch, .failure(error))
            outcome.settle(.failure(error))
        }
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

    // MARK: Retries

    /// A batch is no longer in flight.
    ///
    /// - Returns: nil if all batches have failed meanwhile.
    func returned(_ outcome: BatchOutcome) -> ProducerBatch? {
        state.withLock { $0.partition(outcome.partition)?.returned(outcome) }
    }

    /// Has a batch sent again, alone in its partition.
    ///
    /// - Parameter pause: The back-off before the partition's next batch; nil for none.
    /// - Returns: When that back-off ends.
    @discardableResult
    func retry(_ batch: ProducerBatch, after pause: Backoff?) -> ContinuousClock.Instant? {
        let (now, random) = (timing.now(), timing.random())
        return state.withLock { state -> ContinuousClock.Instant? in
            guard let retried = state.partition(batch.partition) else { return nil }
            retried.serialize()
            if let pause { retried.backOff(pause, from: now, random: random) }
            retried.requeue(batch)
            return retried.notBefore
        }
    }

    /// Has partitions wait after their broker could not be reached, and their leaders looked up.
    func backOff(_ keys: [TopicPartition], _ backoff: Backoff) {
        let (now, random) = (timing.now(), timing.random())
        state.withLock { state in
            for key in keys {
                state.partition(key)?.backOff(backoff, from: now, random: random)
                state.partition(key)?.needsLookup = true
            }
        }
    }

    /// Whether a batch with a lower number has neither succeeded nor failed, with no gap before it.
    func followsUnsettled(_ batch: ProducerBatch) -> Bool {
        state.withLock { state in
            guard let partition = state.partition(batch.partition), !partition.hasGap else { return false }
            return partition.hasUnsettled(before: batch)
        }
    }

    /// The leader does not know the numbers before a batch.
    func leaderLostSequence(of partition: TopicPartition) {
        state.withLock { $0.partition(partition)?.leaderLostSequence() }
    }

    /// Takes a batch back that waits to be sent again.
    ///
    /// - Returns: False if it doesn't wait any more.
    func takeBack(_ batch: ProducerBatch) -> Bool {
        state.withLock { state in
            guard let partition = state.partition(batch.partition),
                partition.entries.contains(where: { $0.batch.outcome === batch.outcome && $0.phase == .queued })
            else { return false }
            return partition.returned(batch.outcome) != nil
        }
    }

    /// Replaces a batch by its two parts, of which one at a time is sent.
    func replace(_ batch: ProducerBatch, by first: ProducerBatch, _ second: ProducerBatch) {
        let isReplaced = state.withLock { state in
            guard let partition = state.partition(batch.partition),
                partition.replace(batch.outcome, by: first, second)
            else { return false }
            partition.serialize()
            state.usedBytes += first.reserved + second.reserved - batch.reserved
            return true
        }
        guard isReplaced else { return }
        batch.outcome.split(into: first.outcome, and: second.outcome, at: first.recordCount)
    }

    /// Takes all of a partition's batches that are not in flight. The caller must end them.
    func takeAll(of key: TopicPartition) -> [ProducerBatch] {
        state.withLock { state in
            guard let partition = state.partition(key) else { return [] }
            partition.completeOpen()
            return partition.takeQueued()
        }
    }

    /// Fails everything that isn't in flight.
    ///
    /// - Returns: Whether a batch with a number was among it.
    func failWaiting(_ error: KafkaError) -> Bool {
        let batches = state.withLock { state in
            var batches: [ProducerBatch] = []
            for partition in state.partitions {
                partition.completeOpen()
                batches += partition.takeQueued()
            }
            return batches
        }
        for batch in batches { end(batch.outcome, .failure(error)) }
        return batches.contains { $0.sequence != nil }
    }
}
