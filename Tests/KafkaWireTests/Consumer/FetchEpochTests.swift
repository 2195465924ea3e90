import KafkaFake
import Testing

@testable import KafkaWire

/// A consumer notices in two ways that another leader's log has other records at the offsets that it has read. Each way
/// hides the other one, so each is tested without the other.
@Suite("Leader epochs in fetches", .timeLimit(.minutes(1)))
struct FetchEpochTests {
    private let partition = TopicPartition("t")

    @Test(
        "a truncated log is noticed by the epoch alone",
        arguments: [
            // The fetch has no last epoch. The leader refuses the old epoch, and is then asked where that epoch ends.
            SpokenVersions.latest.with(.fetch, 4...11),
            // The leader can't be asked where an epoch ends. It notices by the last epoch in the fetch.
            SpokenVersions.latest.with(.offsetForLeaderEpoch, nil),
        ])
    func truncation(versions: SpokenVersions) async throws {
        try await withFake(versions: versions) { fake, cluster in
            fake.createTopic("t")
            for start in stride(from: 0, to: 40, by: 10) {
                try fake.fill(partition, [(start..<start + 10).map(String.init)])
            }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 40)[0] == numbered(0..<40))
            fake.truncate(partition, to: 20)
            for _ in 0..<4 { try fake.fill(partition, [(0..<10).map { "other \($0)" }]) }
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.code == .logTruncation)
            #expect(error?.divergentOffset == 20)
            await consumer.close()
        }
    }

    private func request(
        version: Int16, isolation: IsolationLevel = .readUncommitted
    ) -> FetchRequest {
        var configuration = ConsumerConfiguration()
        configuration.isolationLevel = isolation
        let fetch = PartitionFetch(
            topicID: .zero, position: FetchPosition(offset: 5, lastFetchedEpoch: 2), leaderEpoch: 3, maximumBytes: 100)
        let session = FetchSession.Request(sessionID: 0, epoch: 0, partitions: [partition], forgotten: [:])
        let slot = FetchSlot(index: 0, generation: 1)
        return session.fetchRequest(
            [partition: RequestedFetch(fetch: fetch, slot: slot)], configuration, version: version)
    }

    @Test("a fetch carries the leader's epoch, and from version 12 on the last fetched epoch")
    func epochs() throws {
        for (version, last) in [(11, -1), (12, 2), (17, 2)] as [(Int16, Int32)] {
            let asked = try #require(request(version: version).topics.first?.partitions.first)
            #expect(asked.fetchOffset == 5)
            #expect(asked.currentLeaderEpoch == 3)
            #expect(asked.lastFetchedEpoch == last)
        }
    }

    @Test("a fetch carries the isolation level", arguments: [IsolationLevel.readUncommitted, .readCommitted])
    func isolation(level: IsolationLevel) {
        #expect(request(version: 12, isolation: level).isolationLevel == (level == .readCommitted ? 1 : 0))
    }

    @Test("a response for an earlier assignment at the same offset is dropped")
    func earlierAssignment() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [(0..<10).map(String.init)])
            fake.inject(.held, into: .fetch)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            try await eventually("the fetch is answered") { fake.heldAnswers == 1 }
            // The response has all records, but the same offset belongs to another assignment by then.
            let earlier = try #require(consumer.buffer.cursor(of: partition))
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            // Only the slot distinguishes the two assignments then.
            try await eventually("the second assignment is resolved") {
                let now = consumer.buffer.cursor(of: partition)
                return now?.position == earlier.position && now?.topicID == earlier.topicID
            }
            fake.releaseAnswers()
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 10)[0] == numbered(0..<10))
            #expect(consumer.positions == [partition: 10])
            await consumer.close()
        }
    }
}
