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

    // MARK: Outcomes

    /// Does something for each of several items, and again for those that failed for a passing reason.
    ///
    /// - Parameters:
    ///   - topics: The topics whose leaders matter to it.
    ///   - final: Errors that aren't to be tried again though they may pass.
    ///   - limit: How long to go on; `default.api.timeout.ms` where nil.
    ///   - attempt: Does it for the items that are left, and gives the outcome of each.
    /// - Returns: An outcome for each item.
    /// - Throws: What `attempt` throws, where no item has an outcome yet.
    func outcomes<Item: Hashable & Sendable, Value: Sendable>(
        of items: some Sequence<Item>, topics: [String] = [], final: Set<ErrorCode> = [], limit: Duration? = nil,
        _ attempt: ([Item]) async throws -> [Item: Result<Value, KafkaError>]
    ) async throws -> [Item: Result<Value, KafkaError>] {
        var left = Set(items)
        var settled: [Item: Result<Value, KafkaError>] = [:]
        var passing: [Item: KafkaError] = [:]
        guard !left.isEmpty else { return [:] }
        do {
            try await cluster.retrying(topics: topics, final: final, limit: limit) {
                let answer = try await attempt(Array(left))
                passing = [:]
                for item in left {
                    let outcome = answer[item] ?? .failure(Self.leftOut)
                    if case .failure(let error) = outcome, error.isRetriable, !final.contains(error.code) {
                        passing[item] = error
                    } else {
                        settled[item] = outcome
                        left.remove(item)
                    }
                }
                if let error = passing.values.first { throw error }
            }
        } catch let error as KafkaError {
            if settled.isEmpty, passing.isEmpty { throw error }
            for item in left { settled[item] = .failure(passing[item] ?? error) }
        }
        return settled
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
