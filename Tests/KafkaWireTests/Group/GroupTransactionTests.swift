import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A transaction that commits a member's offsets", .timeLimit(.minutes(1)))
struct GroupTransactionTests {
    private let partition = TopicPartition("t")

    /// A member that has processed three records and is not reading at the moment.
    private func reader(_ group: GroupFixture) async throws -> RunningMember {
        try group.produce(3)
        let member = try group.member(["enable.auto.commit": "false"])
        try await member.consumer.subscribe(to: .topics(["t"]))
        var iterator = member.consumer.makeAsyncIterator()
        while member.consumer.positions != [partition: 3] { _ = try await iterator.next(timeout: .milliseconds(5)) }
        return member
    }

    @Test("follows the member into the next generation", arguments: GroupKind.both)
    func nextGeneration(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let consumer = try await reader(group).consumer
            let metadata = try #require(consumer.groupMetadata)
            try await withTransactionalProducer(of: group) { producer in
                // The coordinator is at the next generation, and this member does not know it for a while.
                let request = kind == .consumer ? APIKey.consumerGroupHeartbeat : .joinGroup
                group.fake.clearRequests()
                if kind == .consumer {
                    _ = try await group.start()
                    try await eventually("another member joined") {
                        group.fake.members(ofGroup: GroupFixture.group)?.count == 2
                    }
                } else {
                    group.fake.inject(.held, into: request)
                    try await group.rebalance()
                    try await eventually("the member joins again") { group.fake.heldAnswers == 1 }
                }
                async let sent: Void = producer.withTransaction { transaction in
                    try await transaction.sendOffsets([partition: OffsetAndMetadata(3)], group: metadata)
                }
                if kind != .consumer {
                    try await eventually("the coordinator has refused the offsets") {
                        group.fake.count(.txnOffsetCommit) >= 1
                    }
                    group.fake.releaseAnswers()
                }
                try await sent
                #expect(group.committed(partition) == 3)
                if kind != .consumer { #expect(group.fake.count(.txnOffsetCommit) > 1) }
                #expect(metadata != consumer.groupMetadata || kind == .consumer)
            }
        }
    }

    @Test("waits for the epoch if the coordinator reports a stale one", arguments: [3])
    func staleEpoch(times: Int) async throws {
        try await withGroup(.consumer, partitions: 1) { group in
            let consumer = try await reader(group).consumer
            let metadata = try #require(consumer.groupMetadata)
            try await withTransactionalProducer(of: group) { producer in
                group.fake.inject(
                    .error(.illegalGeneration), into: .txnOffsetCommit, partition: partition, times: times)
                try await producer.withTransaction { transaction in
                    try await transaction.sendOffsets([partition: OffsetAndMetadata(3)], group: metadata)
                }
                #expect(group.committed(partition) == 3)
                #expect(group.fake.count(.txnOffsetCommit) == times + 1)
            }
        }
    }

    @Test("fails if the member lost its membership, also once it is a member again", arguments: GroupKind.both)
    func lost(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let member = try await reader(group)
            let metadata = try #require(member.consumer.groupMetadata)
            try group.remove(member)
            try await withTransactionalProducer(of: group) { producer in
                func send() async {
                    let error = await #expect(throws: KafkaError.self) {
                        try await producer.withTransaction { transaction in
                            try await transaction.sendOffsets([partition: OffsetAndMetadata(3)], group: metadata)
                        }
                    }
                    #expect(error?.meansLostMembership == true)
                }
                await send()
                var iterator = member.consumer.makeAsyncIterator()
                while member.consumer.groupMetadata == metadata || member.assignment.isEmpty {
                    _ = try await iterator.next(timeout: .milliseconds(5))
                }
                await send()
                #expect(group.committed(partition) == nil)
            }
        }
    }

    @Test("does not follow a partition that was revoked and assigned again")
    func regained() throws {
        let identity = GroupIdentity(groupID: "g", instanceID: nil)
        identity.become(memberID: "m", generation: 1)
        identity.tookOver([partition, TopicPartition("u")])
        let before = identity.ofReader
        #expect(before.current(owning: [partition])?.generationID == 1)
        identity.become(memberID: "m", generation: 2)
        #expect(before.current(owning: [partition])?.generationID == 2)
        identity.released([partition])
        identity.become(memberID: "m", generation: 3)
        identity.tookOver([partition])
        #expect(before.current(owning: [partition]) == nil)
        #expect(before.current(owning: [TopicPartition("u")])?.generationID == 3)
        #expect(identity.ofReader.current(owning: [partition])?.generationID == 3)
        identity.become(memberID: "m", generation: -1)
        identity.become(memberID: "m", generation: 4)
        #expect(before.current(owning: [TopicPartition("u")]) == nil)
    }
}
