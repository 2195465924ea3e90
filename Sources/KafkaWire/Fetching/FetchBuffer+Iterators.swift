/// Identifies an iterator of a consumer.
struct BatchReader: Sendable {
    let id: Int
    /// Whether the iterator has asked for a batch yet.
    var hasBegun = false
}

/// An unfinished batch that is to be handed out again: its partition goes back to this position.
struct Redelivery: Sendable {
    let partition: TopicPartition
    let slot: FetchSlot
    var position: FetchPosition
    /// The position after what was handed out.
    let end: FetchPosition
}

// One iterator at a time, and what becomes of a batch that an iterator leaves unfinished.
extension FetchBuffer {
    func makeReader() -> BatchReader {
        state.withLock { state in
            state.lastReader += 1
            return BatchReader(id: state.lastReader)
        }
    }

    /// The application asks for another batch.
    ///
    /// If the same iterator asks as before, the batch at hand is processed. If another one asks, and the buffer
    /// redelivers, that batch is not processed.
    ///
    /// - Parameters:
    ///   - handledFailure: Whether the application comes back from its handler of failures, in the same call of `next()`.
    ///   - refusal: Called only while a group holds batches back. The error with which the call ends at once, since
    ///     waiting would never end; nil to wait.
    /// - Returns: The batch to hand out again; nil if there is none.
    /// - Throws: What `refusal` returns. INVALID_REQUEST if another task waits for a batch. If the buffer redelivers, also
    ///   if a later iterator is processing one.
    func comeBack(
        _ reader: inout BatchReader, handledFailure: Bool = false, refusal: () -> KafkaError? = { nil }
    ) throws(KafkaError) -> Redelivery? {
        let id = reader.id
        let hasBegun = reader.hasBegun
        let result: Result<Redelivery?, KafkaError> = state.withLock { state in
            if state.isHeld, let refusal = refusal() { return .failure(refusal) }
            let isTaken =
                switch state.presence {
                case .waiting: true
                case .handlingFailure: !handledFailure
                case .notBegun, .away: false
                }
            if isTaken {
                return .failure(
                    KafkaError(
                        .invalidRequest,
                        "another task is iterating this consumer: use one task for each consumer, or a consumer for each task",
                        isRetriable: false))
            }
            let isSame = state.reader == id
            // Both would get the same batches again and again, each taking them from the other.
            if !isSame, hasBegun, redelivers, let handout = state.handout, state.entry(handout.slot) != nil {
                return .failure(
                    KafkaError(
                        .invalidRequest,
                        "another iterator of this consumer is processing a batch: use one iterator at a time",
                        isRetriable: false))
            }
            state.reader = id
            var redelivery: Redelivery?
            if let handout = state.handout, let entry = state.entry(handout.slot) {
                if isSame || !redelivers {
                    state.entries[handout.slot.index]?.processed = handout.next
                } else if let processed = entry.processed, processed != handout.next {
                    redelivery = Redelivery(
                        partition: entry.partition, slot: handout.slot, position: processed, end: handout.next)
                }
            }
            state.handout = nil
            state.presence = .waiting
            return .success(redelivery)
        }
        let redelivery = try result.get()
        reader.hasBegun = true
        comeback.notify()
        return redelivery
    }
}

extension FetchBuffer.State {
    /// Whether an iterator may continue within the batch at hand. It takes the batch over from another iterator, unless
    /// that batch is to be handed out again.
    mutating func takesOver(_ reader: Int, _ redelivers: Bool) -> Bool {
        if self.reader == reader { return true }
        if redelivers { return false }
        switch presence {
        case .waiting, .handlingFailure: return false
        case .notBegun, .away: break
        }
        self.reader = reader
        return true
    }
}
