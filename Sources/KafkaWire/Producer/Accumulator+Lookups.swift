/// Which partitions' leaders must be looked up. Nothing of them is sent before.
extension Accumulator {
    /// Has the leaders of partitions looked up.
    func needLookup(_ keys: some Sequence<TopicPartition> & Sendable) {
        state.withLock { state in
            for key in keys { state.partition(key)?.needsLookup = true }
        }
    }

    /// Begins a lookup for all partitions that need one.
    ///
    /// - Returns: These partitions, and the topics that records were sent to.
    func beginLookup() -> (partitions: [TopicPartition], topics: [String]) {
        state.withLock { state in
            var keys: [TopicPartition] = []
            for partition in state.partitions where partition.needsLookup {
                partition.needsLookup = false
                partition.isInLookup = true
                keys.append(partition.partition)
            }
            return (keys, Array(state.indexByName.keys))
        }
    }

    /// Ends a lookup.
    ///
    /// - Parameter mustRepeat: Whether its partitions need another one.
    func endLookup(of keys: [TopicPartition], mustRepeat: Bool) {
        state.withLock { state in
            for key in keys {
                state.partition(key)?.isInLookup = false
                if mustRepeat { state.partition(key)?.needsLookup = true }
            }
        }
    }
}
