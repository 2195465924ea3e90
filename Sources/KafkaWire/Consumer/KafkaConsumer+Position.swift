extension KafkaConsumer {
    /// The partitions that are read.
    public var assignment: Set<TopicPartition> { Set(buffer.collect { _ in true }.keys) }

    /// Continues to read these partitions from other places; the others are not affected.
    ///
    /// ```swift
    /// try await consumer.seek([partition: .offset(1475)])
    /// ```
    /// What was fetched of them is dropped: the next batch of each is the one at its new place. A paused partition stays
    /// paused. The client asks the broker for a place that is not an offset before it fetches the partition.
    ///
    /// - Throws: UNKNOWN_TOPIC_OR_PARTITION if a partition is not assigned; the others are sought nevertheless.
    public func seek(_ starts: [TopicPartition: ConsumerStart]) async throws(KafkaError) {
        let missing = await fetcher.seek(starts)
        guard let first = missing.min() else { return }
        throw KafkaError(
            .unknownTopicOrPartition, "the consumer can't seek in a partition that isn't assigned to it",
            isRetriable: false, topic: first.topic, partition: first.partition)
    }

    /// Hands out no batch of these partitions, and doesn't fetch them, until `resume`; the others go on.
    ///
    /// What was fetched of them already is kept, and comes first when they go on. Partitions that aren't assigned are
    /// passed over, and one that is assigned later isn't paused.
    public func pause(_ partitions: some Sequence<TopicPartition>) async {
        await fetcher.setPaused(true, Array(partitions))
    }

    /// Lets paused partitions go on.
    public func resume(_ partitions: some Sequence<TopicPartition>) async {
        await fetcher.setPaused(false, Array(partitions))
    }

    /// The partitions that are paused.
    public var paused: Set<TopicPartition> { Set(buffer.collect { $0.isPaused ? true : nil }.keys) }

    /// For each partition the offset after the last batch that was handed out; where none was, the one to begin with,
    /// once it is known.
    public var positions: [TopicPartition: Int64] { buffer.collect { $0.delivered?.offset } }

    /// For each partition the offset after the last record that all replicas in sync have, as of the last answer.
    public var highWatermarks: [TopicPartition: Int64] { buffer.collect(\.highWatermark) }

    /// For each partition the number of offsets between the position and the end of what may be read, as of the last
    /// response. Offsets without a record (transaction markers, compaction) count too.
    ///
    /// A partition whose lag is unknown is omitted: its position is being looked up, or no broker has answered a fetch of
    /// it yet.
    public var lag: [TopicPartition: Int64] {
        buffer.collect { entry in
            guard let delivered = entry.delivered, let end = entry.end else { return nil }
            return offsetDistance(from: delivered.offset, to: end)
        }
    }

    /// Whether everything that could be read as of the last responses was handed out. Paused partitions don't count.
    ///
    /// False without partitions, if all of them are paused, before the first response for one of them, and while a
    /// partition has failed.
    public var isCaughtUp: Bool { buffer.isCaughtUp }

    /// The partitions that have failed permanently, once the iterator or the ``PartitionFailureHandler`` was given the
    /// error. They are read no further until they are sought or assigned again; the others are.
    public var failedPartitions: [TopicPartition: KafkaError] { buffer.collect(\.failure) }
}
