/// A topic and its partitions, according to the cluster's metadata.
public struct TopicDescription: Sendable, Hashable {
    /// The topic's name.
    public let name: String
    /// The topic's id (KIP-516), from Kafka 2.8 on; `KafkaUUID.zero` before. A recreated topic has another id.
    public let id: KafkaUUID
    /// Whether the topic is Kafka's own, such as `__consumer_offsets`.
    public let isInternal: Bool
    /// The partitions, by number.
    public let partitions: [PartitionDescription]

    /// Creates a value, for example in a test.
    public init(
        name: String, id: KafkaUUID = .zero, isInternal: Bool = false, partitions: [PartitionDescription]
    ) {
        self.name = name
        self.id = id
        self.isInternal = isInternal
        self.partitions = partitions
    }
}

/// A partition and its replicas, according to the cluster's metadata.
public struct PartitionDescription: Sendable, Hashable {
    /// The partition's number, from 0.
    public let partition: Int32
    /// The node id of the leader; nil if there is no leader at the moment.
    public let leader: Int32?
    /// The leader epoch, which increases with each new leader; -1 if the broker does not report it (before Kafka 2.1).
    public let leaderEpoch: Int32
    /// The node ids of the replicas, the preferred leader first.
    public let replicas: [Int32]
    /// The node ids of the in-sync replicas, which `acks=all` waits for.
    public let inSyncReplicas: [Int32]

    /// Creates a value, for example in a test.
    public init(
        partition: Int32, leader: Int32?, leaderEpoch: Int32 = -1, replicas: [Int32] = [],
        inSyncReplicas: [Int32] = []
    ) {
        self.partition = partition
        self.leader = leader
        self.leaderEpoch = leaderEpoch
        self.replicas = replicas
        self.inSyncReplicas = inSyncReplicas
    }
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
                partition: partition.partitionIndex, leader: partition.leaderId >= 0 ? partition.leaderId : nil,
                leaderEpoch: partition.leaderEpoch, replicas: partition.replicaNodes,
                inSyncReplicas: partition.isrNodes)
            if let old = known?.partition(fresh.partition), old.leaderEpoch > fresh.leaderEpoch { return old }
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
        if let guess = Int(exactly: index), partitions.indices.contains(guess), partitions[guess].partition == index {
            return partitions[guess]
        }
        return partitions.first { $0.partition == index }
    }
}
