import Concurrency

/// Watches a subscription: reports topics that do not exist and patterns that match none, and has the broker create the
/// topics that are named if `allow.auto.create.topics` permits that.
final class MissingTopics: Sendable {
    /// How often a pattern is compared with all topics, at least: the listing is a large response in a large cluster.
    private static let patternInterval = Duration.seconds(30)

    private let cluster: Cluster
    private let changed = Signal()

    init(cluster: Cluster) {
        self.cluster = cluster
    }

    /// Has the topics checked at once.
    func subscriptionChanged() {
        changed.notify()
    }

    /// Checks the topics until the task is cancelled: every `metadata.max.age.ms`, and more often while one is missing.
    ///
    /// - Parameter subscription: Gives the current subscription; nil if there is none.
    func watch(_ subscription: @Sendable () async -> Subscription?) async {
        var reporters: [String: RetryReporter] = [:]
        // Missing topics that a broker was already asked to create.
        var requested: Set<String> = []
        while !Task.isCancelled {
            let current = await subscription()
            let requestedBefore = requested
            let isAnyMissing =
                switch current {
                case .topics(let names): await check(names, &reporters, &requested)
                case .pattern(let pattern): await check(pattern: pattern, &reporters)
                case nil: false
                }
            var interval = cluster.configuration.maximumMetadataAge
            if isAnyMissing { interval = min(pause(current), interval) }
            if !requested.isSubset(of: requestedBefore) { interval = min(cluster.configuration.retryBackoff, interval) }
            await changed.wait(until: cluster.timing.now() + interval)
        }
    }

    /// The time until a missing topic is looked for again.
    private func pause(_ subscription: Subscription?) -> Duration {
        if case .pattern? = subscription { return Self.patternInterval }
        return max(cluster.configuration.maximumRetryBackoff, .milliseconds(20))
    }

    /// - Parameter requested: The missing topics that a broker was asked to create.
    /// - Returns: Whether any topic is missing.
    private func check(
        _ names: [String], _ reporters: inout [String: RetryReporter], _ requested: inout Set<String>
    ) async -> Bool {
        // An error of the whole request is reported by the calls that need its answer.
        guard let errors = try? await cluster.refresh(topics: names) else { return true }
        let creatable = Set(names.filter { mayCreate(after: errors[$0]) })
        // A broker creates a topic beside its answer. That the topic is missing is reported if it still is when it is
        // asked for again.
        let new = creatable.subtracting(requested)
        requested = creatable
        // If this fails, the next round repeats it.
        if !creatable.isEmpty { try? await cluster.createMissing(topics: creatable.sorted()) }
        for name in names where !new.contains(name) {
            report(
                errors[name].map { KafkaError.ofTopic($0, name) }, "read the topic \(name)", .topics(names), &reporters)
        }
        return names.contains { errors[$0] != nil }
    }

    private func mayCreate(after code: ErrorCode?) -> Bool {
        code == .unknownTopicOrPartition && cluster.configuration.consumer.allowsTopicCreation
    }

    /// - Returns: Whether no topic matches. In a KIP-848 group the broker matches, by another syntax: a pattern that
    ///   this client can't read is not checked.
    private func check(pattern: String, _ reporters: inout [String: RetryReporter]) async -> Bool {
        guard let matcher = TopicPattern(pattern) else { return false }
        guard let topics = try? await cluster.allTopicNames() else { return true }
        let isMatched = topics.contains { matcher.matches($0) }
        let error = KafkaError(.unknownTopicOrPartition, "no topic matches the pattern")
        report(
            isMatched ? nil : error, "find a topic that matches '\(pattern)'", .pattern(pattern), &reporters)
        return !isMatched
    }

    private func report(
        _ error: KafkaError?, _ operation: String, _ subscription: Subscription,
        _ reporters: inout [String: RetryReporter]
    ) {
        if let error {
            reporters[operation, default: RetryReporter(operation)].failed(
                error, at: cluster.timing.now(), retryingAfter: pause(subscription), observer: cluster.observer)
        } else {
            reporters[operation]?.succeeded(at: cluster.timing.now(), observer: cluster.observer)
        }
    }
}
