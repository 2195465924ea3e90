// Permanent errors of single partitions, as the application gets them.
extension FetchBuffer {
    /// Hands out the error of a part, unless the part is stale. If its partition is paused, the part returns to the queue.
    ///
    /// What was fetched of the partition behind the error is dropped, and nothing of it is fetched any more.
    ///
    /// - Returns: The event to give to the application; nil if there is none now.
    func handOutFailure(of part: FetchedPartition, _ error: KafkaError) -> PartitionFailure? {
        let now = timing.now()
        let (failure, dropped) = state.withLock { state -> (PartitionFailure?, [FetchedPartition]) in
            guard state.cursors.contains(part.slot), !state.isFinished else { return (nil, []) }
            guard !state.isHeld, !state.cursors.isPaused(part.slot) else {
                state.queue.insert(part, at: 0)
                return (nil, [])
            }
            state.presence = .handlingFailure(since: now)
            return state.fail(part.slot, error)
        }
        for part in dropped { part.gate.notify() }
        return failure
    }
}

extension FetchBuffer.State {
    /// - Returns: The event to give to the application, and what was fetched behind the error, which is dropped.
    mutating func fail(_ slot: FetchSlot, _ error: KafkaError) -> (PartitionFailure?, [FetchedPartition]) {
        let failure = cursors.update(slot) { cursor in
            cursor.failure = .reported(error)
            return cursor.failure(error)
        }
        let dropped = queue.filter { $0.slot == slot }
        if !dropped.isEmpty { queue.removeAll { $0.slot == slot } }
        return (failure, dropped)
    }
}
