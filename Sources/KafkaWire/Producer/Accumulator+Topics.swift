/// The accumulator's topics: the number of their partitions, and which of those have a leader.
extension Accumulator {
    func knows(_ topic: String) -> Bool { state.withLock { $0.indexByName[topic] != nil } }

    /// The number of a topic's partitions; nil if it isn't known yet.
    func partitionCount(of topic: String) -> Int32? {
        state.withLock { state in state.indexByName[topic].map { Int32(state.topics[$0].partitions.count) } }
    }

    /// The topics that records were sent to.
    var topicNames: [String] { state.withLock { Array($0.indexByName.keys) } }

    /// Adds a topic, or partitions to a topic that is known already.
    ///
    /// - Parameter partitionCount: Above zero. A topic never loses partitions.
    func add(topic name: String, partitionCount: Int) {
        let random = timing.random()
        let now = timing.now()
        state.withLock { state in
            let index = state.indexByName[name] ?? state.topics.count
            if index == state.topics.count {
                state.topics.append(ProducerTopic(partitionCount: partitionCount, random: random))
                state.indexByName[name] = index
            }
            while state.topics[index].partitions.count < partitionCount {
                let partition = TopicPartition(topic: name, partition: Int32(state.topics[index].partitions.count))
                state.topics[index].partitions.append(
                    ProducerPartition(partition: partition, isSerialized: configuration.isIdempotent, now: now))
            }
        }
    }

    /// Takes over a topic's new description: partitions that were added, and which partitions have a leader.
    func learn(_ topic: TopicDescription) {
        guard !topic.partitions.isEmpty else { return }
        add(topic: topic.name, partitionCount: topic.partitions.count)
        state.withLock { state in
            for partition in topic.partitions {
                let key = TopicPartition(topic: topic.name, partition: partition.partition)
                state.partition(key)?.hasLeader = partition.leader != nil
            }
            if let index = state.indexByName[topic.name] { state.topics[index].leadersChanged() }
        }
    }
}
