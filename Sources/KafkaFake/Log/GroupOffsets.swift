import KafkaWire

/// The committed offsets of groups, and those of open transactions.
struct GroupOffsets {
    struct Committed {
        var offset: Int64
        var leaderEpoch: Int32
        var metadata: String?
    }

    private(set) var groups: [String: [TopicPartition: Committed]] = [:]
    /// By group and by the transaction's producer id.
    private var pending: [String: [Int64: [TopicPartition: Committed]]] = [:]

    /// - Parameter producerID: The producer whose transaction has to be committed before the offset takes effect; nil
    ///   if none.
    mutating func commit(
        group: String, _ partition: TopicPartition, _ committed: Committed, producerID: Int64? = nil
    ) {
        if let producerID {
            pending[group, default: [:]][producerID, default: [:]][partition] = committed
        } else {
            groups[group, default: [:]][partition] = committed
        }
    }

    /// Ends a transaction that includes offsets of a group.
    mutating func decide(group: String, producerID: Int64, isCommit: Bool) {
        guard let offsets = pending[group]?.removeValue(forKey: producerID), isCommit else { return }
        groups[group, default: [:]].merge(offsets) { $1 }
    }

    /// Whether an open transaction includes an offset of the partition (KIP-447).
    func isUnstable(group: String, _ partition: TopicPartition) -> Bool {
        pending[group]?.values.contains { $0[partition] != nil } ?? false
    }

    /// Removes one offset of a group.
    mutating func remove(group: String, _ partition: TopicPartition) {
        groups[group]?[partition] = nil
    }

    mutating func remove(group: String) {
        groups[group] = nil
        pending[group] = nil
    }

    /// Removes all offsets of a deleted topic.
    mutating func forget(topic: String) {
        groups = groups.mapValues { $0.filter { $0.key.topic != topic } }
        pending = pending.mapValues { $0.mapValues { $0.filter { $0.key.topic != topic } } }
    }
}
