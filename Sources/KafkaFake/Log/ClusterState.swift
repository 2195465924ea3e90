import KafkaWire

/// The state that all brokers of a fake cluster share, protected by the cluster's lock.
struct ClusterState {
    struct Topic {
        let name: String
        let id: KafkaUUID
        var partitions: [PartitionLog]
        var configs = TopicConfigs()
    }

    struct Node {
        let id: Int32
        var port: UInt16
        var rack: String?
        var isRunning = false
    }

    let clusterID = KafkaUUID.random().description
    var clock: FakeClock
    /// By node id, counted from 1.
    var nodes: [Int32: Node] = [:]
    var topics: [String: Topic] = [:]
    /// `auto.create.topics.enable`
    var createsTopics = false
    /// How long a login is valid; zero if it does not expire.
    var sessionLifetime = Duration.zero
    /// By transactional id.
    var transactionalProducers: [String: TransactionalProducer] = [:]
    var groups = GroupCoordinator()
    var offsets = GroupOffsets()
    /// The coordinators that a test has chosen.
    var coordinators: [FakeCoordinated: Int32] = [:]
    var sessions = FetchSessions()
    var faults = FaultList()
    /// Whether the answers held by the fault `.held` are released.
    var releasesAnswers = false
    /// The number of held answers.
    var heldAnswers = 0
    /// See `FakeCluster.changeAnswers`.
    var answerChange: (@Sendable (APIKey, Int16, [UInt8]) -> [UInt8])?
    var requests = RequestLog()
    private var lastProducerID: Int64 = 999

    init(clock: FakeClock) {
        self.clock = clock
    }

    mutating func nextProducerID() -> Int64 {
        lastProducerID += 1
        return lastProducerID
    }

    /// Handles everything that has expired.
    mutating func expire() {
        expireTransactions()
        groups.expire(at: clock.now)
    }

    var runningNodes: [Node] { nodes.values.filter(\.isRunning).sorted { $0.id < $1.id } }

    func topic(id: KafkaUUID) -> Topic? { topics.values.first { $0.id == id } }

    /// A topic by name, or by id if the name is empty.
    func topic(name: String, id: KafkaUUID) -> Topic? { name.isEmpty ? topic(id: id) : topics[name] }

    func partition(_ partition: TopicPartition) -> PartitionLog? {
        topics[partition.topic]?.partition(partition.partition)
    }

    /// Checks whether the broker `node` may answer for the partition to a client that knows `epoch` (-1 if unknown).
    func leadershipError(_ partition: PartitionLog, node: Int32, epoch: Int32) -> ErrorCode? {
        if partition.leader != node { return .notLeaderOrFollower }
        if epoch >= 0, epoch < partition.leaderEpoch { return .fencedLeaderEpoch }
        return epoch > partition.leaderEpoch ? .unknownLeaderEpoch : nil
    }

    /// Checks whether the broker `node` may serve a fetch: it is the leader, or a follower and the client may read from
    /// one (KIP-392).
    func readError(_ partition: PartitionLog, node: Int32, epoch: Int32, isFromFollower: Bool) -> ErrorCode? {
        let isReplica = isFromFollower && partition.leader != nil && partition.replicas.contains(node)
        return leadershipError(partition, node: isReplica ? partition.leader ?? node : node, epoch: epoch)
    }

    /// The running replica in the client's rack to which the leader refers it; nil if the leader is in that rack.
    func nearerReplica(of partition: PartitionLog, than node: Int32, to rack: String) -> Int32? {
        guard !rack.isEmpty, partition.leader == node, nodes[node]?.rack != rack else { return nil }
        return partition.replicas.first { id in
            nodes[id].map { $0.isRunning && $0.rack == rack } ?? false
        }
    }

    /// Creates a topic whose partitions are led by the brokers in turn.
    @discardableResult
    mutating func createTopic(_ name: String, partitions: Int, replication: Int = 1) -> Topic {
        let topic = Topic(
            name: name, id: .random(), partitions: (0..<partitions).map { emptyLog($0, replication: replication) })
        topics[name] = topic
        return topic
    }

    mutating func addPartitions(to name: String, count: Int) {
        while let topic = topics[name], topic.partitions.count < count {
            let log = emptyLog(topic.partitions.count, replication: topic.partitions.first?.replicas.count ?? 1)
            topics[name]?.partitions.append(log)
        }
    }

    private func emptyLog(_ index: Int, replication: Int) -> PartitionLog {
        let ids = nodes.keys.sorted()
        let replicas = (0..<max(replication, 1)).map { ids[(index + $0) % ids.count] }
        return PartitionLog(leader: replicas[0], replicas: replicas)
    }
}

extension ClusterState.Topic {
    func partition(_ index: Int32) -> PartitionLog? {
        guard let slot = Int(exactly: index), partitions.indices.contains(slot) else { return nil }
        return partitions[slot]
    }
}

extension KafkaUUID {
    static func random() -> KafkaUUID {
        KafkaUUID(high: .random(in: 1 ... .max), low: .random(in: 0 ... .max))
    }
}
