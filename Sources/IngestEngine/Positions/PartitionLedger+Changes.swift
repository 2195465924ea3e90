import Concurrency
import KafkaWire

// Changes made by the group, the sink and the end of a run.
extension PartitionLedger {
    // MARK: Group

    /// Adds partitions, which then await their positions.
    func assign(_ partitions: some Sequence<TopicPartition>) {
        state.withLock { state in for partition in partitions { state.add(partition) } }
        changed.notify()
    }

    /// Stops adding records of partitions that are being revoked.
    ///
    /// - Returns: The open batch, which must be committed; nil if it is empty.
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

    /// Waits until everything handed over of these partitions is committed or was removed from its batch.
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

    /// Removes partitions that no longer belong to the worker.
    ///
    /// - Returns: The open batch if it has rows of them, which the sink removes; nil otherwise.
    func remove(_ partitions: Set<TopicPartition>) -> CopyBatch? {
        let open = state.withLock { state in
            for partition in partitions { state.remove(partition) }
            return state.detach(ifItHas: partitions)
        }
        settled.notify()
        changed.notify()
        return open
    }

    // MARK: Sink

    /// The partitions of a batch whose assignment has ended.
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

    /// Marks partitions whose positions must be read again. Their uncommitted records are discarded.
    ///
    /// - Returns: The open batch if it has rows of them, which the sink removes; nil otherwise.
    func reread(_ partitions: Set<TopicPartition>) -> CopyBatch? {
        let open = state.withLock { state in
            for partition in partitions {
                guard let entry = state.entries[partition] else { continue }
                // A partition that is being revoked has nothing left to commit.
                if entry.phase == .leaving { state.remove(partition) } else { state.add(partition, entry.topicID) }
            }
            return state.detach(ifItHas: partitions)
        }
        settled.notify()
        return open
    }

    /// Marks all partitions for rereading their positions and drops all uncommitted batches.
    func rereadAll() {
        state.withLock { state in
            state.open = nil
            state.isOpenDue = false
        }
        _ = reread(Set(state.withLock { $0.entries }.keys))
    }

    // MARK: Ending

    /// Asks the mapper to end.
    func finish() { state.withLock { $0.isFinishing = true } }

    var isFinishing: Bool { state.withLock { $0.isFinishing } }

    /// Releases all waiters, since nothing more will be committed.
    func abandon() {
        state.withLock { state in
            state.isFinishing = true
            state.isAbandoned = true
        }
        settled.notify()
    }
}
