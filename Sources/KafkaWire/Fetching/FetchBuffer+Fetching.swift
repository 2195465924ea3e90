import Concurrency

// The fetcher's side of the buffer.
extension FetchBuffer {
    /// Adds the parts of a response. Parts that are stale are dropped.
    func append(_ parts: [FetchedPartition]) {
        let open = state.withLock { state in
            var open: [FetchedPartition] = []
            for part in parts {
                guard state.cursors.contains(part.slot), state.cursors[part.slot]?.reportedFailure == nil else {
                    open.append(part)
                    continue
                }
                state.queue.append(part)
                if state.cursors.isPaused(part.slot) { open.append(part) }
            }
            return open
        }
        for part in open { part.gate.notify() }
        arrival.notify()
    }

    /// Notes where a broker has the partition begin, or resume if its log doesn't have the offset any more. In the second
    /// case the position moves when all that was fetched before has been read.
    func resume(_ slot: FetchSlot, at position: FetchPosition) {
        state.withLock { state in
            guard state.cursors.update(slot, { $0.resume(at: position) }) == false else { return }
            state.queue.append(FetchedPartition(slot: slot, next: position, gate: Signal()))
        }
        arrival.notify()
    }

    /// Notes a permanent error of a partition, and queues it behind what was fetched before.
    func queueFailure(_ slot: FetchSlot, _ error: KafkaError) {
        let isNew = state.withLock { state in
            state.cursors.update(slot) { cursor in
                guard !cursor.hasFailed else { return false }
                cursor.failure = .pending
                return true
            } ?? false
        }
        guard isNew else { return }
        append([FetchedPartition(slot: slot, next: FetchPosition(offset: 0), gate: Signal(), failure: error)])
    }

    /// Notes that a broker has answered a fetch.
    func responded(at now: ContinuousClock.Instant) {
        state.withLock { $0.lastResponse = now }
    }

    /// What to ask of a broker.
    ///
    /// - Parameter limit: The most bytes that may be asked of the broker.
    /// - Returns: The fetches, and whether the time of a replica is up, whose partition returns to its leader.
    func fetches(
        from node: Int32, limit: Int32, at now: ContinuousClock.Instant
    ) -> (wanted: [TopicPartition: RequestedFetch], hasExpired: Bool) {
        state.withLock { state in
            var wanted: [TopicPartition: RequestedFetch] = [:]
            var hasExpired = false
            state.cursors.updateAll { cursor in
                guard cursor.source == node, !cursor.isPaused else { return }
                // From time to time the leader is asked which replica is the best one now.
                guard !cursor.leaveExpiredReplica(at: now) else {
                    hasExpired = true
                    return
                }
                guard let fetch = cursor.fetch(from: node, limit: limit) else { return }
                wanted[cursor.partition] = RequestedFetch(fetch: fetch, slot: cursor.slot)
            }
            return (wanted, hasExpired)
        }
    }

    /// Makes the next request of a session, and notes in the cursors what it sends.
    func nextRequest(
        _ wanted: [TopicPartition: RequestedFetch], _ session: inout FetchSession
    ) -> FetchSession.Request {
        state.withLock { session.next(wanted, &$0.cursors) }
    }

    /// Stops fetching partitions from a broker, whatever their slots are now.
    func leave(_ node: Int32, _ partitions: some Sequence<TopicPartition>) {
        state.withLock { state in
            for partition in partitions { state.cursors.update(partition) { $0.leave(node) } }
        }
    }

    /// The brokers to fetch from.
    var sources: Set<Int32> {
        state.withLock { state in Set(state.cursors.all.compactMap { $0.isPaused ? nil : $0.source }) }
    }
}
