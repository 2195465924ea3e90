import Testing

@testable import KafkaWire

@Suite("Cluster metadata")
struct ClusterMetadataTests {
    private static let id = KafkaUUID(high: 1, low: 1)
    private static let otherID = KafkaUUID(high: 2, low: 2)
    private static let both = [
        MetadataResponse.Broker(nodeId: 1, host: "a", port: 9092), .init(nodeId: 2, host: "b", port: 9093),
    ]

    private func response(
        leader: Int32 = 1, epoch: Int32 = 5, id: KafkaUUID = Self.id, code: ErrorCode = .none,
        brokers: [MetadataResponse.Broker] = Self.both, controller: Int32 = 1, clusterID: String? = "c"
    ) -> MetadataResponse {
        MetadataResponse(
            brokers: brokers, clusterId: clusterID, controllerId: controller,
            topics: [
                .init(
                    errorCode: code.rawValue, name: "t", topicId: id,
                    partitions: [
                        .init(
                            partitionIndex: 0, leaderId: leader, leaderEpoch: epoch, replicaNodes: [1, 2],
                            isrNodes: [leader])
                    ])
            ])
    }

    private func leader(_ metadata: ClusterMetadata) -> (node: Int32, epoch: Int32)? {
        metadata.leader(of: TopicPartition("t"))
    }

    @Test("a response is merged")
    func first() {
        var metadata = ClusterMetadata()
        let errors = metadata.merge(response())
        #expect(errors.isEmpty)
        #expect(leader(metadata)?.node == 1)
        #expect(leader(metadata)?.epoch == 5)
        #expect(metadata.clusterID == "c")
        #expect(metadata.controllerID == 1)
        #expect(metadata.brokers[2] == BrokerAddress(host: "b", port: 9093))
        #expect(metadata.topics["t"]?.id == Self.id)
    }

    @Test("a lower leader epoch is stale, and the current entry stays")
    func olderEpoch() {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response())
        _ = metadata.merge(response(leader: 2, epoch: 4))
        #expect(leader(metadata)?.node == 1)
        #expect(leader(metadata)?.epoch == 5)
    }

    @Test("the same epoch and a higher one replace the entry", arguments: [Int32(5), 6])
    func laterEpoch(epoch: Int32) {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response())
        _ = metadata.merge(response(leader: 2, epoch: epoch))
        #expect(leader(metadata)?.node == 2)
        #expect(leader(metadata)?.epoch == epoch)
    }

    @Test("a recreated topic replaces the entry, whatever its epoch")
    func recreated() {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response())
        _ = metadata.merge(response(leader: 2, epoch: 0, id: Self.otherID))
        #expect(leader(metadata)?.node == 2)
        #expect(leader(metadata)?.epoch == 0)
        #expect(metadata.topics["t"]?.id == Self.otherID)
    }

    @Test("without epochs (before Kafka 2.1) the latest response replaces the entry")
    func withoutEpochs() {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response(epoch: -1))
        _ = metadata.merge(response(leader: 2, epoch: -1))
        #expect(leader(metadata)?.node == 2)
    }

    @Test("a deleted topic is removed, and a topic with another error is kept")
    func errors() {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response())
        let passing = metadata.merge(response(code: .leaderNotAvailable))
        #expect(passing == ["t": .leaderNotAvailable])
        #expect(leader(metadata)?.node == 1)
        let gone = metadata.merge(response(code: .unknownTopicOrPartition))
        #expect(gone == ["t": .unknownTopicOrPartition])
        #expect(metadata.topics["t"] == nil)
        #expect(leader(metadata) == nil)
    }

    @Test("a response without brokers keeps the current ones")
    func noBrokers() {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response())
        _ = metadata.merge(response(brokers: [], controller: -1, clusterID: nil))
        #expect(metadata.brokers.count == 2)
        #expect(metadata.controllerID == nil)
        #expect(metadata.clusterID == "c")
    }

    @Test("a leader of -1, or one that isn't among the brokers, counts as no leader")
    func unknownLeader() {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response(leader: 3))
        #expect(leader(metadata) == nil)
        _ = metadata.merge(response(leader: -1, epoch: 6))
        #expect(leader(metadata) == nil)
        #expect(metadata.topics["t"]?.partitions.first?.leader == nil)
    }

    @Test(
        "a broker with an invalid address is omitted, and the others are used",
        arguments: [(Int32(1), "a", Int32(-1)), (1, "a", 0), (1, "a", 65_536), (1, "", 9092), (-1, "a", 9092)])
    func impossibleBroker(node: Int32, host: String, port: Int32) {
        var metadata = ClusterMetadata()
        _ = metadata.merge(response(brokers: [.init(nodeId: node, host: host, port: port), Self.both[1]]))
        #expect(metadata.brokers.keys.sorted() == [2])
        #expect(leader(metadata) == nil)
    }

    @Test("partitions are found by index, in any order and with gaps")
    func partitionOrder() {
        var metadata = ClusterMetadata()
        let partitions = [Int32(7), 0, 3].map {
            MetadataResponse.Partition(partitionIndex: $0, leaderId: 1 + $0 % 2, leaderEpoch: $0)
        }
        _ = metadata.merge(
            MetadataResponse(brokers: Self.both, topics: [.init(name: "t", topicId: Self.id, partitions: partitions)]))
        for index in [Int32(0), 3, 7] {
            #expect(metadata.leader(of: TopicPartition("t", index))?.epoch == index)
        }
        for index in [Int32(-1), 1, 8, .max] { #expect(metadata.leader(of: TopicPartition("t", index)) == nil) }
    }

    @Test("of duplicate partitions the first is used")
    func partitionTwice() {
        var metadata = ClusterMetadata()
        let listed: [(index: Int32, leader: Int32)] = [(1, 1), (0, 1), (1, 2)]
        let partitions = listed.map {
            MetadataResponse.Partition(partitionIndex: $0.index, leaderId: $0.leader, leaderEpoch: 0)
        }
        _ = metadata.merge(
            MetadataResponse(brokers: Self.both, topics: [.init(name: "t", topicId: Self.id, partitions: partitions)]))
        #expect(metadata.topics["t"]?.partitions.map(\.partition) == [0, 1])
        #expect(metadata.leader(of: TopicPartition("t", 1))?.node == 1)
    }

    @Test("a topic without a name is ignored")
    func nameless() {
        var metadata = ClusterMetadata()
        let topic = MetadataResponse.Topic(errorCode: ErrorCode.unknownTopicId.rawValue, name: nil, topicId: Self.id)
        let errors = metadata.merge(MetadataResponse(brokers: Self.both, topics: [topic]))
        #expect(errors.isEmpty)
        #expect(metadata.topics.isEmpty)
    }
}
