import Concurrency
import KafkaWire

// What the group, the sink and the end of the run change.
extension PartitionLedger {
    // MARK: For the group

    /// Adds partitions, which await their positions.
    func assign(_ partitions: some Sequence<TopicPartition>) {
        state.withLock { state in for partition in partitions { state.add(partition) } }
        changed.notify()
    }

    /// Takes nothing more in of partitions that another member is about to get.
    ///
    /// - Returns: The batch that was being filled, which is to be committed; nil if it has nothing.
    func beginRevoking(_ partitions: Set<TopicPartition>) -> CopyBatch? {
        state.withLock { state in
            for partition in partitions {
                guard var entry = state.entries[partition], entry.phase == .reading else { continue }
                entry.phase = .leaving
                state.set(entry, of: partition)
            }
            return state.detach()
        }
    }

    /// Waits until everything that was handed over of these partitions is committed, or was removed from its batch.
    func settle(_ partitions: Set<TopicPartition>, until deadline: ContinuousClock.Instant) async {
        while !isSettled(partitions), ContinuousClock.now < deadline { await settled.wait(until: deadline) }
    }

    private func isSettled(_ partitions: Set<TopicPartition>) -> Bool {
        state.withLock { state in
            state.isFinishing && state.isAbandoned
                || partitions.allSatisfy { partition in
                    guard let entry = state.entries[partition], let committed = entry.committed else { return true }
                    return entry.phase == .awaiting || committed >= entry.handedOver
                }
        }
    }

    /// Removes partitions that are the worker's no more.
    ///
    /// - Returns: The batch that was being filled, if it has rows of them; the sink removes those.
    func remove(_ partitions: Set<TopicPartition>) -> CopyBatch? {
        let open = state.withLock { state in
            for partition in partitions { state.remove(partition) }
            return state.detach(ifItHas: partitions)
        }
        settled.notify()
        changed.notify()
        return open
    }

    // MARK: For the sink

    /// Those of a batch's partitions whose assignment is over.
    func stale(_ progress: [TopicPartition: CopyBatch.Progress]) -> Set<TopicPartition> {
        state.withLock { state in
            Set(progress.filter { state.entries[$0.key]?.assignment != $0.value.assignment }.keys)
        }
    }

    func committed(_ progress: [TopicPartition: CopyBatch.Progress]) {
        state.withLock { state in
            for (partition, move) in progress {
                guard let entry = state.entries[partition], entry.assignment == move.assignment else { continue }
                state.entries[partition]?.committed = move.next
            }
        }
        settled.notify()
        changed.notify()
    }

    /// Has the positions of partitions read again: what was taken in of them and not committed is void.
    ///
    /// - Returns: The batch that was being filled, if it has rows of them; the sink removes those.
    func reread(_ partitions: Set<TopicPartition>) -> CopyBatch? {
        let open = state.withLock { state in
            for partition in partitions {
                guard let entry = state.entries[partition] else { continue }
                // One that is about to go has nothing left to commit.
                if entry.phase == .leaving { state.remove(partition) } else { state.add(partition, entry.topicID) }
            }
            return state.detach(ifItHas: partitions)
        }
        settled.notify()
        return open
    }

    /// Has all positions read again, after everything that wasn't committed was dropped.
    func rereadAll() {
        state.withLock { state in
            state.open = nil
            state.isOpenDue = false
        }
        _ = reread(Set(state.withLock { $0.entries }.keys))
    }

    // MARK: The end

    /// Asks the mapper to end.
    func finish() { state.withLock { $0.isFinishing = true } }

    var isFinishing: Bool { state.withLock { $0.isFinishing } }

    /// Nothing more will be committed: nobody is to wait for it.
    func abandon() {
        state.withLock { state in
            state.isFinishing = true
            state.isAbandoned = true
        }
        settled.notify()
    }
}
