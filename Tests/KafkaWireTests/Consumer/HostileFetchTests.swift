import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Invalid numbers in fetch responses", .timeLimit(.minutes(1)))
struct HostileFetchTests {
    private let partition = TopicPartition("t")

    /// Has a consumer at an offset of a missing topic handle a response.
    private func handle(
        at offset: Int64, epoch: Int32 = -1, reset: ConsumerConfiguration.OffsetReset = .fail,
        properties: [String: String] = [:], _ answer: FetchResponse.PartitionData
    ) async throws -> (position: FetchPosition?, consumer: KafkaConsumer) {
        var result: (FetchPosition?, KafkaConsumer)?
        try await withFake(properties: properties) { _, cluster in
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: reset)
            await consumer.assign([partition: ConsumerStart(.offset(offset), leaderEpoch: epoch)])
            let known = try #require(consumer.buffer.cursor(of: partition))
            let fetch = PartitionFetch(
                topicID: .zero, position: FetchPosition(offset: offset, lastFetchedEpoch: epoch), leaderEpoch: 0,
                maximumBytes: 1000)
            let response = FetchResponse(
                responses: [FetchResponse.FetchableTopicResponse(topic: "t", partitions: [answer])])
            _ = await consumer.fetcher.accept(
                response, from: 1, requested: [partition: RequestedFetch(fetch: fetch, slot: known.slot)])
            result = (consumer.buffer.cursor(of: partition)?.position, consumer)
        }
        return try #require(result)
    }

    private func failure(_ consumer: KafkaConsumer) async throws -> KafkaError? {
        var iterator = consumer.makeAsyncIterator()
        return await #expect(throws: KafkaError.self) { _ = try await iterator.next(timeout: .zero) }
    }

    @Test(
        "lag and position are defined for every end of a log",
        arguments: [Int64.min, -2, -1, 0, .max], [Int64.min, -1, 0, 7, .max])
    func ends(end: Int64, offset: Int64) async throws {
        let answer = FetchResponse.PartitionData(
            highWatermark: end, lastStableOffset: end, records: ByteSlice([]))
        let (position, consumer) = try await handle(at: offset, answer)
        #expect(position?.offset == offset)
        #expect(consumer.lag.isEmpty == (end < 0))
        #expect(consumer.highWatermarks.isEmpty == (end < 0))
        #expect(consumer.lag.values.allSatisfy { $0 >= 0 })
        _ = consumer.isCaughtUp
        if offset == -1, end == .max { #expect(consumer.lag == [partition: .max]) }
    }

    @Test(
        "a divergence at or after the position is an error, and the fetch is not repeated forever",
        arguments: [(Int32(5), Int64(10)), (5, .max), (.max, 10), (9, 11)])
    func divergesAhead(epoch: Int32, end: Int64) async throws {
        let answer = FetchResponse.PartitionData(
            divergingEpoch: FetchResponse.EpochEndOffset(epoch: epoch, endOffset: end), records: nil)
        let (position, consumer) = try await handle(at: 10, epoch: 5, reset: .earliest, answer)
        #expect(position?.offset == 10)
        #expect(consumer.buffer.cursor(of: partition)?.hasFailed == true)
        #expect(try await failure(consumer)?.code == .corruptMessage)
    }

    @Test("an earlier epoch that diverges at or after the position moves no offset")
    func divergesInEpoch() async throws {
        let answer = FetchResponse.PartitionData(
            divergingEpoch: FetchResponse.EpochEndOffset(epoch: 4, endOffset: .max), records: nil)
        let (position, consumer) = try await handle(at: 10, epoch: 5, answer)
        #expect(position == FetchPosition(offset: 10, lastFetchedEpoch: 4))
        #expect(consumer.buffer.cursor(of: partition)?.hasFailed == false)
    }

    @Test("a divergence at a negative offset resets the position")
    func divergesBeforeBeginning() async throws {
        let answer = FetchResponse.PartitionData(
            divergingEpoch: FetchResponse.EpochEndOffset(epoch: 4, endOffset: .min), records: nil)
        let (position, consumer) = try await handle(at: 10, epoch: 5, reset: .earliest, answer)
        #expect(position == nil)
        #expect(consumer.buffer.cursor(of: partition)?.hasFailed == false)
    }

    @Test("a divergence although no epoch was sent is an error")
    func divergesFromNothing() async throws {
        let answer = FetchResponse.PartitionData(
            divergingEpoch: FetchResponse.EpochEndOffset(epoch: 4, endOffset: -1), records: nil)
        let (_, consumer) = try await handle(at: 10, reset: .earliest, answer)
        #expect(try await failure(consumer)?.code == .corruptMessage)
    }

    @Test("a log that diverges again and again is fetched with back-off, which is reported")
    func divergesAgain() async throws {
        let events = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in events.withLock { $0.append(event) } }
        try await withFake(hooks: hooks) { _, cluster in
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            await consumer.assign([partition: ConsumerStart(.offset(10), leaderEpoch: 5)])
            for (round, offset) in [Int64(10), 9, 8].enumerated() {
                let known = try #require(consumer.buffer.cursor(of: partition))
                let position = FetchPosition(offset: offset, lastFetchedEpoch: 5 - Int32(round))
                #expect(known.position == position)
                let answer = FetchResponse.PartitionData(
                    divergingEpoch: FetchResponse.EpochEndOffset(
                        epoch: position.lastFetchedEpoch - 1, endOffset: offset - 1), records: nil)
                let fetch = PartitionFetch(
                    topicID: .zero, position: position, leaderEpoch: 0, maximumBytes: 1000)
                _ = await consumer.fetcher.accept(
                    FetchResponse(responses: [.init(topic: "t", partitions: [answer])]), from: 1,
                    requested: [partition: RequestedFetch(fetch: fetch, slot: known.slot)])
                #expect(await consumer.fetcher.setbacks == round)
            }
            let reported = events.withLock { $0.filter { $0.operation == "fetch topic t" } }
            #expect(reported.first?.error?.code == .logTruncation)
            await consumer.close()
        }
    }

    @Test("batches before the requested offset are not requested again at once")
    func behind() async throws {
        let answer = FetchResponse.PartitionData(
            highWatermark: 100, records: ByteSlice(try batchBytes(["0", "1"])))
        let (position, consumer) = try await handle(at: 50, answer)
        #expect(position?.offset == 50)
        // The broker's loop has nothing to fetch until the leader is looked up, after a back-off.
        #expect(consumer.buffer.cursor(of: partition)?.leader == nil)
        #expect(await consumer.fetcher.setbacks > 0)
    }

    @Test(
        "an offset that can't be is an error; only a search by time may find none",
        arguments: [OffsetSpec.earliest, .latest, .timestamp(KafkaTimestamp(millisecondsSince1970: 5))],
        [Int64.min, -2, -1, 0, .max])
    func listedOffset(spec: OffsetSpec, offset: Int64) throws {
        let answer = ListOffsetsResponse.PartitionResponse(offset: offset)
        let result = Cluster.listedOffset(answer, spec, partition, BrokerAddress(host: "b", port: 1))
        let isAllowed = offset >= 0 || offset == -1 && spec == .timestamp(KafkaTimestamp(millisecondsSince1970: 5))
        switch result {
        case .success(let listed): #expect(isAllowed && listed.offset == offset)
        case .failure(let error): #expect(!isAllowed && error.code == .corruptMessage && !error.isRetriable)
        }
    }

    @Test("the distance between any two offsets is a number")
    func distances() {
        #expect(offsetDistance(from: 3, to: 10) == 7)
        #expect(offsetDistance(from: 10, to: 3) == 0)
        #expect(offsetDistance(from: -1, to: .max) == .max)
        #expect(offsetDistance(from: .max, to: .min) == 0)
        #expect(offsetDistance(from: .min, to: .max) == .max)
    }
}
