import Concurrency

/// Describes and changes a cluster: topics, configs, groups, records, ACLs, SCRAM users.
///
/// A call for several items returns a result for each, so that one failure does not hide the other results. It throws only
/// if nothing could be done at all. Retriable failures are retried for `default.api.timeout.ms`.
///
/// Every call throws `KafkaError`, or `CancellationError` if the task is cancelled.
///
/// ```swift
/// let created = try await client.admin.createTopics([NewTopic("orders", partitions: 6), NewTopic("returns")])
/// for (name, outcome) in created {
///     if case .failure(let error) = outcome { print(name, error) }
/// }
/// ```
public struct KafkaAdmin: Sendable {
    let cluster: Cluster

    /// Returns offsets of partitions: the first, the end, or by timestamp (KIP-79).
    ///
    /// The end is the high watermark, whatever `isolation.level` is. An `OffsetSpec.offset` is returned unchanged.
    ///
    /// - Throws: The error of the first partition that fails, which it names. A retriable error is thrown after
    ///   `default.api.timeout.ms`, such as UNKNOWN_TOPIC_OR_PARTITION for a topic that is being created.
    public nonisolated(nonsending) func listOffsets(_ specs: [TopicPartition: OffsetSpec]) async throws
        -> [TopicPartition: ListedOffset]
    {
        try await cluster.listOffsets(specs)
    }

    // MARK: Time

    /// The timeout that a request asks the broker to keep.
    var timeoutMs: Int32 { cluster.configuration.requestTimeout.asMilliseconds }

    /// How long to wait for the response to such a request. Longer than the broker's own timeout, so that this comes first.
    var patience: Duration { cluster.configuration.requestTimeout + .seconds(5) }

    var requestTimeout: Duration { cluster.configuration.requestTimeout }

    /// The deadline of a call that begins now.
    var deadline: ContinuousClock.Instant { cluster.timing.now() + cluster.configuration.defaultAPITimeout }

    /// The time left for the further steps of a call; never zero, which would mean a single attempt.
    func timeLeft(until deadline: ContinuousClock.Instant) -> Duration {
        max(deadline - cluster.timing.now(), .milliseconds(1))
    }

    // MARK: Outcomes

    /// Runs an operation for several items, and retries it for those that failed with a retriable error.
    ///
    /// - Parameters:
    ///   - items: The items; each is settled by its first outcome that is not a retriable error.
    ///   - operation: The operation, as an infinitive without the items: "create the topics".
    ///   - topics: The topics whose leaders the operation depends on.
    ///   - final: Retriable errors that must not be retried.
    ///   - limit: How long the call may take; `default.api.timeout.ms` if nil.
    ///   - attempt: Runs the operation once for the unsettled items, and returns the outcome of each.
    /// - Returns: An outcome for each item.
    /// - Throws: What `attempt` throws, if no item has an outcome yet.
    func outcomes<Item: Hashable & Sendable, Value: Sendable>(
        of items: some Sequence<Item>, operation: String, topics: [String] = [], final: Set<ErrorCode> = [],
        limit: Duration? = nil,
        _ attempt: @escaping @Sendable ([Item]) async throws -> [Item: Result<Value, KafkaError>]
    ) async throws -> [Item: Result<Value, KafkaError>] {
        // Locked, since an attempt that has timed out may still end after this function has returned.
        let progress = Lock(Progress<Item, Value>(left: Set(items)))
        let left = progress.withLock { $0.left }
        guard !left.isEmpty else { return [:] }
        do {
            let operation = "\(operation) \(left.map { "\($0)" }.briefly)"
            try await cluster.retrying(operation: operation, topics: topics, final: final, limit: limit) {
                let answer = try await attempt(Array(progress.withLock { $0.left }))
                let failure = progress.withLock { $0.take(answer, final: final) }
                if let failure { throw failure }
            }
        } catch let error as KafkaError {
            let outcomes = progress.withLock { $0.outcomes(or: error) }
            guard let outcomes else { throw error }
            return outcomes
        }
        return progress.withLock { $0.settled }
    }

    /// The outcomes of the items so far.
    private struct Progress<Item: Hashable & Sendable, Value: Sendable> {
        var left: Set<Item>
        var settled: [Item: Result<Value, KafkaError>] = [:]
        /// The last retriable error of each item that is left.
        var passing: [Item: KafkaError] = [:]

        /// - Returns: A retriable error of an item that is left; nil if all are settled.
        mutating func take(_ answer: [Item: Result<Value, KafkaError>], final: Set<ErrorCode>) -> KafkaError? {
            passing = [:]
            for item in left {
                let outcome = answer[item] ?? .failure(KafkaAdmin.leftOut)
                if case .failure(let error) = outcome, error.isRetriable, !final.contains(error.code) {
                    passing[item] = error
                } else {
                    settled[item] = outcome
                    left.remove(item)
                }
            }
            return passing.values.first
        }

        /// - Returns: All outcomes, after the call ended with an error; nil if no item has an outcome of its own.
        func outcomes(or error: KafkaError) -> [Item: Result<Value, KafkaError>]? {
            if settled.isEmpty, passing.isEmpty { return nil }
            var outcomes = settled
            for item in left { outcomes[item] = .failure(passing[item] ?? error) }
            return outcomes
        }
    }

    /// The error for an item that is missing in the broker's response.
    static let leftOut = KafkaError(.unknownServerError, "the broker's response does not contain it")

    /// Returns success, or the error for a broker's error code.
    ///
    /// - Parameters:
    ///   - message: The broker's message, which some versions do not send.
    ///   - fallback: The message if the broker sent none.
    static func outcome<Value>(
        _ code: Int16, _ message: String?, else fallback: @autoclosure () -> String, topic: String? = nil,
        partition: Int32? = nil, success: @autoclosure () -> Value
    ) -> Result<Value, KafkaError> {
        let code = ErrorCode(rawValue: code)
        guard code != .none else { return .success(success()) }
        // The broker's own message names no topic.
        let unknownTopic = code == .unknownTopicOrPartition && partition == nil ? topic : nil
        let text =
            unknownTopic.map { "the topic \($0) does not exist" } ?? message.flatMap { $0.isEmpty ? nil : $0 }
            ?? fallback()
        return .failure(KafkaError(code, text, isFromBroker: true, topic: topic, partition: partition))
    }
}
