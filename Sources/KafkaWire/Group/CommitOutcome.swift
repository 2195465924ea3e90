/// The result of a commit of several partitions, some of which may have failed.
struct CommitOutcome: Sendable {
    var committed: Set<TopicPartition> = []
    /// The errors of partitions whose topic was deleted and recreated. Their offsets belong to the old topic.
    var recreated: [TopicPartition: KafkaError] = [:]
    /// The error of all partitions that are in neither `committed` nor `recreated`; nil if there are none.
    var failure: (any Error)?

    /// Throws if any offset was not committed.
    func check() throws {
        if let failure { throw failure }
        if let first = recreated.min(by: { $0.key < $1.key }) { throw first.value }
    }

    /// Adds a response of the coordinator.
    ///
    /// - Parameters:
    ///   - errors: The errors of those `pending` partitions that were not committed.
    ///   - pending: The partitions that were sent. Afterwards only those that have to be resent.
    /// - Returns: An error of the remaining pending partitions, a retriable one if there is any; nil if none remain.
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
