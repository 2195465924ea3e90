import Concurrency

/// Watches a subscription for missing topics.
///
/// Reports topics that do not exist and patterns that match no topic. Asks a broker to create missing topics that the
/// subscription names, if `allow.auto.create.topics` permits that.
final class MissingTopics: Sendable {
    /// How often a pattern that matches no topic is checked again. Listing all topics is expensive in a large cluster.
    private static let patternInterval = Duration.seconds(30)

    private let cluster: Cluster
    private let changed = Signal()

    init(cluster: Cluster) {
        self.cluster = cluster
    }

    /// Makes `watch` check the topics at once.
    func subscriptionChanged() {
        changed.notify()
    }

    /// Checks the topics until the task is cancelled: every `metadata.max.age.ms`, and more often while one is missing.
    ///
    /// - Parameter subscription: Returns the current subscription; nil if there is none.
    func watch(_ subscription: @Sendable () async -> Subscription?) async {
        var retries: [String: Retry] = [:]
        // Missing topics that a broker was already asked to create.
        var requested: Set<String> = []
        while !Task.isCancelled {
            let current = await subscription()
            let requestedBefore = requested
            let isAnyMissing =
                switch current {
                case .topics(let names): await check(names, &retries, &requested)
                case .pattern(let pattern): await check(pattern: pattern, &retries)
                case nil: false
                }
            var interval = cluster.configuration.maximumMetadataAge
            if isAnyMissing { interval = min(pause(current), interval) }
            if !requested.isSubset(of: requestedBefore) { interval = min(cluster.configuration.retryBackoff, interval) }
            await changed.wait(until: cluster.timing.now() + interval, by: cluster.timing)
        }
    }

    /// The time until a missing topic is looked up again.
    private func pause(_ subscription: Subscription?) -> Duration {
        if case .pattern? = subscription { return Self.patternInterval }
        return max(cluster.configuration.maximumRetryBackoff, .milliseconds(20))
    }

    /// - Parameter requested: The missing topics that a broker was asked to create.
    /// - Returns: Whether any topic is missing.
    private func check(
        _ names: [String], _ retries: inout [String: Retry], _ requested: inout Set<String>
    ) async -> Bool {
        // If the whole request fails, the calls that need the metadata report the error.
        guard let errors = try? await cluster.refresh(topics: names) else { return true }
        let creatable = Set(names.filter { mayCreate(after: errors[$0]) })
        // A broker answers before it has created a topic, so a missing topic is reported only if the next check still
        // finds it missing.
        let new = creatable.subtracting(requested)
        requested = creatable
        // If this fails, the next round repeats it.
        if !creatable.isEmpty { try? await cluster.createMissing(topics: creatable.sorted()) }
        for name in names where !new.contains(name) {
            report(
                errors[name].map { KafkaError.ofTopic($0, name) }, "read the topic \(name)", .topics(names), &retries)
        }
        return names.contains { errors[$0] != nil }
    }

    private func mayCreate(after code: ErrorCode?) -> Bool {
        code == .unknownTopicOrPartition && cluster.configuration.consumer.allowsTopicCreation
    }

    /// In a KIP-848 group the broker matches the pattern, with another syntax. A pattern that this client can't compile
    /// is not checked.
    ///
    /// - Returns: Whether no topic matches.
    private func check(pattern: String, _ retries: inout [String: Retry]) async -> Bool {
        guard let matcher = TopicPattern(pattern) else { return false }
        guard let topics = try? await cluster.listTopics() else { return true }
        let isMatched = topics.contains { matcher.matches($0.name) }
        let error = KafkaError(.unknownTopicOrPartition, "no topic matches the pattern")
        report(
            isMatched ? nil : error, "find a topic that matches '\(pattern)'", .pattern(pattern), &retries)
        return !isMatched
    }

    private func report(
        _ error: KafkaError?, _ operation: String, _ subscription: Subscription,
        _ retries: inout [String: Retry]
    ) {
        guard let error else {
            retries[operation]?.succeeded(in: cluster)
            return
        }
        retries[operation, default: Retry(operation, in: cluster)].failed(
            error, repeatedAfter: pause(subscription), in: cluster)
    }
}
