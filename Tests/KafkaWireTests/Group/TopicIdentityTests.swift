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
            // A skipped offset is not tried again.
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

    @Test("are given up in a KIP-848 group, and the member reads the new topic")
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
