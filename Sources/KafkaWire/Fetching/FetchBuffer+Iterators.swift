/// Identifies an iterator of a consumer.
struct BatchReader: Sendable {
    let id: Int
    /// Whether the iterator has asked for a batch yet.
    var hasBegun = false
}

/// An unfinished batch that is to be handed out again: its partition returns to this position.
struct Redelivery: Sendable {
    let partition: TopicPartition
    let slot: FetchSlot
    var position: FetchPosition
    /// The position after what was handed out.
    let end: FetchPosition
}

// One iterator at a time, and what happens to a batch that an iterator leaves unfinished.
extension FetchBuffer {
    /// What an iterator continues with.
    struct Continuation {
        /// The batch to hand out again; nil if there is none.
        var redelivery: Redelivery?
        /// The part whose batches are being handed out; nil if there is none.
        var part: FetchedPartition?
    }

    func makeReader() -> BatchReader {
        state.withLock { state in
            state.lastReader += 1
            return BatchReader(id: state.lastReader)
        }
    }

    /// The application asks for another batch.
    ///
    /// If the same iterator asks as before, the current batch is processed. If another one asks, and the buffer redelivers,
    /// that batch is not processed.
    ///
    /// - Parameter refusal: Called only while a group holds batches back. Returns the error with which the call ends at
    ///   once, since it would wait forever; nil to wait.
    /// - Returns: What to continue with. The part is the caller's until it hands out a batch.
    /// - Throws: What `refusal` returns. INVALID_REQUEST if another task waits for a batch, or, if the buffer redelivers,
    ///   while a later iterator is processing one.
    func beginNext(
        _ reader: inout BatchReader, refusal: () -> KafkaError? = { nil }
    ) throws(KafkaError) -> Continuation {
        let id = reader.id
        let hasBegun = reader.hasBegun
        let result: Result<(Continuation, wasAway: Bool), KafkaError> = state.withLock { state in
            if state.isHeld, let refusal = refusal() { return .failure(refusal) }
            if state.presence.isWaiting {
                return .failure(
                    KafkaError(
                        .invalidRequest,
                        "another task is iterating this consumer: use one task for each consumer, or a consumer for each task",
                        isRetriable: false))
            }
            let isSame = state.reader == id
            let current = state.current.flatMap { state.cursors.contains($0) ? $0 : nil }
            // Otherwise each iterator would take the same batches from the other, again and again.
            if !isSame, hasBegun, redelivers, current != nil {
                return .failure(
                    KafkaError(
                        .invalidRequest,
                        "another iterator of this consumer is processing a batch: use one iterator at a time",
                        isRetriable: false))
            }
            state.reader = id
            var next = Continuation(part: state.reading)
            state.reading = nil
            if let current {
                if isSame || !redelivers {
                    state.cursors.update(current) { $0.markProcessed() }
                } else {
                    next.redelivery = state.cursors[current]?.redelivery
                }
            }
            state.current = nil
            state.isCurrentLost = false
            let wasAway = state.presence.isAway
            state.presence = .waiting
            return .success((next, wasAway))
        }
        let (next, wasAway) = try result.get()
        reader.hasBegun = true
        if wasAway { applicationReturned.notify() }
        return next
    }

    /// The application leaves `next()` without a batch, unless it has left already, or another task waits there.
    func endNext(_ reader: BatchReader) {
        let (id, now) = (reader.id, timing.now())
        state.withLock { state in
            if state.reader == id, state.presence.isWaiting { state.presence = .away(since: now) }
        }
    }
}

extension PartitionCursor {
    /// The part of the current batch that is not processed; nil if all of it is.
    fileprivate var redelivery: Redelivery? {
        guard let processed, let delivered, processed != delivered else { return nil }
        return Redelivery(partition: partition, slot: slot, position: processed, end: delivered)
    }
}

extension FetchBuffer.State {
    /// Whether an iterator may continue within the current batch. It takes the batch over from another iterator, unless
    /// that batch is to be handed out again.
    mutating func takesOver(_ reader: Int, _ redelivers: Bool) -> Bool {
        if self.reader == reader { return true }
        if redelivers || presence.isWaiting { return false }
        self.reader = reader
        return true
    }
}
