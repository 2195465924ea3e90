import Synchronization

/// Where a record ended up.
public struct RecordMetadata: Sendable, Hashable {
    public let topic: String
    public let partition: Int32
    /// -1 where no broker told it: with acks=0, and for a batch that was written twice and found out to be so.
    public let offset: Int64
    /// In milliseconds since 1970: the broker's for a topic with LogAppendTime, else the record's own.
    public let timestamp: Int64
}

/// A record on its way: await `metadata` for how it ended.
public struct Delivery: Sendable {
    let batch: BatchOutcome
    let index: Int
    let timestamp: Int64

    /// Whether the record is the first of its batch. All records of a batch end alike: who only wants to know that
    /// everything was delivered needs to await these alone.
    public var isFirstOfBatch: Bool { index == 0 }

    /// Waits until the record is delivered as `acks` asks for.
    ///
    /// - Throws: `KafkaError` with the broker's error, or REQUEST_TIMED_OUT after `delivery.timeout.ms`: then it isn't
    ///   known whether the record was written.
    public var metadata: RecordMetadata {
        get async throws(KafkaError) {
            let written = try await batch.value().get()
            return RecordMetadata(
                topic: batch.partition.topic, partition: batch.partition.partition,
                offset: written.baseOffset < 0 ? -1 : written.baseOffset + Int64(index),
                timestamp: written.logAppendTime < 0 ? timestamp : written.logAppendTime)
        }
    }
}

/// How a batch ended, for all who wait for a record in it.
final class BatchOutcome: Sendable {
    struct Written: Sendable {
        let baseOffset: Int64
        /// In milliseconds since 1970; -1 where the records keep their own timestamps.
        let logAppendTime: Int64
    }

    typealias Outcome = Result<Written, KafkaError>

    private struct State {
        var outcome: Outcome?
        var waiting: [CheckedContinuation<Outcome, Never>] = []
    }

    let partition: TopicPartition
    private let state = Mutex(State())

    init(partition: TopicPartition) {
        self.partition = partition
    }

    func settle(_ outcome: Outcome) {
        let waiting = state.withLock { state in
            guard state.outcome == nil else { return [] as [CheckedContinuation<Outcome, Never>] }
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: outcome) }
    }

    func value() async -> Outcome {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}
