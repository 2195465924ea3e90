/// A topic as a broker last described it.
public struct TopicDescription: Sendable, Hashable {
    /// The topic's name. A recreated topic has another `id`.
    public let name: String
    /// The topic's id; `KafkaUUID.zero` before Kafka 2.8. A recreated topic has another one (KIP-516).
    public let id: KafkaUUID
    /// Whether the topic is internal to Kafka, such as `__consumer_offsets`.
    public let isInternal: Bool
    /// The partitions, sorted by index.
    public let partitions: [PartitionDescription]
}

/// A partition, with its leader and replicas.
public struct PartitionDescription: Sendable, Hashable {
    /// The partition's number, from 0.
    public let index: Int32
    /// The leader's node id; nil if the partition currently has no leader.
    public let leader: Int32?
    /// The leader epoch, which increases with each new leader; -1 if unknown (before Kafka 2.1).
    public let leaderEpoch: Int32
    /// The node ids of the replicas, the preferred leader first.
    public let replicas: [Int32]
    /// The node ids of the replicas that are in sync with the leader; `acks=all` waits for these.
    public let inSyncReplicas: [Int32]
}

/// A cluster's brokers, controller, topics and partition leaders.
///
/// A plain value, so that its rules can be tested without a cluster.
struct ClusterMetadata: Sendable {
    private(set) var clusterID: String?
    private(set) var controllerID: Int32?
    private(set) var brokers: [Int32: BrokerAddress] = [:]
    private(set) var topics: [String: TopicDescription] = [:]

    /// Merges a metadata response.
    ///
    /// Brokers learn about a new leader at different times, so a response can be older than the current metadata. If a
    /// partition's leader epoch is lower than the current one, its entry stays, unless the topic was recreated
    /// (KIP-320).
    ///
    /// - Returns: The error code of each topic that has one.
    mutating func merge(_ response: MetadataResponse) -> [String: ErrorCode] {
        clusterID = response.clusterId ?? clusterID
        controllerID = response.controllerId >= 0 ? response.controllerId : nil
        var brokers: [Int32: BrokerAddress] = [:]
        for broker in response.brokers {
            guard let port = UInt16(exactly: broker.port), port > 0, broker.nodeId >= 0, !broker.host.isEmpty else {
                continue
            }
            brokers[broker.nodeId] = BrokerAddress(host: broker.host, port: port)
        }
        // A broker that has just started may not list any yet.
        if !brokers.isEmpty { self.brokers = brokers }
        var errors: [String: ErrorCode] = [:]
        for topic in response.topics {
            guard let name = topic.name else { continue }
            let code = ErrorCode(rawValue: topic.errorCode)
            guard code == .none else {
                errors[name] = code
                if code == .unknownTopicOrPartition { topics[name] = nil }
                continue
            }
            topics[name] = describe(topic, name: name)
        }
        return errors
    }

    /// Discards everything. A new cluster behind the same host names may begin again at leader epoch 0.
    mutating func forget() {
        self = ClusterMetadata()
    }

    private func describe(_ topic: MetadataResponse.Topic, name: String) -> TopicDescription {
        let known = topics[name].flatMap { $0.id == topic.topicId ? $0 : nil }
        // Drop duplicate indexes: callers build dictionaries by index.
        var indexes: Set<Int32> = []
        let unique = topic.partitions.filter { indexes.insert($0.partitionIndex).inserted }
        let partitions = unique.sorted { $0.partitionIndex < $1.partitionIndex }.map { partition in
            let fresh = PartitionDescription(
                index: partition.partitionIndex, leader: partition.leaderId >= 0 ? partition.leaderId : nil,
                leaderEpoch: partition.leaderEpoch, replicas: partition.replicaNodes,
                inSyncReplicas: partition.isrNodes)
            if let old = known?.partition(fresh.index), old.leaderEpoch > fresh.leaderEpoch { return old }
            return fresh
        }
        return TopicDescription(
            name: name, id: topic.topicId, isInternal: topic.isInternal, partitions: partitions)
    }

    func leader(of partition: TopicPartition) -> (node: Int32, epoch: Int32)? {
        guard let description = topics[partition.topic]?.partition(partition.partition),
            let leader = description.leader, brokers[leader] != nil
        else { return nil }
        return (leader, description.leaderEpoch)
    }
}

extension TopicDescription {
    func partition(_ index: Int32) -> PartitionDescription? {
        // Usually the partitions are numbered 0 to n - 1.
        if let guess = Int(exactly: index), partitions.indices.contains(guess), partitions[guess].index == index {
            return partitions[guess]
        }
        return partitions.first { $0.index == index }
    }
}
