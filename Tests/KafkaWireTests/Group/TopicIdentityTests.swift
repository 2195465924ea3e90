import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Offsets of a topic that was deleted and created again", .timeLimit(.minutes(1)))
struct TopicIdentityTests {
    /// Both group protocols, with commits that carry topic ids (version 10) and commits that carry names.
    static let cases = GroupKind.both.flatMap { kind in [(kind, true), (kind, false)] }
    private let old = TopicPartition("t")
    private let other = TopicPartition("u")

    private func withGroup(
        _ kind: GroupKind, sendsIDs: Bool, _ body: (GroupFixture) async throws -> Void
    ) async throws {
        let versions = sendsIDs ? SpokenVersions.latest : .latest.with(.offsetCommit, 2...9)
        try await KafkaWireTests.withGroup(kind, partitions: 1, versions: versions) { group in
            group.fake.createTopic("u")
            try await body(group)
        }
    }

    /// A member that has processed 99 records of each topic and is not reading at the moment.
    private func reader(_ group: GroupFixture, _ properties: [String: String] = [:]) async throws -> RunningMember {
        try group.produce(99, to: ["t", "u"])
        let member = try group.member(["auto.commit.interval.ms": "600000"].merging(properties) { $1 })
        try await member.consumer.subscribe(to: .topics(["t", "u"]))
        try await read(member.consumer, until: [old: 99, other: 99])
        return member
    }

    /// Reads until the consumer has processed everything up to these offsets.
    private func read(_ consumer: KafkaConsumer, until ends: [TopicPartition: Int64]) async throws {
        var iterator = consumer.makeAsyncIterator()
        while consumer.positions != ends { _ = try await iterator.next(timeout: .milliseconds(5)) }
        _ = try await iterator.next(timeout: .milliseconds(1))
    }

    private func recreate(_ group: GroupFixture) throws {
        group.fake.createTopic("t")
        try group.produce(150, to: ["t"])
    }

    @Test("are not committed on close, and those of other topics are", arguments: cases)
    func close(kind: GroupKind, sendsIDs: Bool) async throws {
        try await withGroup(kind, sendsIDs: sendsIDs) { group in
            let member = try await reader(group)
            try recreate(group)
            await member.close()
            #expect(group.committed(old) == nil)
            #expect(group.committed(other) == 99)

            let next = try group.member()
            try await next.consumer.subscribe(to: .topics(["t", "u"]))
            try await read(next.consumer, until: [old: 150, other: 99])
            try await next.consumer.commit()
            #expect(group.committed(old) == 150)
        }
    }

    @Test("make an explicit commit an error that names the topic", arguments: cases)
    func explicit(kind: GroupKind, sendsIDs: Bool) async throws {
        try await withGroup(kind, sendsIDs: sendsIDs) { group in
            let consumer = try await reader(group, ["enable.auto.commit": "false"]).consumer
            try recreate(group)
            for byName in [false, true] {
                let error = await #expect(throws: KafkaError.self) {
                    if byName {
                        try await consumer.commit([old: OffsetAndMetadata(99), other: OffsetAndMetadata(98)])
                    } else {
                        try await consumer.commit()
                    }
                }
                #expect(error?.code == .inconsistentTopicId)
                #expect(error?.topic == "t")
                #expect(error?.message.contains("deleted and created again") == true)
                #expect(group.committed(old) == nil)
                #expect(group.committed(other) == (byName ? 98 : 99))
            }
        }
    }

    @Test("are not committed by a consumer without a subscription", arguments: [true, false])
    func assigned(sendsIDs: Bool) async throws {
        try await withGroup(.cooperative, sendsIDs: sendsIDs) { group in
            try group.produce(99, to: ["t", "u"])
            let consumer = try group.member().consumer
            await consumer.assign([old: ConsumerStart(.earliest), other: ConsumerStart(.earliest)])
            try await read(consumer, until: [old: 99, other: 99])
            try recreate(group)
            let error = await #expect(throws: KafkaError.self) { try await consumer.commit() }
            #expect(error?.code == .inconsistentTopicId)
            #expect(group.committed(old) == nil)
            #expect(group.committed(other) == 99)
        }
    }

    @Test("are skipped by the commits at intervals", arguments: cases)
    func interval(kind: GroupKind, sendsIDs: Bool) async throws {
        try await withGroup(kind, sendsIDs: sendsIDs) { group in
            group.fake.inject(.error(.coordinatorLoadInProgress), into: .offsetCommit, times: 100_000)
            _ = try await reader(group, ["auto.commit.interval.ms": "5"])
            try recreate(group)
            // Without ids in the request, a commit whose check preceded the new topic may still be on its way.
            let commits = group.fake.count(.offsetCommit)
            try await eventually("a commit began after the new topic") {
                group.fake.count(.offsetCommit) >= commits + 2
            }
            group.fake.clearFaults()
            try await eventually("the other topic's offset is committed") { group.committed(other) == 99 }
            group.fake.clearRequests()
            try await eventually("time passes") { group.fake.count(kind.heartbeat) > 5 }
            #expect(group.committed(old) == nil)
            // A skipped offset is not retried.
            #expect(group.fake.count(.offsetCommit) == 0)
        }
    }

    @Test("make sendOffsets fail, and the transaction is aborted", arguments: GroupKind.both)
    func transaction(kind: GroupKind) async throws {
        try await withGroup(kind, sendsIDs: true) { group in
            let consumer = try await reader(group, ["enable.auto.commit": "false"]).consumer
            try recreate(group)
            try await withTransactionalProducer(of: group) { producer in
                let metadata = try #require(consumer.groupMetadata)
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { transaction in
                        try await transaction.sendOffsets(
                            [old: OffsetAndMetadata(99), other: OffsetAndMetadata(99)], group: metadata)
                    }
                }
                #expect(error?.code == .inconsistentTopicId)
                #expect(error?.topic == "t")
                #expect(group.committed(old) == nil)
                try await producer.withTransaction { transaction in
                    try await transaction.sendOffsets([other: OffsetAndMetadata(99)], group: metadata)
                }
                #expect(group.committed(other) == 99)
            }
        }
    }

    /// Keeps a KIP-848 group from assigning the new topic, so that the partition fails as in a classic group.
    private func stopAssigning(_ group: GroupFixture) async throws {
        guard group.kind == .consumer else { return }
        try await group.faultHeartbeats(.error(.coordinatorLoadInProgress))
    }

    /// Waits until the fetcher has noticed that the topic was recreated.
    private func noticed(_ consumer: KafkaConsumer) async throws {
        let deadline = ContinuousClock.now + .seconds(50)
        while consumer.buffer.cursor(of: old)?.hasFailed != true {
            try #require(ContinuousClock.now < deadline, "the fetcher notices the new topic")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func expectRecreated(_ body: () async throws -> Void) async {
        let error = await #expect(throws: KafkaError.self) { try await body() }
        #expect(error?.code == .inconsistentTopicId && error?.topic == "t", "\(String(describing: error))")
    }

    @Test("are not committed after a seek by number, until records of the new topic were read", arguments: cases)
    func sought(kind: GroupKind, sendsIDs: Bool) async throws {
        try await withGroup(kind, sendsIDs: sendsIDs) { group in
            let consumer = try await reader(group).consumer
            try await stopAssigning(group)
            try recreate(group)
            var iterator = consumer.makeAsyncIterator()
            await expectRecreated { while true { _ = try await iterator.next() } }
            #expect(consumer.failedPartitions.keys.sorted() == [old])
            try await consumer.seek([old: .offset(99)])
            await expectRecreated { try await consumer.commit() }
            await expectRecreated { try await consumer.commit([old: OffsetAndMetadata(99)]) }
            try await consumer.seek([old: .offset(99)])
            await expectRecreated { try await consumer.commit([old: OffsetAndMetadata(99)]) }
            #expect(group.committed(old) == nil)
            try await read(consumer, until: [old: 150, other: 99])
            try await consumer.commit()
            #expect(group.committed(old) == 150)
        }
    }

    @Test("are not committed on close after a seek by number", arguments: cases)
    func soughtAndClosed(kind: GroupKind, sendsIDs: Bool) async throws {
        try await withGroup(kind, sendsIDs: sendsIDs) { group in
            let member = try await reader(group)
            try await stopAssigning(group)
            try recreate(group)
            var iterator = member.consumer.makeAsyncIterator()
            await expectRecreated { while true { _ = try await iterator.next() } }
            try await member.consumer.seek([old: .offset(99)])
            await member.close()
            #expect(group.committed(old) == nil)
            #expect(group.committed(other) == 99)
        }
    }

    @Test("keep a seek from reading the new topic before the application got the error", arguments: GroupKind.both)
    func soughtUntold(kind: GroupKind) async throws {
        try await withGroup(kind, sendsIDs: true) { group in
            let consumer = try await reader(group).consumer
            try await stopAssigning(group)
            try recreate(group)
            try await noticed(consumer)
            try await consumer.seek([old: .offset(99)])
            var iterator = consumer.makeAsyncIterator()
            await expectRecreated {
                while true {
                    if case .batch = try await iterator.next(timeout: .milliseconds(5)) {
                        Issue.record("a record came")
                    }
                }
            }
        }
    }

    @Test("keep a batch from being handed out again from the new topic")
    func redelivered() async throws {
        try await withGroup(.cooperative, sendsIDs: true) { group in
            try group.produce(99, to: ["t"])
            let consumer = try group.member().consumer
            await consumer.assign([old: ConsumerStart(.offset(0))])
            for try await batch in consumer where batch.baseOffset == 3 { break }
            try recreate(group)
            try await noticed(consumer)
            await expectRecreated {
                for try await batch in consumer { Issue.record("offset \(batch.baseOffset) came") }
            }
            #expect(consumer.buffer.collect(\.processed?.offset) == [old: 3])
            await expectRecreated { try await consumer.commit() }
            #expect(group.committed(old) == nil)
        }
    }

    @Test("don't hide the same offset of the new topic")
    func sameOffset() async throws {
        try await withGroup(.cooperative, sendsIDs: true) { group in
            let member = try await reader(group)
            try await member.consumer.commit()
            #expect(group.committed(old) == 99)
            group.fake.createTopic("t")
            try group.produce(99, to: ["t"])
            var iterator = member.consumer.makeAsyncIterator()
            await expectRecreated { while true { _ = try await iterator.next() } }
            try await member.consumer.seek([old: .earliest])
            // Nothing is committed on the way, so that the two offsets meet.
            try await read(member.consumer, until: [old: 99, other: 99])
            #expect(group.committed(old) == nil)
            await member.close()
            #expect(group.committed(old) == 99)
        }
    }

    @Test("a member that read the old topic takes over the new one", arguments: GroupKind.both)
    func takenOver(kind: GroupKind) async throws {
        try await withGroup(kind, sendsIDs: true) { group in
            let first = try await group.start()
            try await eventually("the first member has the partition") { first.assignment == [old] }
            let second = try await group.start()
            try await eventually("the second has joined") { second.consumer.state == .member }
            _ = try await second.cluster.describe(topics: ["t"])
            try recreate(group)
            await first.close()
            try await eventually("the second member has read the new topic") {
                second.consumer.positions == [old: 150]
            }
        }
    }

    @Test("that were fetched before the topic was recreated are not used for the new one", arguments: [true, false])
    func fetchedBefore(sendsIDs: Bool) async throws {
        let versions = sendsIDs ? SpokenVersions.latest : .latest.with(.offsetFetch, 1...9)
        try await KafkaWireTests.withGroup(.cooperative, partitions: 1, versions: versions) { group in
            try group.produce(99)
            let consumer = try group.member(["default.api.timeout.ms": "3000"]).consumer
            try await consumer.commit([old: OffsetAndMetadata(99)])
            group.fake.inject(.held, into: .offsetFetch)
            try await consumer.subscribe(to: .topics(["t"]))
            try await eventually("the offset is fetched") { group.fake.heldAnswers == 1 }
            try recreate(group)
            group.fake.releaseAnswers()
            await expectRecreated {
                for try await batch in consumer { Issue.record("offset \(batch.baseOffset) came") }
            }
        }
    }

    @Test("that the application stores with the topic's id are not used for the new one")
    func keptByApplication() async throws {
        try await withGroup(.cooperative, sendsIDs: true) { group in
            let id = group.fake.createTopic("t")
            try recreate(group)
            let consumer = try group.member(["default.api.timeout.ms": "100"]).consumer
            await consumer.assign([old: ConsumerStart(.offset(100), topicID: id)])
            await expectRecreated {
                for try await batch in consumer { Issue.record("offset \(batch.baseOffset) came") }
            }
        }
    }

    @Test("are refused by the administration, if it is given the topic's id")
    func administration() async throws {
        try await withGroup(.cooperative, sendsIDs: true) { group in
            try group.produce(99, to: ["t", "u"])
            let cluster = try group.member().cluster
            let topics = try await cluster.describe(topics: ["t", "u"])
            let ids = Dictionary(uniqueKeysWithValues: topics.map { ($0.name, $0.id) })
            try recreate(group)
            let admin = KafkaAdmin(cluster: cluster)
            await expectRecreated {
                try await admin.commitOffsets(group: GroupFixture.group, [old: 99, other: 98], topicIDs: ids)
            }
            #expect(group.committed(old) == nil)
            #expect(group.committed(other) == 98)
        }
    }

    @Test("are discarded in a KIP-848 group, and the member reads the new topic")
    func reassigned() async throws {
        try await withGroup(.consumer, sendsIDs: true) { group in
            let consumer = try await reader(group).consumer
            try recreate(group)
            var iterator = consumer.makeAsyncIterator()
            var values = 0
            while values < 150 {
                // The fetcher may notice the new topic before the group does.
                guard let step = try? await iterator.next(timeout: .milliseconds(5)) else { continue }
                if case .batch(let batch) = step, batch.topic == "t" { values += batch.recordCount }
            }
            #expect(values == 150)
            #expect(group.committed(other) == nil)
        }
    }
}

/// Runs a test with a transactional producer on the group's cluster.
func withTransactionalProducer(of group: GroupFixture, _ body: (KafkaProducer) async throws -> Void) async throws {
    let configuration = try ClientConfiguration(
        bootstrapServers: group.fake.bootstrapServers,
        properties: ["transactional.id": "tx", "retry.backoff.ms": "2", "retry.backoff.max.ms": "20"])
    let cluster = Cluster(configuration: configuration)
    let producer = KafkaProducer(cluster: cluster)
    do {
        try await body(producer)
    } catch {
        await cluster.close()
        throw error
    }
    await producer.close()
    await cluster.close()
}
