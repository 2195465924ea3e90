/// What waits in the accumulator, for health probes, error messages and the report of `close`.
///
/// All of it is computed on request, so that it costs nothing while records are sent.
extension Accumulator {
    var producerState: ProducerState {
        let now = timing.now()
        return state.withLock { state in
            var (records, oldest) = (0, ContinuousClock.Instant?.none)
            state.forEachWaiting { _, count, _, created in
                records += count
                oldest = min(oldest ?? created, created)
            }
            return ProducerState(
                lastAcknowledgement: state.lastAcknowledgement, waitingRecords: records,
                oldestWaitingAge: oldest.map { max(now - $0, .zero) })
        }
    }

    /// The partition whose records take the most of `buffer.memory`, as a text for a message; nil if there are none.
    var largestHolder: String? {
        let now = timing.now()
        return state.withLock { state in
            var bytes: [TopicPartition: (used: Int, since: ContinuousClock.Instant)] = [:]
            state.forEachWaiting { partition, _, used, since in
                let known = bytes[partition] ?? (0, since)
                bytes[partition] = (known.used + used, min(known.since, since))
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
    /// Calls `body` for each batch that has neither succeeded nor failed, with its records, bytes and age.
    fileprivate func forEachWaiting(
        _ body: (TopicPartition, _ records: Int, _ bytes: Int, _ created: ContinuousClock.Instant) -> Void
    ) {
        for partition in partitions {
            if let builder = partition.builder {
                body(partition.partition, builder.recordCount, builder.capacity, partition.created)
            }
            for entry in partition.entries where !entry.hasExpired {
                body(partition.partition, entry.batch.recordCount, entry.batch.reserved, entry.batch.created)
            }
        }
    }
}
