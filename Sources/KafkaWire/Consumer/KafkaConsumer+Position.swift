extension KafkaConsumer {
    /// The assigned partitions.
    public var assignment: Set<TopicPartition> { Set(buffer.collect { _ in true }.keys) }

    /// Moves these partitions to other positions. The positions of other partitions don't change.
    ///
    /// ```swift
    /// try await consumer.seek([partition: .offset(1475)])
    /// ```
    /// Their fetched batches are dropped: the next batch of each is the one at its new position. A paused partition stays
    /// paused. If the new position is not an offset, the client asks the broker for the offset before it fetches.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION if a partition is not assigned; the others are sought nevertheless.
    public nonisolated(nonsending) func seek(_ starts: [TopicPartition: ConsumerStart]) async throws(KafkaError) {
        let missing = await fetcher.seek(starts)
        guard let first = missing.min() else { return }
        throw KafkaError(
            .unknownTopicOrPartition, "the consumer can't seek in a partition that isn't assigned to it",
            isRetriable: false, topic: first.topic, partition: first.partition)
    }

    /// Stops fetching these partitions and handing out their batches until `resume`; the others continue.
    ///
    /// Their fetched batches are kept, and are handed out first after `resume`. Partitions that aren't assigned are
    /// ignored; they are not paused if they are assigned later.
    public nonisolated(nonsending) func pause(_ partitions: some Sequence<TopicPartition>) async {
        await fetcher.setPaused(true, Array(partitions))
    }

    /// Resumes paused partitions.
    public nonisolated(nonsending) func resume(_ partitions: some Sequence<TopicPartition>) async {
        await fetcher.setPaused(false, Array(partitions))
    }

    /// The paused partitions.
    public var paused: Set<TopicPartition> { Set(buffer.collect { $0.isPaused ? true : nil }.keys) }

    /// For each partition, the offset after the last batch or record that was handed out, or the offset to begin at.
    ///
    /// A partition is omitted while the offset to begin at is unknown.
    public var positions: [TopicPartition: Int64] { buffer.collect { $0.delivered?.offset } }

    /// For each partition, the offset after the last record that all in-sync replicas have, as of the last response.
    public var highWatermarks: [TopicPartition: Int64] { buffer.collect(\.highWatermark) }

    /// For each partition the number of offsets between the position and the end of what may be read, as of the last
    /// response. Offsets without a record (transaction markers, compaction) count too.
    ///
    /// A partition whose lag is unknown is omitted: its position is being looked up, or no broker has answered a fetch of
    /// it yet.
    public var lag: [TopicPartition: Int64] { buffer.collect(\.lag) }

    /// Whether everything that could be read as of the last responses was handed out. Paused partitions don't count.
    ///
    /// False without partitions, if all of them are paused, before the first response for one of them, and while a
    /// partition has failed.
    public var isCaughtUp: Bool { buffer.isCaughtUp }

    /// The partitions that have failed permanently and whose error was given to the iterator or the
    /// ``PartitionFailureHandler``.
    ///
    /// They are not read until they are sought or assigned again. The other partitions are still read.
    public var failedPartitions: [TopicPartition: KafkaError] { buffer.collect(\.reportedFailure) }
}
