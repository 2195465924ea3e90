/// Reports topics of a subscription that do not exist, for as long as they are missing.
final class MissingTopics: Sendable {
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
    /// - Parameter topics: The names in the subscription.
    func watch(_ topics: @Sendable () async -> [String]) async {
        var reporters: [String: RetryReporter] = [:]
        let pause = max(cluster.configuration.retryBackoffMaximum, .milliseconds(20))
        while !Task.isCancelled {
            let names = await topics()
            var isAnyMissing = false
            // An error of the whole request is reported by those who need its answer.
            if let errors = try? await cluster.refresh(topics: names) {
                for name in names {
                    if let code = errors[name] {
                        isAnyMissing = true
                        reporters[name, default: RetryReporter("read the topic \(name)")].failed(
                            KafkaError.ofTopic(code, name), at: cluster.timing.now(), retryingAfter: pause,
                            observer: cluster.observer)
                    } else {
                        reporters[name]?.succeeded(at: cluster.timing.now(), observer: cluster.observer)
                    }
                }
            } else {
                isAnyMissing = true
            }
            let interval = cluster.configuration.metadataMaximumAge
            await changed.wait(until: cluster.timing.now() + (isAnyMissing ? min(pause, interval) : interval))
        }
    }
}
