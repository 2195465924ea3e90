// What a group asks of the buffer while partitions come and go.
extension FetchBuffer {
    /// Has no batch handed out until `release`.
    func stopHandingOut() {
        state.withLock { $0.isHeld = true }
    }

    /// Does the same, waits until the application waits in `next()`, and keeps it there until `unpin` or `release`.
    ///
    /// An application that hasn't begun to read has nothing under way, and isn't waited for.
    ///
    /// - Returns: False where the task was cancelled before.
    func pin() async -> Bool {
        stopHandingOut()
        while true {
            if Task.isCancelled { return false }
            let isPinned = state.withLock { state in
                switch state.presence {
                case .away, .handlingFailure: return false
                case .notBegun, .waiting:
                    state.isPinned = true
                    return true
                }
            }
            if isPinned { return true }
            await comeback.wait()
        }
    }

    /// Lets the application leave `next()` when its time is up; no batch is handed out yet.
    func unpin() {
        state.withLock { $0.isPinned = false }
        arrival.notify()
    }

    /// Goes on handing out batches.
    func release() {
        state.withLock { state in
            state.isHeld = false
            state.isPinned = false
        }
        arrival.notify()
    }

    /// The application is done with all that it was given, the batch at hand among it.
    ///
    /// - Returns: Up to where that is; nil where the partition of the batch at hand was taken away meanwhile.
    func finishHandout() -> [TopicPartition: TopicOffset]? {
        let isLost = state.withLock { state in
            if state.handout?.isLost == true { return true }
            for index in state.entries.indices {
                if let delivered = state.entries[index]?.delivered { state.entries[index]?.processed = delivered }
            }
            return false
        }
        return isLost ? nil : collect(\.commit)
    }

    /// Whether the consumer was closed.
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// Since when the application hasn't asked for a batch; nil while it waits for one.
    ///
    /// - Parameter beginning: Since when it could have asked for its first.
    func absence(since beginning: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        state.withLock { state in
            switch state.presence {
            case .notBegun: beginning
            case .waiting: nil
            case .away(let since), .handlingFailure(let since): since
            }
        }
    }
}
