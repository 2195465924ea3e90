import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Faults in groups of both protocols", .timeLimit(.minutes(1)))
struct GroupFaultTests {
    @Test("each record is processed once while members join and leave", arguments: GroupKind.all)
    func comeAndGo(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            try group.produce(12)
            let first = try await group.start()
            try await group.shared(first)
            let second = try await group.start()
            try group.produce(12)
            try await group.shared(first, second)
            try group.produce(12)
            try await first.stop()
            let third = try await group.start()
            try group.produce(12)
            try await group.shared(second, third)
            try await group.finish()
        }
    }

    @Test("members follow a coordinator that moves repeatedly", arguments: GroupKind.all)
    func coordinatorMoves(kind: GroupKind) async throws {
        try await withGroup(kind, brokers: 3) { group in
            let (first, second) = (try await group.start(), try await group.start())
            try await group.shared(first, second)
            for round in Int32(0)..<6 {
                try group.produce(6)
                group.fake.setCoordinator(round % 3 + 1, of: .group(GroupFixture.group))
                // The old coordinator's last answer is lost.
                if round % 2 == 1 { group.fake.hangUp(broker: (round + 2) % 3 + 1) }
                try await group.processed()
            }
            let third = try await group.start()
            try await group.shared(first, second, third)
            try group.produce(6)
            try await group.finish()
        }
    }

    @Test("members wait for a coordinator that is down for a while", arguments: GroupKind.both)
    func coordinatorDown(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let (first, second) = (try await group.start(), try await group.start())
            try await group.shared(first, second)
            await group.fake.stop(broker: 1)
            try group.produce(12)
            let third = try await group.start()
            try group.fake.start(broker: 1)
            try await group.shared(first, second, third)
            try await group.finish()
        }
    }

    @Test(
        "a permanent error ends the membership with the broker's code",
        arguments: [
            (GroupKind.range, APIKey.joinGroup), (.range, .syncGroup), (.range, .heartbeat), (.range, .offsetFetch),
            (.consumer, .consumerGroupHeartbeat), (.consumer, .offsetFetch),
        ])
    func finalError(kind: GroupKind, api: APIKey) async throws {
        try await withGroup(kind) { group in
            group.fake.inject(.error(.groupAuthorizationFailed), into: api)
            let error = try await group.start().failure()
            #expect(error?.code == .groupAuthorizationFailed)
            #expect(error?.isFromBroker == true)
            #expect(error?.message.contains("group \(GroupFixture.group)") == true)
        }
    }

    // MARK: Lost membership

    @Test(
        "a member with a wrong generation or epoch loses its partitions, commits nothing, and rejoins",
        arguments: [
            (GroupKind.range, ErrorCode.illegalGeneration), (.cooperative, .illegalGeneration),
            (.consumer, .fencedMemberEpoch),
        ])
    func anotherGeneration(kind: GroupKind, code: ErrorCode) async throws {
        try await withGroup(kind) { group in
            try group.produce(6)
            let member = try await group.start(["auto.commit.interval.ms": "600000"])
            try await group.processed()
            let (all, id) = (group.partitions(), member.consumer.groupMetadata?.memberID)
            group.fake.inject(.error(code), into: kind.heartbeat)
            try await eventually("all records are read again") {
                all.allSatisfy { group.ledger[$0] == Array(0..<6) + Array(0..<6) }
            }
            #expect(member.rebalances == [.assigned(all), .lost(all), .assigned(all)])
            // The member rejoins with its id.
            #expect(member.consumer.groupMetadata?.memberID == id)
            #expect(all.allSatisfy { group.committed($0) == nil })
        }
    }

    @Test("a removed member loses its partitions, commits nothing, and rejoins", arguments: GroupKind.all)
    func removal(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            try group.produce(12)
            let member = try await group.start(["auto.commit.interval.ms": "600000"])
            try await group.processed()
            let all = group.partitions()
            try group.remove(member)
            // Nothing was committed, so everything comes again.
            try await eventually("it reads again") {
                all.allSatisfy { group.ledger[$0] == Array(0..<12) + Array(0..<12) }
            }
            #expect(member.rebalances == [.assigned(all), .lost(all), .assigned(all)])
            #expect(all.allSatisfy { group.committed($0) == nil })
        }
    }

    @Test("members that start together share the partitions long before the first heartbeat interval has passed")
    func startTogether() async throws {
        try await withGroup(.consumer) { group in
            group.fake.configureGroups { $0.consumerHeartbeatInterval = .seconds(60) }
            let began = ContinuousClock.now
            let first = try await group.start()
            let second = try await group.start()
            try await group.shared(first, second)
            #expect(ContinuousClock.now - began < .seconds(30))
        }
    }

    @Test("a member that learns of its removal from a commit reports it and rejoins", arguments: GroupKind.all)
    func removalReportedByCommit(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            // A heartbeat would report the removal too.
            group.fake.configureGroups { $0.consumerHeartbeatInterval = .seconds(20) }
            try group.produce(12)
            let member = try await group.start([
                "auto.commit.interval.ms": "600000", "heartbeat.interval.ms": "20000",
            ])
            try await group.processed()
            let all = group.partitions()
            try group.remove(member)
            let error = await #expect(throws: KafkaError.self) { try await member.consumer.commit() }
            #expect(error?.code == .unknownMemberId)
            #expect(all.allSatisfy { group.committed($0) == nil })
            try await eventually("it waits for the next batch") {
                member.rebalances == [.assigned(all), .lost(all), .assigned(all)]
            }
        }
    }

    @Test(
        "a member removed during a batch does not commit over its successors",
        arguments: GroupKind.all)
    func removalDuringBatch(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let slow = try await group.start()
            let all = group.partitions()
            try await group.shared(slow)
            slow.hold()
            try group.produce(12)
            try await eventually("the application is processing a batch") { slow.isStuck }
            try group.remove(slow)
            let quick = try await group.start()
            try await group.shared(quick)
            try await group.processed()
            try await eventually("all is committed") { all.allSatisfy { group.committed($0) == 12 } }
            #expect(slow.lost.isEmpty, "the application is still processing")
            await #expect(throws: KafkaError.self) { try await slow.consumer.commit() }
            slow.release()
            try await group.shared(slow, quick)
            #expect(slow.lost == [all])
            #expect(all.allSatisfy { group.committed($0) == 12 })
        }
    }

    @Test("a retried commit does not include partitions that were lost meanwhile", arguments: GroupKind.both)
    func commitOutlivesMembership(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            try group.produce(12)
            let member = try await group.start(["enable.auto.commit": "false"])
            try await group.processed()
            let all = group.partitions()
            group.fake.clearRequests()
            group.fake.inject(.error(.coordinatorLoadInProgress), into: .offsetCommit, times: .max)
            let commit = Task { try await member.consumer.commit() }
            try await eventually("the commit is refused") { group.fake.count(.offsetCommit) > 1 }
            try group.remove(member)
            try await eventually("it waits for the next batch") {
                member.rebalances == [.assigned(all), .lost(all), .assigned(all)]
            }
            group.fake.clearFaults()
            let error = await #expect(throws: KafkaError.self) { try await commit.value }
            #expect(error?.code == .unknownMemberId)
            #expect(all.allSatisfy { group.committed($0) == nil })
        }
    }

    @Test(
        "an application that exceeds max.poll.interval.ms loses its partitions, and gets some after rejoining",
        arguments: GroupKind.all)
    func stuck(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let slow = try await group.start(["max.poll.interval.ms": "200"])
            let all = group.partitions()
            try await group.shared(slow)
            slow.hold()
            try group.produce(12)
            try await eventually("the application is processing a batch") { slow.isStuck }
            let quick = try await group.start()
            try await group.shared(quick)
            try await group.processed()
            slow.release()
            try await group.shared(slow, quick)
            #expect(slow.lost.contains(all))
            #expect(slow.revoked.isEmpty)
            try await eventually("all is committed") { all.allSatisfy { group.committed($0) == 12 } }
        }
    }

    @Test("each record that the application requests counts as a poll", arguments: GroupKind.both)
    func recordByRecord(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            try group.fake.fill(TopicPartition("t"), [(0..<300).map(String.init)])
            // All records together take longer than the interval. A single record must not, even on a busy machine.
            let member = try await group.start(["max.poll.interval.ms": "2000"], pace: .milliseconds(8))
            try await group.shared(member)
            try await group.finish()
            #expect(member.rebalances.first == .assigned(group.partitions()))
            #expect(member.revoked.count <= 1, "once at its end")
        }
    }

    @Test("a commit after close throws an error", arguments: GroupKind.both)
    func commitAfterEnd(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 1) { group in
            let member = try await group.start(["enable.auto.commit": "false"])
            try await group.shared(member)
            member.hold()
            try group.produce(3)
            try await eventually("the application is processing a batch") { member.isStuck }
            await member.consumer.unsubscribe()
            for _ in 0..<2 {
                let error = await #expect(throws: KafkaError.self) { try await member.consumer.commit() }
                #expect(error?.code == .unknownMemberId)
                await member.consumer.close()
            }
            #expect(group.committed(TopicPartition("t")) == nil)
        }
    }

    @Test("a transaction can't commit for a member that was removed or has left", arguments: GroupKind.all)
    func transactionAfterEnd(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let member = try await group.start()
            try await group.shared(member)
            member.hold()
            try group.produce(3)
            try await eventually("the application is processing a batch") { member.isStuck }
            let cluster = Cluster(
                configuration: try ClientConfiguration(
                    bootstrapServers: group.fake.bootstrapServers, properties: ["transactional.id": "tx"]))
            let producer = KafkaProducer(cluster: cluster)
            let early = try #require(member.consumer.groupMetadata)
            #expect(early.generationID >= 0 && !early.memberID.isEmpty)
            try group.remove(member)
            let other = try await group.start()
            try await group.shared(other)
            for isClosed in [false, true] {
                if isClosed { await member.consumer.close() }
                for identity in [early, try #require(member.consumer.groupMetadata)] {
                    let error = await #expect(throws: KafkaError.self) {
                        try await producer.withTransaction { transaction in
                            let offsets = [TopicPartition("t"): OffsetAndMetadata(2)]
                            try await transaction.sendOffsets(offsets, group: identity)
                        }
                    }
                    #expect(error?.isFromBroker == true, "\(String(describing: error))")
                }
            }
            member.release()
            await producer.close()
            await cluster.close()
            #expect(group.committed(TopicPartition("t")) != 2)
        }
    }

    // MARK: Rebalances

    @Test(
        "a member that reads single records revokes partitions between two records of a batch", arguments: GroupKind.all
    )
    func amidBatch(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 2) { group in
            for partition in group.partitions() { try group.fake.fill(partition, [(0..<300).map(String.init)]) }
            let first = try await group.start(pace: .milliseconds(2))
            try await group.shared(first)
            let second = try await group.start(pace: .milliseconds(2))
            try await group.shared(first, second)
            #expect(group.partitions().allSatisfy { group.ledger[$0].count < 300 })
            try await group.finish()
        }
    }

    @Test("only partitions that move are revoked, and the others are read meanwhile", arguments: GroupKind.both)
    func incremental(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 6) { group in
            let first = try await group.start()
            try await group.shared(first)
            let second = try await group.start()
            try await group.shared(first, second)
            #expect(first.rebalances == [.assigned(group.partitions()), .revoked(second.assignment)])
            #expect(second.rebalances == [.assigned(second.assignment)])

            // While the group waits for one member, the other keeps reading.
            second.hold()
            try group.produce(3)
            try await eventually("the application is processing a batch") { second.isStuck }
            let third = try await group.start()
            try group.produce(6)
            try await eventually("the partitions that the first member keeps are read") {
                first.assignment.count == 2 && first.assignment.allSatisfy { group.ledger[$0].count == 9 }
            }
            #expect(second.revoked.isEmpty)
            second.release()
            try await group.shared(first, second, third)
            try await group.finish()
        }
    }

    @Test("topics created later are read if a pattern matches their whole name", arguments: GroupKind.all)
    func pattern(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 2) { group in
            group.fake.createTopic("at")
            let properties = ["metadata.max.age.ms": "20"]
            let first = try await group.start(properties, .pattern("t.*"))
            let second = try await group.start(properties, .pattern("t.*"))
            try await group.shared(first, second)
            group.fake.createTopic("t2", partitions: 2)
            try group.produce(6, to: ["t", "t2"])
            try await group.shared(first, second, topics: ["t", "t2"])
            try await group.finish(topics: ["t", "t2"])
        }
    }

    @Test("new partitions of a topic are read from their beginning", arguments: GroupKind.all)
    func morePartitions(kind: GroupKind) async throws {
        try await withGroup(kind, partitions: 2) { group in
            let properties = ["metadata.max.age.ms": "20"]
            let (first, second) = (try await group.start(properties), try await group.start(properties))
            try await group.shared(first, second)
            try group.produce(6)
            group.fake.addPartitions(to: "t", count: 4)
            try group.produce(6)
            try await group.shared(first, second)
            try await group.finish()
        }
    }
}
