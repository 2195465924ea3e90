// Permanent errors of single partitions.
extension FetchBuffer {
    /// Decides whether the application is given a partition's error now, and notes it. What was fetched of the partition
    /// behind the error is dropped.
    ///
    /// - Parameter now: When the application's handler is called, or else the application leaves `next()`.
    func fail(_ slot: FetchSlot, _ error: KafkaError, at now: ContinuousClock.Instant) -> Verdict {
        let (verdict, dropped) = state.withLock { state -> (Verdict, [FetchedPartition]) in
            guard let entry = state.entry(slot), !state.isFinished else { return (.stale, []) }
            guard !entry.isPaused, !state.isHeld else { return (.paused, []) }
            state.presence = .handlingFailure(since: now)
            return (.handedOut, state.fail(slot, error))
        }
        for part in dropped { part.gate.notify() }
        return verdict
    }

    /// The same for an error within the batch at hand, all records before which are processed.
    func failHandout(_ reader: inout BatchReader, _ error: KafkaError) -> (outcome: Advance, slot: FetchSlot?) {
        let id = reader.id
        let (result, dropped) = state.withLock { state -> ((outcome: Advance, slot: FetchSlot?), [FetchedPartition]) in
            guard state.takesOver(id, redelivers) else { return ((.foreign, nil), []) }
            guard let handout = state.handout, state.entry(handout.slot) != nil, !state.isFinished else {
                return ((.stale, nil), [])
            }
            if state.isHeld { return ((.held, nil), []) }
            state.entries[handout.slot.index]?.processed = handout.next
            return ((.advanced, handout.slot), state.fail(handout.slot, error))
        }
        if case .foreign = result.outcome {} else { reader.hasBegun = true }
        for part in dropped { part.gate.notify() }
        return result
    }

    /// Those of these partitions of which the application was told that the topic was deleted and recreated.
    func recreated(_ partitions: some Sequence<TopicPartition>) -> Set<TopicPartition> {
        state.withLock { state in
            Set(
                partitions.filter { partition in
                    guard let index = state.indices[partition] else { return false }
                    return state.entries[index]?.failure?.code == .inconsistentTopicId
                })
        }
    }

    /// The error that has ended the reading of all partitions.
    var failure: KafkaError? { state.withLock { $0.failure } }

    var lastResponse: ContinuousClock.Instant? { state.withLock { $0.lastResponse } }
}

extension FetchBuffer.State {
    /// - Returns: What was fetched behind the error, which is dropped.
    fileprivate mutating func fail(_ slot: FetchSlot, _ error: KafkaError) -> [FetchedPartition] {
        entries[slot.index]?.failure = error
        let dropped = queue.filter { $0.slot == slot }
        if !dropped.isEmpty { queue = queue.filter { $0.slot != slot } }
        return dropped
    }
}
