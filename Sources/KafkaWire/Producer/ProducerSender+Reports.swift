/// The partitions of a topic whose records are retried, and the reporter for all of them.
struct TopicRetries {
    var reporter: RetryReporter
    var partitions: Set<TopicPartition> = []

    init(_ topic: String) {
        reporter = RetryReporter("send records to the topic \(topic)")
    }
}

/// Reports topics whose records are retried: one report for all partitions of a topic.
extension ProducerSender {
    func reportRetry(
        of partition: TopicPartition, _ error: KafkaError, at now: ContinuousClock.Instant, after pause: Duration?
    ) {
        guard let observer = cluster.observer else { return }
        retries[partition.topic, default: TopicRetries(partition.topic)].partitions.insert(partition)
        retries[partition.topic]?.reporter.failed(error, at: now, retryingAfter: pause, observer: observer)
    }

    /// A batch of the partition was written, or was given up.
    func reportEnd(of partition: TopicPartition, succeeded: Bool) {
        guard !retries.isEmpty, retries[partition.topic]?.partitions.remove(partition) != nil,
            retries[partition.topic]?.partitions.isEmpty == true,
            var ended = retries.removeValue(forKey: partition.topic)
        else { return }
        if succeeded { ended.reporter.succeeded(at: cluster.timing.now(), observer: cluster.observer) }
    }
}
