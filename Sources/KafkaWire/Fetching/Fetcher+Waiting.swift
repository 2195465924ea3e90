// Reports about what the fetcher waits for and retries.
extension Fetcher {
    /// Something that the fetcher retries, reported separately from the others.
    enum Obstacle: Hashable {
        case metadata
        /// Partitions of this topic have no leader, or don't exist.
        case leaders(topic: String)
        /// This broker fails to list the offsets of its partitions.
        case offsets(node: Int32)
        /// This broker fails to report where leader epochs end.
        case epochs(node: Int32)
        /// Fetches from this broker fail as a whole.
        case broker(Int32)
        /// Brokers refuse fetches of partitions of this topic.
        case refusals(topic: String)

        var operation: String {
            switch self {
            case .metadata: "find the leaders of the assigned partitions"
            case .leaders(let topic): "find the leaders of topic \(topic)"
            case .offsets(let node): "look up offsets at broker \(node)"
            case .epochs(let node): "check at broker \(node) whether logs were truncated"
            case .broker(let node): "fetch from broker \(node)"
            case .refusals(let topic): "fetch topic \(topic)"
            }
        }
    }

    struct Wait {
        var reporter: RetryReporter
        let since: ContinuousClock.Instant
        /// The partitions that it concerns, if it ends for each of them separately.
        var partitions: Set<TopicPartition> = []
    }

    /// Reports a failed attempt.
    ///
    /// - Parameters:
    ///   - key: The partition that was refused, if the obstacle ends for each partition separately.
    ///   - pause: The time until the next attempt; nil if unknown.
    func retries(
        _ obstacle: Obstacle, _ error: KafkaError, of key: TopicPartition? = nil, after pause: Duration? = nil
    ) {
        let now = cluster.timing.now()
        var wait = waits[obstacle] ?? Wait(reporter: RetryReporter(obstacle.operation), since: now)
        wait.reporter.failed(error, at: now, retryingAfter: pause, observer: cluster.observer)
        if let key { wait.partitions.insert(key) }
        waits[obstacle] = wait
    }

    /// Reports that an attempt has succeeded, if one had failed before.
    func succeeded(_ obstacle: Obstacle, of key: TopicPartition? = nil) {
        guard !waits.isEmpty, var wait = waits[obstacle] else { return }
        if let key {
            wait.partitions.remove(key)
            guard wait.partitions.isEmpty else {
                waits[obstacle] = wait
                return
            }
        }
        wait.reporter.succeeded(at: cluster.timing.now(), observer: cluster.observer)
        waits[obstacle] = nil
    }

    /// How much longer than expected a broker may take for a fetch without a report.
    private static let patience = Duration.seconds(2)

    /// Reports a broker that does not answer a fetch, long before `request.timeout.ms` ends the request.
    ///
    /// - Returns: The watch; cancel it when the response has arrived.
    func watchSilence(
        of node: Int32, at address: BrokerAddress, expectedWithin wait: Duration
    ) -> Task<Void, any Error> {
        let (timing, began) = (cluster.timing, cluster.timing.now())
        return Task { [weak self] in
            try await timing.timeout(wait + Self.patience)
            while true {
                await self?.reportSilence(of: node, at: address, since: began)
                try await timing.timeout(Self.patience)
            }
        }
    }

    private func reportSilence(of node: Int32, at address: BrokerAddress, since began: ContinuousClock.Instant) {
        guard !Task.isCancelled else { return }
        let now = cluster.timing.now()
        var wait = waits[.broker(node)] ?? Wait(reporter: RetryReporter(Obstacle.broker(node).operation), since: began)
        wait.reporter.waits(
            KafkaError(.requestTimedOut, "\(address) has not answered a fetch yet"), at: now, since: began,
            observer: cluster.observer)
        waits[.broker(node)] = wait
    }

    /// Drops waits for partitions that were taken away, without a report.
    func forgetWaits() {
        guard !waits.isEmpty else { return }
        let assigned = buffer.collect { _ in true }
        let topics = Set(assigned.keys.map(\.topic))
        waits = waits.filter { obstacle, wait in
            switch obstacle {
            case .metadata, .offsets, .epochs, .broker: !assigned.isEmpty
            case .leaders(let topic): topics.contains(topic)
            case .refusals: wait.partitions.contains { assigned[$0] != nil }
            }
        }
    }
}
