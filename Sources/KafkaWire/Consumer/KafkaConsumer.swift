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
/// Records are views of the memory that they were received in. Answers are fetched ahead while batches are read: for
/// each broker one answer is being read and one more is on its way or waits. So a consumer that is slow slows the
/// fetching, and memory stays at about twice `fetch.max.bytes` for each broker. A batch that is kept keeps the whole
/// answer.
///
/// A batch may have no records left in it (transaction markers, compaction). It is in the sequence all the same,
/// since the position moves with it.
///
/// A permanent error of one partition ends the reading of that partition only: see ``PartitionFailure``.
public final class KafkaConsumer: Sendable, AsyncSequence {
    /// A view of the answer that it came in.
    public typealias Element = RecordBatch

    let cluster: Cluster
    /// The client's settings, with those that this consumer overrides.
    let settings: ClientConfiguration
    /// Why the settings cannot be used; nil if they can.
    let settingsError: KafkaError?
    let buffer: FetchBuffer
    let fetcher: Fetcher
    let onPartitionFailure: PartitionFailureHandler?
    /// The part of a response whose batches are being handed out.
    let reading = Lock<FetchedPartition?>(nil)
    let unread = Lock(UnreadRecords())
    let groupPart: Lock<ConsumerGroupPart>

    init(cluster: Cluster, settings: ClientConfiguration, onPartitionFailure: PartitionFailureHandler? = nil) {
        self.cluster = cluster
        self.settings = settings
        settingsError = settings.validationError
        self.onPartitionFailure = onPartitionFailure
        buffer = FetchBuffer(redelivers: settings.group.groupID != nil)
        groupPart = Lock(ConsumerGroupPart(cluster: cluster, configuration: settings.group))
        fetcher = Fetcher(cluster: cluster, configuration: settings.consumer, buffer: buffer)
        groupPart.withLock { $0.identity }?.reads(from: buffer)
    }

    deinit {
        let (fetcher, membership) = (fetcher, groupPart.withLock { $0.membership })
        background("closing a dropped consumer") {
            // Nobody waits for it, so silent brokers must not keep the connections for long.
            _ = await membership?.leave(by: .now + .seconds(1))
            await fetcher.close()
        }
    }

    /// Reads these partitions and no others from now on, each from the given place.
    ///
    /// Batches that were fetched for an earlier assignment are dropped. The partitions of a consumer that has subscribed
    /// come from its group: call `unsubscribe` before. A topic that does not exist is created if
    /// `allow.auto.create.topics` and the broker permit that; otherwise its partitions fail after
    /// `default.api.timeout.ms`.
    public func assign(_ starts: [TopicPartition: ConsumerStart]) async {
        forgetMembership()
        await fetcher.assign(starts, creatingTopics: fetcher.configuration.allowsTopicCreation)
    }

    /// Reads these partitions too, each from the given place; the others aren't disturbed. One that is assigned already
    /// starts anew at the given place.
    ///
    /// librdkafka's `incremental_assign`. As with `assign`, call `unsubscribe` before.
    public func assign(adding starts: [TopicPartition: ConsumerStart]) async {
        forgetMembership()
        await fetcher.add(starts, creatingTopics: fetcher.configuration.allowsTopicCreation)
    }

    /// Stops reading these partitions; the others aren't disturbed. Partitions that aren't assigned are ignored.
    ///
    /// What was fetched of them is dropped, and no batch of them is handed out once this returns. librdkafka's
    /// `incremental_unassign`.
    public func unassign(_ partitions: some Sequence<TopicPartition>) async {
        await fetcher.remove(Array(partitions))
    }

    /// What is read from now on isn't read as a member of a group.
    private func forgetMembership() {
        groupPart.withLock { if $0.membership == nil { $0.identity?.forget() } }
    }

    /// Ends the fetching and the sequence. A member of a group leaves it.
    ///
    /// If `enable.auto.commit` is on, commits what was processed before. The batch that the application still has isn't
    /// processed: call `commit()` before if it is done.
    ///
    /// A rebalance handler must not call this, since the group waits for the handler: nothing is done then, and the report
    /// has OPERATION_NOT_ATTEMPTED.
    ///
    /// - Parameter limit: How long this may take, also if no broker answers. The fetching ends in any case.
    /// - Returns: What could not be done in time, such as offsets that were not committed.
    @discardableResult
    public func close(within limit: Duration = .seconds(25)) async -> CloseReport {
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
