import KafkaFake
import Testing

@testable import KafkaWire

/// How a consumer notices that another leader's log holds other records at the offsets that it has read. A broker and a
/// client have two ways, which mask each other; here each is on its own.
@Suite("Leader epochs in fetches", .timeLimit(.minutes(1)))
struct FetchEpochTests {
    private let partition = TopicPartition("t")

    @Test(
        "a log that was cut back is noticed by the epoch alone",
        arguments: [
            // The fetch has no last epoch: the leader has to refuse the old epoch, and is then asked where it ends.
            SpokenVersions.latest.with(.fetch, 4...11),
            // The leader can't be asked where an epoch ends: it has to notice by the last epoch in the fetch.
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
        return session.fetchRequest([partition: fetch], configuration, version: version)
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

    @Test("an answer for an earlier assignment at the same offset is dropped, and moves nothing")
    func earlierAssignment() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [(0..<10).map(String.init)])
            fake.inject(.held, into: .fetch)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            try await eventually("the fetch is answered") { fake.heldAnswers == 1 }
            // Its answer has all records; the same offset belongs to another assignment by then.
            let earlier = try #require(await consumer.fetcher.partitions[partition])
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            // Only the slot tells the two assignments apart then.
            try await eventually("the second assignment is resolved") {
                let now = await consumer.fetcher.partitions[partition]
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
