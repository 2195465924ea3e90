/// What is waiting in the accumulator, for health probes, error messages and the report of `close`.
///
/// All of it is counted when it is asked for, so that it costs nothing while records are sent.
extension Accumulator {
    var producerState: ProducerState {
        let now = timing.now()
        return state.withLock { state in
            let oldest = state.unsettled.values.lazy.map(\.created).min()
            return ProducerState(
                lastAcknowledgement: state.lastAcknowledgement, waitingRecords: state.waitingRecords,
                oldestWaitingAge: oldest.map { max(now - $0, .zero) })
        }
    }

    /// The partition whose records take the most of `buffer.memory`, as a text for a message; nil if there are none.
    var largestHolder: String? {
        let now = timing.now()
        return state.withLock { state in
            var bytes: [TopicPartition: (used: Int, since: ContinuousClock.Instant)] = [:]
            func count(_ partition: TopicPartition, _ used: Int, _ since: ContinuousClock.Instant) {
                let known = bytes[partition] ?? (0, since)
                bytes[partition] = (known.used + used, min(known.since, since))
            }
            for queue in state.topics.flatMap(\.queues) {
                if let builder = queue.builder { count(queue.partition, builder.capacity, queue.created) }
                for batch in queue.complete { count(queue.partition, batch.reserved, batch.created) }
            }
            let waiting = state.waitingOutcomes
            for (id, batch) in state.unsettled where !waiting.contains(id) {
                count(batch.outcome.partition, batch.reserved, batch.created)
            }
            guard let (partition, most) = bytes.max(by: { $0.value.used < $1.value.used }) else { return nil }
            let seconds = Int64((now - most.since) / .seconds(1))
            return "\(most.used) of \(configuration.bufferMemory) bytes are records for \(partition), "
                + "the oldest from \(seconds) s ago"
        }
    }

    /// Begins to count the records that fail.
    func countFailures() {
        state.withLock { $0.failures = (0, nil) }
    }

    /// The number of records that have failed since `countFailures`, and the first error.
    var failures: (records: Int, first: KafkaError?) { state.withLock { $0.failures } }
}

extension Accumulator.State {
    /// The batches that are open or complete, but not in flight.
    fileprivate var waitingOutcomes: Set<ObjectIdentifier> {
        var waiting: Set<ObjectIdentifier> = []
        for queue in topics.lazy.flatMap(\.queues) {
            if queue.builder != nil { waiting.insert(ObjectIdentifier(queue.outcome)) }
            for batch in queue.complete { waiting.insert(ObjectIdentifier(batch.outcome)) }
        }
        return waiting
    }

    /// The number of records that are buffered or in flight.
    fileprivate var waitingRecords: Int {
        var count = 0
        for queue in topics.lazy.flatMap(\.queues) {
            count += queue.builder?.recordCount ?? 0
            for batch in queue.complete { count += batch.recordCount }
        }
        let waiting = waitingOutcomes
        for (id, batch) in unsettled where !waiting.contains(id) { count += batch.recordCount }
        return count
    }
}
