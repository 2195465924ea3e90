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
    /// - Parameter timeout: nil to wait for as long as it takes.
    /// - Throws: What `fail` was given, after everything that was fetched before; `CancellationError`.
    func take(timeout: Duration?) async throws -> Taken {
        let deadline = timeout.map { timing.now() + $0 }
        while true {
            // Checked first, since otherwise a loop that never runs out of records would never end.
            try Task.checkCancellation()
            let taken = try poll()
            if case .nothing = taken {} else { return taken }
            let now = timing.now()
            let hasTimedOut = deadline.map { now >= $0 } ?? false
            let (leaves, isQuiescent) = state.withLock { state in
                if state.isQuiescent { return (false, true) }
                guard state.isWoken || hasTimedOut else { return (false, false) }
                state.isWoken = false
                // At the same time, so that a group can't take the application for waiting when it has left.
                state.presence = .away(since: now)
                return (true, false)
            }
            if leaves { return .nothing }
            await arrival.wait(until: isQuiescent ? nil : deadline, by: timing)
        }
    }

    private func poll() throws(KafkaError) -> Taken {
        let result: Result<Taken, KafkaError> = state.withLock { state in
            if state.isHeld, !state.isFinished { return .success(.nothing) }
            while let index = state.queue.firstIndex(where: { !state.cursors.isPaused($0.slot) }) {
                let part = state.queue.remove(at: index)
                if part.reader != nil || part.failure != nil { return .success(.part(part)) }
                state.cursors.update(part.slot) { $0.skip(to: part.next) }
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
        /// The partition was taken away or sought meanwhile.
        case stale
        /// The partition is paused, or a group holds batches back: the part has returned to the queue.
        case paused
    }

    /// Hands out a batch, unless its part is stale. If its partition is paused, the part returns to the queue.
    ///
    /// - Parameters:
    ///   - part: The part behind the batch, which the next batch comes from.
    ///   - before: The part as it was before the batch.
    ///   - end: The position after the batch.
    ///   - records: The batch's records, if they are handed out one by one; nil to hand out the whole batch.
    func handOut(
        _ part: FetchedPartition, before: FetchedPartition, end: FetchPosition, records: UnreadRecords? = nil
    ) -> Verdict {
        let now = timing.now()
        return state.withLock { state in
            guard state.cursors.contains(part.slot), !state.isFinished else { return .stale }
            guard !state.isHeld, !state.cursors.isPaused(part.slot) else {
                state.queue.insert(before, at: 0)
                return .paused
            }
            state.cursors.update(part.slot) { cursor in
                if let records {
                    // Positions move with the records.
                    if records.isEmpty { cursor.skip(to: end) }
                } else {
                    cursor.delivered = end
                }
            }
            if let records { state.unread = records }
            state.reading = part
            state.current = part.slot
            state.presence = .away(since: now)
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
