// What the application's side asks of the buffer.
extension FetchBuffer {
    enum Taken {
        case part(FetchedPartition)
        /// Nothing came before the time was up.
        case nothing
        case finished
    }

    /// The application asks for another batch: it is done with the one that it had.
    func comeBack() {
        let isBack = state.withLock { state in
            defer { state.presence = .waiting }
            if let handout = state.handout {
                if state.entry(handout.slot) != nil { state.entries[handout.slot.index]?.processed = handout.next }
                state.handout = nil
            }
            if case .away = state.presence { return true }
            return false
        }
        if isBack { comeback.notify() }
    }

    /// The application goes, with a batch or without.
    func goAway(at now: ContinuousClock.Instant) {
        state.withLock { $0.presence = .away(since: now) }
    }

    /// The next part of an answer, waiting for one if need be.
    ///
    /// - Throws: What `fail` was given, after everything that was fetched before; `CancellationError`.
    func take(timeout: Duration?) async throws -> Taken {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            // First of all, or a loop that never runs out of records would never end.
            try Task.checkCancellation()
            let taken = try poll()
            if case .nothing = taken {} else { return taken }
            let isPinned = state.withLock { $0.isPinned }
            if !isPinned, let deadline, .now >= deadline { return .nothing }
            await arrival.wait(until: isPinned ? nil : deadline)
        }
    }

    private func poll() throws(KafkaError) -> Taken {
        let result: Result<Taken, KafkaError> = state.withLock { state in
            if state.isHeld, !state.isFinished { return .success(.nothing) }
            while let index = state.queue.firstIndex(where: { state.entries[$0.slot.index]?.isPaused != true }) {
                let part = state.queue.remove(at: index)
                if part.reader != nil { return .success(.part(part)) }
                state.entries[part.slot.index]?.delivered = part.next
                state.entries[part.slot.index]?.processed = part.next
            }
            if let failure = state.failure { return .failure(failure) }
            return .success(state.isFinished ? .finished : .nothing)
        }
        let taken = try result.get()
        if case .part(let part) = taken { part.gate.notify() }
        return taken
    }

    enum Verdict {
        /// The batch is the application's now.
        case handedOut
        /// The partition was taken away or sought elsewhere meanwhile.
        case stale
        /// The partition is paused, or nothing is handed out: the part belongs back into the queue.
        case paused
    }

    /// Decides whether the application gets a batch of this slot, and notes it.
    ///
    /// - Parameter next: The position after the batch; nil where it doesn't move yet, since the batch's records are
    ///   handed out one by one.
    func handOut(_ slot: FetchSlot, next: FetchPosition?, at now: ContinuousClock.Instant) -> Verdict {
        state.withLock { state in
            guard let entry = state.entry(slot), !state.isFinished else { return .stale }
            guard !entry.isPaused, !state.isHeld else { return .paused }
            let next = next ?? entry.delivered ?? FetchPosition(offset: 0)
            state.entries[slot.index]?.delivered = next
            state.handoutCount += 1
            state.handout = Handout(
                number: state.handoutCount, slot: slot, partition: entry.partition, next: next, since: now)
            return .handedOut
        }
    }

    /// Moves the position within the batch that was handed out last.
    ///
    /// - Parameters:
    ///   - processed: What is before this offset is done.
    ///   - next: The position after the record that is handed out by this.
    /// - Returns: Whether the batch is still the application's; it isn't where its partition was taken away or sought
    ///   elsewhere.
    func advance(processed: Int64, next: FetchPosition) -> Bool {
        state.withLock { state in
            guard let slot = state.handout?.slot, state.entry(slot) != nil, !state.isFinished else { return false }
            state.handout?.next = next
            state.entries[slot.index]?.delivered = next
            state.entries[slot.index]?.processed = FetchPosition(
                offset: processed, lastFetchedEpoch: next.lastFetchedEpoch)
            return true
        }
    }

    /// Puts a part whose partition is paused where it comes first when it goes on.
    func putBack(_ part: FetchedPartition) {
        state.withLock { state in
            if state.entry(part.slot) != nil { state.queue.insert(part, at: 0) }
        }
        // It may go on already.
        arrival.notify()
    }

    // MARK: What is known of it

    /// Whether a slot is what its partition is read by.
    func isStanding(_ slot: FetchSlot) -> Bool { state.withLock { $0.entry(slot) != nil } }

    /// Waits until the application has come back from a batch.
    ///
    /// - Parameter handout: The batch's number.
    /// - Returns: Whether it has; otherwise the time was up, or the task was cancelled.
    func isBack(from handout: Int, until deadline: ContinuousClock.Instant?) async -> Bool {
        while state.withLock({ $0.handout?.number == handout }) {
            if Task.isCancelled { return false }
            if let deadline, .now >= deadline { return false }
            await comeback.wait(until: deadline)
        }
        return true
    }

    /// The batch that the application has; nil while it waits for one.
    var handout: Handout? { state.withLock { $0.handout } }

    /// Collects something of each partition that has it.
    func collect<Value>(_ value: (Entry) -> Value?) -> [TopicPartition: Value] {
        state.withLock { state in
            var values: [TopicPartition: Value] = [:]
            for entry in state.entries {
                if let entry { values[entry.partition] = value(entry) }
            }
            return values
        }
    }

    /// Whether everything that may be read of the partitions that aren't paused was handed out.
    var isCaughtUp: Bool {
        state.withLock { state in
            state.queue.allSatisfy { state.entries[$0.slot.index]?.isPaused == true }
                && state.entries.allSatisfy { entry in
                    guard let entry, !entry.isPaused else { return true }
                    guard let delivered = entry.delivered, let end = entry.end else { return false }
                    return delivered.offset >= end
                }
        }
    }
}
