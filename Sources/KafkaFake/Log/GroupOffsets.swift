import KafkaWire

/// The offsets that groups have stored.
struct GroupOffsets {
    struct Committed {
        var offset: Int64
        var leaderEpoch: Int32
        var metadata: String?
    }

    private(set) var groups: [String: [TopicPartition: Committed]] = [:]

    mutating func commit(group: String, _ partition: TopicPartition, _ committed: Committed) {
        groups[group, default: [:]][partition] = committed
    }

    /// A topic that is deleted takes its offsets along.
    mutating func forget(topic: String) {
        for group in groups.keys {
            groups[group] = groups[group]?.filter { $0.key.topic != topic }
        }
    }
}
