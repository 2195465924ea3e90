import KafkaWire

/// The offsets that groups have stored, and those that wait for the end of a transaction.
struct GroupOffsets {
    struct Committed {
        var offset: Int64
        var leaderEpoch: Int32
        var metadata: String?
    }

    private(set) var groups: [String: [TopicPartition: Committed]] = [:]
    /// By group and by the transaction's producer id.
    private var pending: [String: [Int64: [TopicPartition: Committed]]] = [:]

    /// - Parameter producerID: Whose transaction has to be committed before the offset counts; nil for none.
    mutating func commit(
        group: String, _ partition: TopicPartition, _ committed: Committed, producerID: Int64? = nil
    ) {
        if let producerID {
            pending[group, default: [:]][producerID, default: [:]][partition] = committed
        } else {
            groups[group, default: [:]][partition] = committed
        }
    }

    /// Ends a transaction that committed offsets of a group.
    mutating func decide(group: String, producerID: Int64, isCommit: Bool) {
        guard let offsets = pending[group]?.removeValue(forKey: producerID), isCommit else { return }
        groups[group, default: [:]].merge(offsets) { $1 }
    }

    /// Whether a transaction that isn't decided yet has an offset for the partition (KIP-447).
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

    /// A topic that is deleted takes its offsets along.
    mutating func forget(topic: String) {
        groups = groups.mapValues { $0.filter { $0.key.topic != topic } }
        pending = pending.mapValues { $0.mapValues { $0.filter { $0.key.topic != topic } } }
    }
}
