import Concurrency

/// Reads partitions: an asynchronous sequence of record batches.
///
/// ```swift
/// for try await batch in consumer {
///     var records = batch.makeIterator()
///     while let record = try records.next() { … record.value … }
/// }
/// ```
///
/// Iterate over `records` to get the records one by one, as copies.
///
/// Records are views of the memory that they were received in. The consumer fetches ahead: for each broker the
/// application reads one response while one more is in flight or buffered. A slow application therefore slows the
/// fetching, and memory stays at about twice `fetch.max.bytes` for each broker. A batch that is retained retains the whole
/// response.
///
/// A batch may be empty (transaction markers, compaction). The sequence contains it, since the position moves with it.
///
/// A permanent error of one partition ends the reading of that partition only: see ``PartitionFailure``.
public final class KafkaConsumer: Sendable, AsyncSequence {
    /// A view of the response that contains it.
    public typealias Element = RecordBatch

    let cluster: Cluster
    /// The client's settings, with those that this consumer overrides.
    let settings: ClientConfiguration
    /// Why the settings cannot be used; nil if they can.
    let settingsError: KafkaError?
    let buffer: FetchBuffer
    let fetcher: Fetcher
    let onPartitionFailure: PartitionFailureHandler?
    /// Guards which group the consumer is a member of. What it reads is guarded by the buffer's lock.
    let groupPart: Lock<ConsumerGroupPart>

    init(cluster: Cluster, settings: ClientConfiguration, onPartitionFailure: PartitionFailureHandler? = nil) {
        self.cluster = cluster
        self.settings = settings
        settingsError = settings.validationError
        self.onPartitionFailure = onPartitionFailure
        buffer = FetchBuffer(redelivers: settings.group.groupID != nil, timing: cluster.timing)
        groupPart = Lock(ConsumerGroupPart(cluster: cluster, configuration: settings.group))
        fetcher = Fetcher(cluster: cluster, configuration: settings.consumer, buffer: buffer)
        groupPart.withLock { $0.identity }?.reads(from: buffer)
    }

    deinit {
        let (fetcher, membership, timing) = (fetcher, groupPart.withLock { $0.membership }, cluster.timing)
        background("closing a dropped consumer") {
            // Silent brokers must not keep the connections open for long.
            _ = await membership?.leave(by: timing.now() + .seconds(1))
            await fetcher.close()
        }
    }

    /// Replaces the assignment: reads these partitions and no others, each from the given place.
    ///
    /// Batches that were fetched for an earlier assignment are dropped. A subscribed consumer gets its partitions from its
    /// group: call `unsubscribe` before. A topic that does not exist is created if
    /// `allow.auto.create.topics` and the broker permit that; otherwise its partitions fail after
    /// `default.api.timeout.ms`.
    public nonisolated(nonsending) func assign(_ starts: [TopicPartition: ConsumerStart]) async {
        forgetMembership()
        await fetcher.assign(starts, creatingTopics: fetcher.configuration.allowsTopicCreation)
    }

    /// Adds partitions, each from the given place, without disturbing the others. If one is assigned already, it restarts
    /// at the given place.
    ///
    /// librdkafka's `incremental_assign`. As with `assign`, call `unsubscribe` before.
    public nonisolated(nonsending) func assign(adding starts: [TopicPartition: ConsumerStart]) async {
        forgetMembership()
        await fetcher.add(starts, creatingTopics: fetcher.configuration.allowsTopicCreation)
    }

    /// Stops reading these partitions, without disturbing the others. Partitions that aren't assigned are ignored.
    ///
    /// Their fetched batches are dropped, and none is handed out after this returns. librdkafka's
    /// `incremental_unassign`.
    public nonisolated(nonsending) func unassign(_ partitions: some Sequence<TopicPartition>) async {
        await fetcher.remove(Array(partitions))
    }

    /// Forgets an earlier membership, since partitions are assigned by hand from now on.
    private func forgetMembership() {
        groupPart.withLock { if $0.membership == nil { $0.identity?.forget() } }
    }

    /// Stops fetching and ends the sequence. If the consumer is a member of a group, it leaves the group.
    ///
    /// If `enable.auto.commit` is on, commits what was processed before. The batch that the application still has isn't
    /// processed: call `commit()` before if it is done.
    ///
    /// A rebalance handler must not call this, since the group waits for the handler: nothing is done then, and the report
    /// has OPERATION_NOT_ATTEMPTED.
    ///
    /// - Parameter limit: The longest time that this may take, even if no broker answers. The fetching ends in any case.
    /// - Returns: The errors of the steps that failed or did not finish in time, such as a commit.
    @discardableResult
    public nonisolated(nonsending) func close(within limit: Duration = .seconds(25)) async -> CloseReport {
        if isInHandler {
            let error = inHandler("close")
            cluster.observer?.refused(error)
            return CloseReport(errors: [error])
        }
        let report = await unsubscribe(within: limit)
        await fetcher.close()
        return report
    }
}
