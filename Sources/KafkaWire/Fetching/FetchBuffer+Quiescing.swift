// What a group asks of the buffer while partitions come and go.
extension FetchBuffer {
    /// Stops handing out batches until `release`.
    func hold() {
        state.withLock { $0.isHeld = true }
    }

    /// Stops handing out batches, waits until the application is in `next()`, and keeps it there until `permitTimeouts` or
    /// `release`.
    ///
    /// If the application has not begun to read, nothing is in progress, and this doesn't wait for it.
    ///
    /// - Returns: False if the task was cancelled first.
    func quiesce() async -> Bool {
        hold()
        while true {
            if Task.isCancelled { return false }
            let isQuiescent = state.withLock { state in
                guard !state.presence.isAway else { return false }
                state.isQuiescent = true
                return true
            }
            if isQuiescent { return true }
            await applicationReturned.wait()
        }
    }

    /// Lets the application leave `next()` when its time is up. No batch is handed out yet.
    func permitTimeouts() {
        state.withLock { $0.isQuiescent = false }
        arrival.notify()
    }

    /// Resumes handing out batches.
    func release() {
        state.withLock { state in
            state.isHeld = false
            state.isQuiescent = false
        }
        arrival.notify()
    }

    /// Marks everything that was handed out as processed, the current batch included.
    ///
    /// - Returns: The offsets to commit; nil if a group took the partition of the current batch away meanwhile.
    func finishCurrent() -> [TopicPartition: TopicOffset]? {
        state.withLock { state in
            if state.isCurrentLost { return nil }
            state.cursors.updateAll { $0.markProcessed() }
            return state.cursors.collect(\.commit)
        }
    }

    /// When the application last asked for a batch or a record; nil while it waits for one.
    ///
    /// - Parameters:
    ///   - beginning: The time since when it could have asked for its first.
    ///   - now: Counts as the time of a request for a record since the last call, so that no record costs a look at the
    ///     clock.
    func absence(
        since beginning: ContinuousClock.Instant, at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        state.withLock { state in
            switch state.presence {
            case .notBegun: return beginning
            case .waiting: return nil
            case .handlingFailure(let since), .away(let since): return since
            case .awayWithinBatch:
                state.presence = .away(since: now)
                return now
            }
        }
    }
}
