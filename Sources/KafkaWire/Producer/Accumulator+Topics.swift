/// What the accumulator is told of topics: how many partitions they have, and which of those have a leader.
extension Accumulator {
    func knows(_ topic: String) -> Bool { state.withLock { $0.indexByName[topic] != nil } }

    /// How many partitions a topic has; nil where nobody has said so.
    func partitionCount(of topic: String) -> Int32? {
        state.withLock { state in state.indexByName[topic].map { Int32(state.topics[$0].queues.count) } }
    }

    /// The topics that records were sent to.
    var topicNames: [String] { state.withLock { Array($0.indexByName.keys) } }

    /// - Parameter partitionCount: Above zero. A topic that is known already gets those that it lacks, and loses none.
    func add(topic name: String, partitionCount: Int) {
        let random = timing.random()
        let now = timing.now()
        state.withLock { state in
            let index = state.indexByName[name] ?? state.topics.count
            if index == state.topics.count {
                state.topics.append(TopicQueues(partitionCount: partitionCount, random: random))
                state.indexByName[name] = index
            }
            while state.topics[index].queues.count < partitionCount {
                let partition = TopicPartition(topic: name, partition: Int32(state.topics[index].queues.count))
                state.topics[index].queues.append(PartitionQueue(partition: partition, now: now))
            }
        }
    }

    /// Takes over what the cluster says of a topic: partitions that it got meanwhile, and where leaders came or went.
    func learn(_ topic: TopicDescription) {
        guard !topic.partitions.isEmpty else { return }
        add(topic: topic.name, partitionCount: topic.partitions.count)
        state.withLock { state in
            for partition in topic.partitions {
                let key = TopicPartition(topic: topic.name, partition: partition.partition)
                state.queue(key)?.hasLeader = partition.leader != nil
            }
            if let index = state.indexByName[topic.name] { state.topics[index].leadersChanged() }
        }
    }
}
