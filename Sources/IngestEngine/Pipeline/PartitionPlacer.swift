import CommandLineSupport
import Concurrency
import KafkaWire

/// The part of the mapper that starts reading partitions and stops failed ones.
///
/// It runs between two record batches, so that no record batch fetched before a seek is added after it.
struct PartitionPlacer {
    private static let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
    /// How long the cluster must report that a topic doesn't exist, since a broker may not know a new topic yet.
    private static let graceTime = Duration.seconds(5)

    let worker: Worker
    private var failures = 0
    private var retryAt: ContinuousClock.Instant?
    /// The time since which the cluster has reported an unknown topic; nil if it doesn't.
    private var unknownSince: ContinuousClock.Instant?
    private var wait: Wait

    init(worker: Worker) {
        self.worker = worker
        wait = Wait("positions of worker \(worker.number + 1)", worker.observer)
    }

    /// The time until the next attempt; nil if none is pending.
    var pause: Duration? { retryAt.map { max(.zero, $0 - .now) } }

    /// Cancels the retry once no partition awaits its position, because the group may have revoked the partitions in
    /// question.
    mutating func cancelRetry() {
        guard retryAt != nil else { return }
        (failures, retryAt) = (0, nil)
        wait.end()
    }

    /// Looks up the positions of the partitions that await them, and seeks. If that fails temporarily, the other
    /// partitions continue meanwhile.
    ///
    /// - Throws: `Stopped`; a partition's failure if it ends the run.
    mutating func place() async throws {
        let awaiting = worker.ledger.awaiting
        if awaiting.isEmpty { cancelRetry() }
        guard !awaiting.isEmpty, pause.map({ $0 <= .zero }) ?? true else { return }
        let settings = worker.settings
        let found: IngestStart
        do {
            // Ending the run must not wait for silent brokers.
            let answer = try await settings.stop.ending { [worker] in
                try await IngestStart.find(
                    Set(awaiting.keys), known: worker.ledger.known, client: worker.member.client,
                    offsets: settings.offsets, database: worker.member.database)
            }
            guard let answer else { return worker.finish() }
            found = answer
        } catch let error as KafkaError where error.isRetriable {
            retryLater("\(error)", awaiting.count)
            return
        }
        settings.totals.reread(found.offsets)
        await seek(found.assignment)
        worker.ledger.begin(found.positions, of: awaiting)
        let confirmed = confirmedFailures(found.failures)
        for (partition, failure) in confirmed.sorted(by: { $0.key < $1.key }) {
            try await fail(partition, failure)
        }
        // A broker may not know added partitions yet.
        let unknown = awaiting.keys.count { found.positions[$0] == nil && confirmed[$0] == nil }
        if unknown > 0 {
            retryLater("the cluster does not report them", unknown)
            return
        }
        (failures, retryAt) = (0, nil)
        wait.succeeded("the ends of the partitions are known again")
    }

    /// The failures, except unknown topics that may just be new.
    private mutating func confirmedFailures(
        _ failures: [TopicPartition: any Error & Sendable]
    ) -> [TopicPartition: any Error & Sendable] {
        func isUnknown(_ error: any Error) -> Bool {
            (error as? KafkaError).map { $0.code == .unknownTopicOrPartition || $0.code == .unknownTopicId } ?? false
        }
        guard failures.values.contains(where: { isUnknown($0) }) else {
            unknownSince = nil
            return failures
        }
        let now = worker.timing.now()
        let since = unknownSince ?? now
        unknownSince = since
        return now - since >= Self.graceTime ? failures : failures.filter { !isUnknown($0.value) }
    }

    private mutating func retryLater(_ reason: String, _ count: Int) {
        failures += 1
        retryAt = .now + Self.backoff.delay(afterFailures: failures, random: worker.timing.random())
        wait.failed(
            reason, at: worker.timing.now(), "cannot look up the positions of \(count) partitions; retrying: \(reason)")
    }

    private func seek(_ starts: [TopicPartition: ConsumerStart]) async {
        if worker.settings.isGroup {
            // The consumer doesn't seek a partition that was revoked meanwhile, and the ledger doesn't start it.
            try? await worker.consumer.seek(starts)
        } else {
            await worker.consumer.assign(adding: starts)
        }
        await worker.consumer.resume(starts.keys)
    }

    /// Handles an error of the consumer by stopping its partition.
    ///
    /// - Throws: The error if it doesn't concern a single partition, or if it ends the run.
    func handle(_ error: KafkaError) async throws {
        guard let topic = error.topic, let number = error.partition else { throw error }
        let partition = TopicPartition(topic: topic, partition: number)
        guard worker.consumer.failedPartitions[partition] != nil || worker.ledger.partitions.contains(partition) else {
            throw error
        }
        // A partition without an offset in Kafka fails before its position has been read from the database.
        if worker.ledger.awaiting[partition] == nil { try await fail(partition, error) }
    }

    private func fail(_ partition: TopicPartition, _ error: any Error) async throws {
        guard worker.ledger.fail(partition, error) else { return }
        let isLast = !worker.settings.isGroup && !worker.ledger.hasActivePartitions
        if worker.settings.partitionErrors == .stop || isLast { throw error }
        // Otherwise the consumer would never be caught up.
        await worker.consumer.pause([partition])
        worker.log.error(
            "partition \(partition.partition) of topic \(partition.topic) is stopped, the others continue: \(error)"
        )
    }
}
