import CommandLineSupport
import Concurrency
import KafkaWire

/// The part of the mapper that begins to read partitions, and stops those that have failed.
///
/// It runs between two batches, so that no batch from before a seek is taken in after it.
struct PartitionPlacer {
    private static let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
    /// For how long the cluster has to say that a topic doesn't exist: a broker may not know yet of a new one.
    private static let doubt = Duration.seconds(5)

    let worker: Worker
    private var failures = 0
    private var retryAt: ContinuousClock.Instant?
    /// Since when the cluster says that a topic doesn't exist.
    private var unknownSince: ContinuousClock.Instant?
    private var wait: Wait

    init(worker: Worker) {
        self.worker = worker
        wait = Wait("positions of worker \(worker.number + 1)", worker.observer)
    }

    /// How long until the next attempt is due; nil if none is.
    var pause: Duration? { retryAt.map { max(.zero, $0 - .now) } }

    /// Call when no partition awaits its position any more: the group may have taken away those that did.
    mutating func nothingAwaits() {
        guard retryAt != nil else { return }
        (failures, retryAt) = (0, nil)
        wait.end()
    }

    /// Reads the positions of the partitions that await them, and seeks. If the cluster can't tell at the moment, the others
    /// are read on meanwhile.
    ///
    /// - Throws: `Stopped`; the failure of a partition if that is to end the run.
    mutating func place() async throws {
        let awaiting = worker.ledger.awaiting
        if awaiting.isEmpty { nothingAwaits() }
        guard !awaiting.isEmpty, pause.map({ $0 <= .zero }) ?? true else { return }
        let settings = worker.settings
        let found: IngestStart
        do {
            // The end is not to wait for brokers that keep silent.
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
        let believed = believedFailures(found.failures)
        for (partition, failure) in believed.sorted(by: { $0.key < $1.key }) {
            try await fail(partition, failure)
        }
        // A broker may not know yet of partitions that were added.
        let unknown = awaiting.keys.count { found.positions[$0] == nil && believed[$0] == nil }
        if unknown > 0 {
            retryLater("the cluster does not tell of them", unknown)
            return
        }
        (failures, retryAt) = (0, nil)
        wait.succeeded("the ends of the partitions are known again")
    }

    /// The failures without those of topics that may just be new.
    private mutating func believedFailures(
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
        return now - since >= Self.doubt ? failures : failures.filter { !isUnknown($0.value) }
    }

    private mutating func retryLater(_ reason: String, _ count: Int) {
        failures += 1
        retryAt = .now + Self.backoff.delay(afterFailures: failures, random: worker.timing.random())
        wait.failed(
            reason, at: worker.timing.now(), "cannot find out where to read \(count) partitions; retrying: \(reason)")
    }

    private func seek(_ starts: [TopicPartition: ConsumerStart]) async {
        if worker.settings.isGroup {
            // A partition that the group has taken away meanwhile is not sought, and the ledger doesn't begin it.
            try? await worker.consumer.seek(starts)
        } else {
            await worker.consumer.assign(adding: starts)
        }
        await worker.consumer.resume(starts.keys)
    }

    /// - Parameter error: What the consumer has thrown.
    /// - Throws: The error, if it isn't a single partition's, or if that is to end the run.
    func handle(_ error: KafkaError) async throws {
        guard let topic = error.topic, let number = error.partition else { throw error }
        let partition = TopicPartition(topic: topic, partition: number)
        guard worker.consumer.failedPartitions[partition] != nil || worker.ledger.partitions.contains(partition) else {
            throw error
        }
        // A partition without an offset in Kafka fails before its position is read in the database.
        if worker.ledger.awaiting[partition] == nil { try await fail(partition, error) }
    }

    private func fail(_ partition: TopicPartition, _ error: any Error) async throws {
        guard worker.ledger.fail(partition, error) else { return }
        let isLast = !worker.settings.isGroup && !worker.ledger.isAnyLeft
        if worker.settings.partitionErrors == .stop || isLast { throw error }
        // The consumer would never count as caught up with it.
        await worker.consumer.pause([partition])
        worker.log.error(
            "partition \(partition.partition) of topic \(partition.topic) is stopped, and the others are read on: \(error)"
        )
    }
}
