// What the application's side asks of the buffer.
extension FetchBuffer {
    enum Taken {
        case part(FetchedPartition)
        /// Nothing came before the time was up.
        case nothing
        case finished
    }

    /// The application leaves `next()` without a batch, unless it has left already, or another task waits there.
    func goAway(_ reader: BatchReader, at now: ContinuousClock.Instant) {
        let id = reader.id
        state.withLock { state in
            guard state.reader == id else { return }
            switch state.presence {
            case .waiting, .handlingFailure: state.presence = .away(since: now)
            case .notBegun, .away: break
            }
        }
    }

    /// Ends the wait in `take` that is under way, or else the next one.
    func wakeUp() {
        state.withLock { $0.isWoken = true }
        arrival.notify()
    }

    /// The next part of an answer, waiting for one if need be.
    ///
    /// With any other outcome the application leaves `next()`, which `pin` either prevents or sees. Only a cancelled
    /// task leaves in any case.
    ///
    /// - Parameter now: The clock that tells when the application leaves.
    /// - Throws: What `fail` was given, after everything that was fetched before; `CancellationError`.
    func take(
        timeout: Duration?, now: () -> ContinuousClock.Instant = { .now }
    ) async throws -> Taken {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            // First of all, or a loop that never runs out of records would never end.
            try Task.checkCancellation()
            let instant = now()
            let taken = try poll(at: instant)
            if case .nothing = taken {} else { return taken }
            let isOver = deadline.map { .now >= $0 } ?? false
            let (isPinned, leaves) = state.withLock { state in
                guard !state.isPinned else { return (true, false) }
                let leaves = state.isWoken || isOver
                if leaves {
                    state.isWoken = false
                    state.presence = .away(since: instant)
                }
                return (false, leaves)
            }
            if leaves { return .nothing }
            await arrival.wait(until: isPinned ? nil : deadline)
        }
    }

    private func poll(at now: ContinuousClock.Instant) throws(KafkaError) -> Taken {
        let result: Result<Taken, KafkaError> = state.withLock { state in
            if state.isHeld, !state.isFinished { return .success(.nothing) }
            while let index = state.queue.firstIndex(where: { state.entries[$0.slot.index]?.isPaused != true }) {
                let part = state.queue.remove(at: index)
                if part.reader != nil || part.failure != nil { return .success(.part(part)) }
                state.entries[part.slot.index]?.delivered = part.next
                state.entries[part.slot.index]?.processed = part.next
            }
            guard state.failure != nil || state.isFinished else { return .success(.nothing) }
            state.presence = .away(since: now)
            return state.failure.map { .failure($0) } ?? .success(.finished)
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
    /// The application is away from the moment at which it has the batch: a group that saw it waiting would give the
    /// partition up with this batch unprocessed, and another member would process it as well.
    ///
    /// - Parameters:
    ///   - next: The position after the batch; nil if its records are handed out one by one. Then neither the position
    ///     moves nor the application leaves before `advance`.
    ///   - departure: When the application leaves `next()`.
    func handOut(_ slot: FetchSlot, next: FetchPosition?, at departure: ContinuousClock.Instant) -> Verdict {
        state.withLock { state in
            guard let entry = state.entry(slot), !state.isFinished else { return .stale }
            guard !entry.isPaused, !state.isHeld else { return .paused }
            if next != nil { state.presence = .away(since: departure) }
            let next = next ?? entry.delivered ?? FetchPosition(offset: 0)
            state.entries[slot.index]?.delivered = next
            state.handout = Handout(slot: slot, next: next)
            return .handedOut
        }
    }

    enum Advance {
        case advanced
        /// The batch is the application's no more: its partition was taken away or sought elsewhere.
        case stale
        /// A group holds the application back: see `rest`.
        case held
        /// The batch was handed out to another iterator.
        case foreign
    }

    /// Moves the position within the batch that was handed out last.
    ///
    /// - Parameters:
    ///   - processed: What is before this offset is done.
    ///   - next: The position after the record that is handed out by this.
    ///   - now: The application asks, so it is there.
    func advance(
        _ reader: inout BatchReader, processed: Int64, next: FetchPosition, at now: ContinuousClock.Instant
    ) -> Advance {
        let id = reader.id
        let outcome: Advance = state.withLock { state in
            guard state.takesOver(id, redelivers) else { return .foreign }
            guard let slot = state.handout?.slot, state.entry(slot) != nil, !state.isFinished else { return .stale }
            if state.isHeld { return .held }
            state.presence = .away(since: now)
            state.handout?.next = next
            state.entries[slot.index]?.delivered = next
            state.entries[slot.index]?.processed = FetchPosition(
                offset: processed, lastFetchedEpoch: next.lastFetchedEpoch)
            return .advanced
        }
        if case .foreign = outcome {} else { reader.hasBegun = true }
        return outcome
    }

    /// Moves the position past the batch that was handed out last, since it has no records.
    func pass(_ end: FetchPosition) {
        state.withLock { state in
            guard let slot = state.handout?.slot, state.entry(slot) != nil else { return }
            state.handout?.next = end
            state.entries[slot.index]?.delivered = end
            state.entries[slot.index]?.processed = end
        }
    }

    /// Has the application wait between two records of a batch, as it waits for a batch, while a group holds it back.
    /// What it was given before is done.
    func rest() async throws {
        state.withLock { state in
            state.presence = .waiting
            guard let handout = state.handout, state.entry(handout.slot) != nil else { return }
            state.entries[handout.slot.index]?.processed = handout.next
        }
        comeback.notify()
        while state.withLock({ $0.isHeld && !$0.isFinished }) {
            try Task.checkCancellation()
            await arrival.wait(until: nil)
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

    /// Whether everything that may be read of the partitions that aren't paused was handed out. False if there is no such
    /// partition, before the first response for one of them, and while one has failed.
    var isCaughtUp: Bool {
        state.withLock { state in
            state.entries.contains { $0?.isPaused == false }
                && state.queue.allSatisfy { state.entries[$0.slot.index]?.isPaused == true }
                && state.entries.allSatisfy { entry in
                    guard let entry, !entry.isPaused else { return true }
                    guard entry.failure == nil, let delivered = entry.delivered, let end = entry.end else {
                        return false
                    }
                    return delivered.offset >= end
                }
        }
    }
}
