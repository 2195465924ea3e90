/// Where a consumer begins to read a partition.
public struct ConsumerStart: Sendable, Hashable {
    public var spec: OffsetSpec
    /// The leader epoch of the last record that was read before, for `OffsetSpec.offset`; -1 where it isn't known.
    ///
    /// With it a log that was cut back since is noticed (KIP-320), from Kafka 2.7 on.
    public var leaderEpoch: Int32

    public init(_ spec: OffsetSpec, leaderEpoch: Int32 = -1) {
        self.spec = spec
        self.leaderEpoch = leaderEpoch
    }
}

/// Reads partitions that it was given by hand: an asynchronous sequence of record batches.
///
/// ```swift
/// for try await batch in consumer {
///     var records = batch.records
///     while let record = try records.next() { … record.value … }
/// }
/// ```
///
/// Records are views of the memory that they were received in. Answers are fetched ahead while batches are read: for
/// each broker one answer is being read and one more is on its way or waits. So a consumer that is slow slows the
/// fetching, and memory stays at about twice `fetch.max.bytes` for each broker. A batch that is kept keeps the whole
/// answer.
///
/// A batch may have no records left in it (transaction markers, compaction). It is in the sequence all the same,
/// since the position moves with it.
public final class KafkaConsumer: Sendable, AsyncSequence {
    public typealias Element = RecordBatch

    private let cluster: Cluster
    private let buffer = FetchBuffer()
    private let fetcher: Fetcher

    init(cluster: Cluster, offsetReset: ConsumerConfiguration.OffsetReset) {
        self.cluster = cluster
        fetcher = Fetcher(cluster: cluster, buffer: buffer, offsetReset: offsetReset)
    }

    deinit {
        let fetcher = fetcher
        Task { await fetcher.close() }
    }

    /// Reads these partitions and no others from now on, each from the given place.
    ///
    /// Batches that were fetched for an earlier assignment are dropped.
    public func assign(_ starts: [TopicPartition: ConsumerStart]) async {
        await fetcher.assign(starts)
    }

    /// Ends the fetching, and the sequence.
    public func close() async {
        await fetcher.close()
    }

    /// For each partition the offset after the last batch that was handed out; where none was, the one to begin with,
    /// once it is known.
    public var positions: [TopicPartition: Int64] { buffer.positions }

    /// For each partition the offset after the last record that all replicas in sync have, as of the last answer.
    public var highWatermarks: [TopicPartition: Int64] { buffer.highWatermarks }

    /// Whether everything up to the last known high watermarks was handed out.
    public var isCaughtUp: Bool { buffer.isCaughtUp }

    public func makeAsyncIterator() -> Iterator {
        Iterator(consumer: self)
    }

    /// - Important: One iterator at a time: two would share the batches between them.
    public struct Iterator: AsyncIteratorProtocol {
        private let consumer: KafkaConsumer
        private var part: FetchedPartition?
        private var reader: RecordBatchReader?

        fileprivate init(consumer: KafkaConsumer) {
            self.consumer = consumer
        }

        /// The next batch; nil once the consumer is closed.
        ///
        /// - Throws: `KafkaError`: CORRUPT_MESSAGE with topic, partition and offset for a batch that can't be read,
        ///   OFFSET_OUT_OF_RANGE where `auto.offset.reset` is `none`, and what no retry cures. `CancellationError`.
        public mutating func next() async throws -> RecordBatch? {
            while true {
                switch try await next(timeout: nil) {
                case .batch(let batch): return batch
                case .finished: return nil
                case .timedOut: continue
                }
            }
        }

        public enum Step: Sendable {
            case batch(RecordBatch)
            /// No batch came in time.
            case timedOut
            /// The consumer was closed.
            case finished
        }

        /// The same, but waits no longer than `timeout`; nil waits for as long as it takes.
        public mutating func next(timeout: Duration?) async throws -> Step {
            while true {
                if let part {
                    if let batch = try nextBatch(of: part) { return .batch(batch) }
                    self.part = nil
                    reader = nil
                }
                switch try await consumer.buffer.take(timeout: timeout) {
                case .part(let part): begin(part)
                case .nothing: return .timedOut
                case .finished: return .finished
                }
            }
        }

        private mutating func begin(_ part: FetchedPartition) {
            let configuration = consumer.cluster.configuration.consumer
            self.part = part
            reader = RecordBatchReader(
                topic: part.partition.topic, partition: part.partition.partition, records: part.records,
                from: part.firstOffset, checksCRC: configuration.checksCRCs,
                maximumInflatedBytes: configuration.maximumInflatedBytes, pool: consumer.cluster.pool)
        }

        private mutating func nextBatch(of part: FetchedPartition) throws(KafkaError) -> RecordBatch? {
            guard consumer.buffer.isCurrent(part.assignment), let batch = try reader?.next() else { return nil }
            consumer.buffer.delivered(slot: part.slot, nextOffset: batch.nextOffset, assignment: part.assignment)
            return batch
        }
    }
}
