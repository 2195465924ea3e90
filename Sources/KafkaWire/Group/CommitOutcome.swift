/// The result of a commit of several partitions, of which some may have failed.
struct CommitOutcome: Sendable {
    var committed: Set<TopicPartition> = []
    /// Partitions whose topic was deleted and created again. Their offsets belong to the old topic.
    var recreated: [TopicPartition: KafkaError] = [:]
    /// The error that ended the commit of all other partitions.
    var failure: (any Error)?

    /// Throws if any offset was not committed.
    func check() throws {
        if let failure { throw failure }
        if let first = recreated.min(by: { $0.key < $1.key }) { throw first.value }
    }

    /// Takes in an answer of the coordinator.
    ///
    /// - Parameters:
    ///   - errors: The errors of those `pending` partitions that were not committed.
    ///   - pending: The partitions that were sent; afterwards those that are to be sent again.
    /// - Returns: The error that keeps the pending partitions from being committed, a retriable one if there is any.
    mutating func add(
        _ errors: [TopicPartition: KafkaError], to pending: inout [TopicPartition: TopicOffset]
    ) -> KafkaError? {
        for partition in pending.keys where errors[partition] == nil { committed.insert(partition) }
        for (partition, error) in errors where error.code == .inconsistentTopicId && !error.isFromBroker {
            recreated[partition] = error
        }
        pending = pending.filter { errors[$0.key] != nil && recreated[$0.key] == nil }
        let failures = pending.keys.sorted().compactMap { errors[$0] }
        return failures.first(where: \.isRetriable) ?? failures.first
    }
}
