import Concurrency

/// What there is in a cluster, and to change it.
///
/// A call that is about several things gives a result for each, so that one that fails hides none of the others; it
/// throws only where nothing could be done at all. What fails for a passing reason is tried again until
/// `default.api.timeout.ms` is over.
///
/// ```swift
/// let created = try await client.admin.createTopics([NewTopic("orders", partitions: 6), NewTopic("returns")])
/// for (name, outcome) in created {
///     if case .failure(let error) = outcome { print(name, error) }
/// }
/// ```
public struct KafkaAdmin: Sendable {
    let cluster: Cluster

    /// Offsets of partitions: the first, the end, or by timestamp (KIP-79). The end is that of what all replicas in
    /// sync have, whatever `isolation.level` says; an `OffsetSpec.offset` comes back as it is.
    ///
    /// - Throws: The error of the first partition that can't be told, naming it; after `default.api.timeout.ms` where
    ///   it may pass, as UNKNOWN_TOPIC_OR_PARTITION may for a topic that is being made.
    public func listOffsets(_ specs: [TopicPartition: OffsetSpec]) async throws -> [TopicPartition: ListedOffset] {
        try await cluster.listOffsets(specs)
    }

    // MARK: Time

    /// How long a broker may take for something that it does with others.
    var timeoutMs: Int32 { cluster.configuration.requestTimeout.asMilliseconds }

    /// How long to wait for the answer to such a request: the broker's own time-out comes first.
    var patience: Duration { cluster.configuration.requestTimeout + .seconds(5) }

    var requestTimeout: Duration { cluster.configuration.requestTimeout }

    /// When a call that begins now has to have ended.
    var deadline: ContinuousClock.Instant { cluster.timing.now() + cluster.configuration.defaultAPITimeout }

    /// What is left for the further steps of a call; never zero, which would mean a single attempt.
    func timeLeft(until deadline: ContinuousClock.Instant) -> Duration {
        max(deadline - cluster.timing.now(), .milliseconds(1))
    }

    // MARK: Outcomes

    /// Does something for each of several items, and again for those that failed for a passing reason.
    ///
    /// - Parameters:
    ///   - items: The items; each is settled by its first outcome that is not a retriable error.
    ///   - operation: What is done, as an infinitive without the items: "create the topics".
    ///   - topics: The topics whose leaders matter to it.
    ///   - final: Retriable errors that must not be retried.
    ///   - limit: How long the call may take; `default.api.timeout.ms` if nil.
    ///   - attempt: Does it once for the items that are left, and returns the outcome of each.
    /// - Returns: An outcome for each item.
    /// - Throws: What `attempt` throws, if no item has an outcome yet.
    func outcomes<Item: Hashable & Sendable, Value: Sendable>(
        of items: some Sequence<Item>, operation: String, topics: [String] = [], final: Set<ErrorCode> = [],
        limit: Duration? = nil,
        _ attempt: @escaping @Sendable ([Item]) async throws -> [Item: Result<Value, KafkaError>]
    ) async throws -> [Item: Result<Value, KafkaError>] {
        // Locked, since an attempt that has run out of time may still end after this function has returned.
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

    /// What is said of an item that a broker's answer should have named, and didn't.
    static let leftOut = KafkaError(.unknownServerError, "the broker left it out of its answer")

    /// Success, or the error that a broker's code stands for.
    ///
    /// - Parameters:
    ///   - message: The broker's own sentence, which some versions don't send.
    ///   - fallback: What is said then.
    static func outcome<Value>(
        _ code: Int16, _ message: String?, else fallback: @autoclosure () -> String, topic: String? = nil,
        partition: Int32? = nil, success: @autoclosure () -> Value
    ) -> Result<Value, KafkaError> {
        let code = ErrorCode(rawValue: code)
        guard code != .none else { return .success(success()) }
        // The broker's own words for it name no topic.
        let unknownTopic = code == .unknownTopicOrPartition && partition == nil ? topic : nil
        let text =
            unknownTopic.map { "the topic \($0) does not exist" } ?? message.flatMap { $0.isEmpty ? nil : $0 }
            ?? fallback()
        return .failure(KafkaError(code, text, isFromBroker: true, topic: topic, partition: partition))
    }
}
