/// Newly assigned partitions, and the positions from which the member reads them.
struct Takeover: Sendable {
    var starts: [TopicPartition: ConsumerStart] = [:]
    /// Partitions that can't be read, such as those without a committed offset if `auto.offset.reset` is `none`. The
    /// member owns them, and the consumer gets the error.
    var failed: [TopicPartition: KafkaError] = [:]
    /// The error of partitions that are in neither dictionary and have to be retried; nil if there are none.
    var retriable: KafkaError?

    var partitions: Set<TopicPartition> { Set(starts.keys).union(failed.keys) }
    func filter(_ isIncluded: (TopicPartition) -> Bool) -> Takeover {
        var filtered = self
        filtered.starts = starts.filter { isIncluded($0.key) }
        filtered.failed = failed.filter { isIncluded($0.key) }
        return filtered
    }

    var isEmpty: Bool { starts.isEmpty && failed.isEmpty }
}
