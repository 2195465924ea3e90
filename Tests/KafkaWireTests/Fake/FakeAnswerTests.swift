import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Responses of the fake, API by API")
struct FakeAnswerTests {
    private let partition = TopicPartition("t")
    private let timeout = Duration.seconds(10)

    private func fetch(_ connection: NegotiatedConnection, _ id: KafkaUUID, rack: String) async throws
        -> FetchResponse.PartitionData
    {
        let request = FetchRequest(
            topics: [.init(topicId: id, partitions: [.init(currentLeaderEpoch: 0, partitionMaxBytes: 1 << 20)])],
            rackId: rack)
        return try #require(try await connection.call(request, timeout: timeout).responses.first?.partitions.first)
    }

    @Test("a leader redirects a consumer in another rack to a replica there, and only that replica serves it")
    func nearerReplica() async throws {
        try await withFake(brokers: 3) { fake, cluster in
            let id = fake.createTopic("t", replication: 2)
            try fake.fill(partition, [["a"]])
            for (broker, rack) in [(1, "x"), (2, "y"), (3, "z")] { fake.setRack(rack, of: Int32(broker)) }
            let leader = try #require(fake.leader(of: partition))
            _ = try await cluster.describe(topics: ["t"])
            let connections = [
                try await cluster.connection(to: 1, role: .fetch), try await cluster.connection(to: 2, role: .fetch),
                try await cluster.connection(to: 3, role: .fetch),
            ]
            #expect(leader == 1)
            let sent = try await fetch(connections[0], id, rack: "y")
            #expect(sent.preferredReadReplica == 2 && sent.records?.isEmpty == true && sent.errorCode == 0)
            let served = try await fetch(connections[1], id, rack: "y")
            #expect(served.records?.isEmpty == false && served.highWatermark == 1)
            for rack in ["x", "z", ""] {
                let own = try await fetch(connections[0], id, rack: rack)
                #expect(own.preferredReadReplica == -1 && own.records?.isEmpty == false)
            }
            #expect(try await fetch(connections[2], id, rack: "z").errorCode == ErrorCode.notLeaderOrFollower.rawValue)
            await fake.stop(broker: 2)
            #expect(try await fetch(connections[0], id, rack: "y").preferredReadReplica == -1)
        }
    }

    @Test("OffsetForLeaderEpoch returns the log's epoch ends, and rejects a request with another leader epoch")
    func epochEnds() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [["a", "b"], ["c"]])
            fake.elect(1, for: partition)
            try fake.fill(partition, [["d"]])
            let connection = try await cluster.anyConnection()
            func end(_ epoch: Int32, current: Int32 = -1) async throws -> OffsetForLeaderEpochResponse.EpochEndOffset {
                let request = OffsetForLeaderEpochRequest(
                    replicaId: -1,
                    topics: [.init(topic: "t", partitions: [.init(currentLeaderEpoch: current, leaderEpoch: epoch)])])
                let response = try await connection.call(request, timeout: timeout)
                return try #require(response.topics.first?.partitions.first)
            }
            #expect(try await end(0) == .init(leaderEpoch: 0, endOffset: 3))
            #expect(try await end(1, current: 1) == .init(leaderEpoch: 1, endOffset: 4))
            #expect(try await end(2).endOffset == -1)
            #expect(try await end(0, current: 0).errorCode == ErrorCode.fencedLeaderEpoch.rawValue)
            #expect(try await end(0, current: 2).errorCode == ErrorCode.unknownLeaderEpoch.rawValue)
            fake.truncate(partition, to: 2)
            #expect(try await end(1) == .init(leaderEpoch: 0, endOffset: 2))
            #expect(fake.leaderEpochs(of: partition).map(\.startOffset) == [0, 2])
        }
    }

    @Test("a topic's settings are described, changed and applied")
    func configs() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let connection = try await cluster.anyConnection()
            func alter(_ name: String, _ operation: Int8, _ value: String?) async throws -> ErrorCode {
                let request = IncrementalAlterConfigsRequest(resources: [
                    .init(
                        resourceType: 2, resourceName: "t",
                        configs: [.init(name: name, configOperation: operation, value: value)])
                ])
                let response = try await connection.call(request, timeout: timeout)
                return ErrorCode(rawValue: try #require(response.responses.first).errorCode)
            }
            func value(_ name: String) async throws -> DescribeConfigsResponse.Config {
                let request = DescribeConfigsRequest(resources: [
                    .init(resourceType: 2, resourceName: "t", configurationKeys: [name])
                ])
                let response = try await connection.call(request, timeout: timeout)
                return try #require(response.results.first?.configs.first)
            }
            #expect(try await value("message.timestamp.type").configSource == 5)
            #expect(try await alter("message.timestamp.type", 0, "LogAppendTime") == .none)
            #expect(try await value("message.timestamp.type").configSource == 1)
            #expect(try await alter("message.timestamp.type", 0, "Yesterday") == .invalidConfig)
            #expect(try await alter("no.such.thing", 0, "1") == .invalidConfig)
            #expect(try await alter("cleanup.policy", 2, "compact") == .none)
            #expect(try await alter("cleanup.policy", 3, "delete") == .none)
            #expect(try await value("cleanup.policy").value == "compact")
            #expect(try await alter("retention.ms", 2, "1") == .invalidConfig)

            let producer = KafkaProducer(cluster: cluster)
            let metadata = try await producer.send(
                ProducerRecord(topic: "t", key: [0], value: [1], timestamp: KafkaTimestamp(millisecondsSince1970: 5)))
            #expect(metadata.timestamp.millisecondsSince1970 > 1_000_000_000_000)
            await producer.close()
            #expect(try await alter("message.timestamp.type", 1, nil) == .none)
            #expect(try await value("message.timestamp.type").value == "CreateTime")
        }
    }

    @Test("a joining member waits for the others, until they rejoin or are removed")
    func waiting() async throws {
        try await withFake(time: .still) { fake, cluster in
            let first = try await cluster.connection(to: .group("g"), role: .group)
            let second = try await cluster.connection(to: .group("g"), role: .fetch)
            func request(_ id: String) -> JoinGroupRequest {
                JoinGroupRequest(
                    groupId: "g", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, memberId: id,
                    protocolType: "consumer", protocols: [.init(name: "range", metadata: ByteSlice([1]))])
            }
            func named(_ connection: NegotiatedConnection) async throws -> String {
                let response = try await connection.call(request(""), timeout: timeout)
                #expect(response.errorCode == ErrorCode.memberIdRequired.rawValue)
                return response.memberId
            }
            let a = try await named(first)
            #expect(try await first.call(request(a), timeout: timeout).generationId == 1)
            let b = try await named(second)
            let joinSecond = request(b)
            async let joined = second.call(joinSecond, timeout: .seconds(10))
            try await eventually("the second member waits") { fake.state(ofGroup: "g") == "PreparingRebalance" }
            #expect(fake.members(ofGroup: "g")?.map(\.id) == [a, b])
            fake.advance(by: .seconds(10))
            let answer = try await joined
            #expect(answer.generationId == 2 && answer.leader == b && answer.members.count == 1)

            let c = try await named(first)
            let joinThird = request(c)
            async let joining = first.call(joinThird, timeout: .seconds(10))
            try await eventually("the third member waits") { fake.members(ofGroup: "g")?.count == 2 }
            #expect(fake.expire(member: b, ofGroup: "g"))
            #expect(try await joining.leader == c)
        }
    }
}
