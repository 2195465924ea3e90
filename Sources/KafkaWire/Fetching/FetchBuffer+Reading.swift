// The application's side of the buffer, batch by batch.
extension FetchBuffer {
    enum Taken {
        case part(FetchedPartition)
        /// Nothing arrived in time.
        case nothing
        case finished
    }

    /// Ends the current wait in `take`. If there is none, ends the next one at once.
    func wakeUp() {
        state.withLock { $0.isWoken = true }
        arrival.notify()
    }

    /// Waits for the next part of a response.
    ///
    /// With any other outcome the application leaves `next()`. That is decided under the lock, so that `quiesce` either
    /// prevents it or sees it. Only a cancelled task leaves in any case.
    ///
    /// - Parameter timeout: nil to wait for as long as it takes.
    /// - Throws: What `fail` was given, after everything that was fetched before; `CancellationError`.
    func take(timeout: Duration?) async throws -> Taken {
        let deadline = timeout.map { timing.now() + $0 }
        while true {
            // Checked first, since otherwise a loop that never runs out of records would never end.
            try Task.checkCancellation()
            let now = timing.now()
            let taken = try poll(at: now)
            if case .nothing = taken {} else { return taken }
            let isOver = deadline.map { now >= $0 } ?? false
            let (isQuiescent, leaves) = state.withLock { state in
                guard !state.isQuiescent else { return (true, false) }
                let leaves = state.isWoken || isOver
                if leaves {
                    state.isWoken = false
                    state.presence = .away(since: now)
                }
                return (false, leaves)
            }
            if leaves { return .nothing }
            guard !isQuiescent, let deadline else {
                await arrival.wait()
                continue
            }
            await arrival.wait(until: deadline, by: timing)
        }
    }

    private func poll(at now: ContinuousClock.Instant) throws(KafkaError) -> Taken {
        let result: Result<Taken, KafkaError> = state.withLock { state in
            if state.isHeld, !state.isFinished { return .success(.nothing) }
            while let index = state.queue.firstIndex(where: { !state.cursors.isPaused($0.slot) }) {
                let part = state.queue.remove(at: index)
                if part.reader != nil || part.failure != nil { return .success(.part(part)) }
                state.cursors.update(part.slot) { $0.skip(to: part.next) }
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
        /// The partition was taken away or sought meanwhile.
        case stale
        /// The partition is paused, or a group holds batches back: the part has returned to the queue.
        case paused
    }

    /// Hands out a batch, unless its part is stale. If its partition is paused, the part returns to the queue.
    ///
    /// The application is away from the moment at which it has the batch. A group that saw it waiting would give the
    /// partition up with this batch unprocessed, and another member would process it as well.
    ///
    /// - Parameters:
    ///   - part: The part behind the batch, which the next batch comes from.
    ///   - before: The part as it was before the batch.
    ///   - end: The position after the batch.
    ///   - batch: The batch, if its records are handed out one by one; nil to hand it out whole.
    func handOut(
        _ part: FetchedPartition, before: FetchedPartition, end: FetchPosition, oneByOne batch: RecordBatch? = nil
    ) -> Verdict {
        let now = timing.now()
        return state.withLock { state in
            guard state.cursors.contains(part.slot), !state.isFinished else { return .stale }
            guard !state.isHeld, !state.cursors.isPaused(part.slot) else {
                state.queue.insert(before, at: 0)
                return .paused
            }
            if let batch {
                // Positions move with the records.
                let records = UnreadRecords(of: batch, end: end)
                let isEmpty = records.isEmpty
                state.unread = isEmpty ? nil : records
                if isEmpty { state.cursors.update(part.slot) { $0.skip(to: end) } }
            } else {
                state.cursors.update(part.slot) { $0.delivered = end }
            }
            state.reading = part
            (state.current, state.presence) = (part.slot, .away(since: now))
            return .handedOut
        }
    }

    /// Whether everything that may be read of the partitions that aren't paused was handed out. False if there is no such
    /// partition, before the first response for one of them, and while one has failed.
    var isCaughtUp: Bool {
        state.withLock { state in
            state.cursors.all.contains { !$0.isPaused }
                && state.queue.allSatisfy { state.cursors.isPaused($0.slot) }
                && state.cursors.all.allSatisfy { $0.isPaused || $0.isCaughtUp }
        }
    }
}
