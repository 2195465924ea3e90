import Concurrency

/// Commits the offsets of processed records for `KafkaConsumer.process`.
final class ProcessedCommits: Sendable {
    private let consumer: KafkaConsumer
    private let scheduler: RecordScheduler
    /// Commits run one at a time. Otherwise an older commit could arrive after a newer one and move the offsets back.
    private let last = Lock<Task<Void, any Error>?>(nil)

    init(consumer: KafkaConsumer, scheduler: RecordScheduler) {
        self.consumer = consumer
        self.scheduler = scheduler
    }

    /// Commits what is processed. Not cancellable.
    ///
    /// - Parameter partitions: The partitions to commit; nil for all.
    func commit(_ partitions: Set<TopicPartition>? = nil) async throws {
        let commit = last.withLock { last in
            let commit = Task { [last] in
                _ = await last?.result
                let offsets = self.scheduler.offsets(of: partitions)
                guard !offsets.isEmpty else { return }
                try await self.consumer.commit(offsets)
                self.scheduler.committed(offsets)
            }
            last = commit
            return commit
        }
        try await commit.value
    }

    /// Commits what is processed every `auto.commit.interval.ms`, until the task is cancelled.
    func commitAtIntervals() async {
        let interval = consumer.settings.group.autoCommitInterval
        while (try? await consumer.cluster.timing.sleep(interval)) != nil {
            do {
                try await commit()
            } catch let error as KafkaError where error.isRetriable || error.meansLostMembership {
                // The next commit includes these offsets, or the partitions are revoked.
                report(error)
            } catch {
                scheduler.stop(error)
                consumer.wakeUp()
            }
        }
    }

    /// Waits for the records that have begun and those before them, and commits what is processed. Later records of the
    /// partitions are dropped.
    ///
    /// - Parameters:
    ///   - areLost: Whether other members may already own the partitions. If so, nothing is waited for or committed.
    ///   - limit: The longest time to wait for the handlers.
    func prepareRevocation(of partitions: Set<TopicPartition>, areLost: Bool, within limit: Duration) async {
        scheduler.dropQueued(of: partitions, keepsGaps: !areLost)
        if !areLost {
            let timing = consumer.cluster.timing
            await scheduler.waitUntilIdle(partitions, until: timing.now() + limit, by: timing)
            do {
                try await commit(partitions)
            } catch {
                report(error as? KafkaError ?? KafkaError(.unknownServerError, "\(error)"))
            }
        }
        scheduler.forget(partitions)
    }

    private func report(_ error: KafkaError) {
        guard let group = consumer.settings.group.groupID else { return }
        consumer.cluster.observer?.failedCommit(group: group, error)
    }
}
