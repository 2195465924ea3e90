import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A permanent error of one partition", .timeLimit(.minutes(1)))
struct PartitionFailureTests {
    private let bad = TopicPartition("t", 0)
    private let good = TopicPartition("t", 1)

    private func fill(_ fake: FakeCluster, _ partition: TopicPartition, _ count: Int) throws {
        let begin = Int(fake.offsets(of: partition)?.upperBound ?? 0)
        for start in stride(from: begin, to: begin + count, by: 10) {
            try fake.fill(partition, [(start..<start + 10).map(String.init)])
        }
    }

    enum Kind: CaseIterable {
        case damagedBatch, impossibleLength, excessiveLength, hugeLength, outOfRange, unauthorized, offsetsUnauthorized,
            brokerSaysCorrupt, recreated
    }

    /// Makes partition 0 fail. Both partitions have 40 records before that.
    ///
    /// - Returns: The expected error code, the offset, and the number of the partition's records before the error.
    private func damage(_ kind: Kind, _ fake: FakeCluster) throws -> (code: ErrorCode, offset: Int64?, before: Int64) {
        switch kind {
        case .damagedBatch:
            fake.damage(bad, at: 25)
            return (.corruptMessage, 20, 20)
        case .impossibleLength:
            var broken = try batchBytes(["x"])
            broken.replaceSubrange(8..<12, with: [0xff, 0, 0, 0])
            fake.append(broken, to: bad)
            return (.corruptMessage, 40, 40)
        case .excessiveLength:
            // The checksum doesn't cover the length.
            var broken = try batchBytes(["x"])
            broken.replaceSubrange(8..<12, with: [0, 0, 0x10, 0])
            fake.append(broken, to: bad)
            return (.corruptMessage, 40, 40)
        case .hugeLength:
            var broken = try batchBytes(["x"])
            broken.replaceSubrange(8..<12, with: [0x7f, 0xff, 0xff, 0xff])
            fake.append(broken, to: bad)
            return (.messageTooLarge, 40, 40)
        case .outOfRange:
            fake.moveLogStart(of: bad, to: 20)
            return (.offsetOutOfRange, 0, 0)
        case .unauthorized:
            fake.inject(.error(.topicAuthorizationFailed), into: .fetch, partition: bad)
            return (.topicAuthorizationFailed, 0, 0)
        case .offsetsUnauthorized:
            fake.inject(.error(.topicAuthorizationFailed), into: .listOffsets, partition: bad)
            return (.topicAuthorizationFailed, nil, 0)
        case .brokerSaysCorrupt:
            fake.inject(.error(.corruptMessage), into: .fetch, partition: bad)
            return (.corruptMessage, 0, 0)
        case .recreated:
            return (.inconsistentTopicId, nil, 40)
        }
    }

    @Test("ends that partition only: the loop throws it once, and a new loop continues", arguments: Kind.allCases)
    func thrownOnce(kind: Kind) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 2)
            fake.createTopic("u")
            let other = TopicPartition("u")
            for partition in [bad, good, other] { try fill(fake, partition, 40) }
            let expected = try damage(kind, fake)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            let start = kind == .offsetsUnauthorized ? ConsumerStart(.earliest) : ConsumerStart(.offset(0))
            // All partitions of a recreated topic fail.
            let healthy = kind == .recreated ? other : good
            await consumer.assign([bad: start, healthy: ConsumerStart(.offset(0))])
            var found: [TopicPartition: [Int64]] = [:]
            var errors: [KafkaError] = []
            func loop(until isDone: () -> Bool) async {
                do {
                    for try await batch in consumer {
                        let key = TopicPartition(batch.topic, batch.partition)
                        found[key, default: []] += try batch.readRecords().map(\.offset)
                        if kind == .recreated, found[bad]?.count == 40, found[healthy]?.count == 40 {
                            if errors.isEmpty { fake.createTopic("t", partitions: 2) }
                        }
                        if isDone() { return }
                    }
                } catch {
                    if let error = error as? KafkaError { errors.append(error) }
                }
            }
            await loop { false }
            #expect(errors.map(\.code) == [expected.code])
            #expect(errors.first?.topic == "t" && errors.first?.partition == 0)
            if let offset = expected.offset { #expect(errors.first?.offset == offset) }
            #expect(consumer.failedPartitions.mapValues(\.code) == [bad: expected.code])
            #expect(!consumer.isCaughtUp)
            try fill(fake, healthy, 20)
            await loop { found[healthy]?.count == 60 }
            #expect(errors.count == 1)
            #expect(found[healthy] == Array(0..<60))
            #expect(found[bad] ?? [] == Array(0..<expected.before))
            #expect(consumer.positions[bad] ?? 0 == expected.before)
            await consumer.close()
        }
    }

    @Test(
        "a failure goes to the handler, if any; the loop continues, and the partition resumes where the handler seeks",
        arguments: [
            false, true,
        ])
    func handler(recordByRecord: Bool) async throws {
        let events = Lock<[PartitionFailure]>([])
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 2)
            for partition in [bad, good] { try fill(fake, partition, 40) }
            fake.damage(bad, at: 15)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail) { failure, consumer in
                events.withLock { $0.append(failure) }
                try? await consumer.seek([failure.partition: .offset(20)])
            }
            await consumer.assign([bad: ConsumerStart(.offset(0)), good: ConsumerStart(.offset(0))])
            var found: [Int32: [Int64]] = [:]
            if recordByRecord {
                for try await record in consumer.records {
                    found[record.partition, default: []].append(record.offset)
                    if found.values.reduce(0, { $0 + $1.count }) == 70 { break }
                }
            } else {
                for try await batch in consumer {
                    found[batch.partition, default: []] += try batch.readRecords().map(\.offset)
                    if found.values.reduce(0, { $0 + $1.count }) == 70 { break }
                }
            }
            #expect(found[0] == Array(0..<10) + Array(20..<40))
            #expect(found[1] == Array(0..<40))
            let event = try #require(events.withLock { $0.first })
            #expect(events.withLock { $0.count } == 1)
            #expect(event.partition == bad && event.offset == 10 && event.error.code == .corruptMessage)
            #expect(consumer.failedPartitions.isEmpty)
            await consumer.close()
        }
    }

    @Test("ends with a new assignment, also of the recreated topic")
    func assignedAgain() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, bad, 20)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([bad: ConsumerStart(.offset(0))])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            fake.createTopic("t")
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.code == .inconsistentTopicId)
            try fill(fake, bad, 10)
            await consumer.assign(adding: [bad: ConsumerStart(.earliest)])
            #expect(try await read(&iterator, 10)[0] == numbered(0..<10))
            await consumer.close()
        }
    }

    @Test("outdated metadata right after an assignment are not taken for a recreated topic")
    func outdatedMetadata() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            fake.inject(.held, into: .metadata)
            await consumer.assign([bad: ConsumerStart(.offset(0))])
            try await eventually("the leader is looked up") { fake.heldAnswers == 1 }
            fake.createTopic("t")
            try fill(fake, bad, 20)
            fake.releaseAnswers()
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            await consumer.close()
        }
    }

    @Test("a recreated topic is noticed by the metadata if fetches identify topics only by name")
    func recreatedUnderOldFetches() async throws {
        let versions = SpokenVersions.latest.with(.fetch, 4...12)
        let properties = ["metadata.max.age.ms": "20", "fetch.max.wait.ms": "5"]
        try await withFake(versions: versions, properties: properties) { fake, cluster in
            fake.createTopic("t")
            try fill(fake, bad, 20)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([bad: ConsumerStart(.offset(0))])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            // A fetch between the next two calls would ask for an offset that an empty log doesn't have.
            await consumer.pause([bad])
            while await !consumer.fetcher.loops.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            fake.createTopic("t")
            try fill(fake, bad, 20)
            await consumer.resume([bad])
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.code == .inconsistentTopicId)
            await consumer.close()
        }
    }

    @Test("leaves the group's committed offset before the batch that failed")
    func committed() async throws {
        try await withFake(properties: ["group.id": "g"]) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            for partition in [bad, good] { try fill(fake, partition, 40) }
            fake.damage(bad, at: 25)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail) { _, _ in }
            await consumer.assign([bad: ConsumerStart(.offset(0)), good: ConsumerStart(.offset(0))])
            var iterator = consumer.makeAsyncIterator()
            _ = try await read(&iterator, 60)
            while consumer.failedPartitions.isEmpty {
                guard case .timedOut = try await iterator.next(timeout: .milliseconds(10)) else {
                    Issue.record("a record after the damaged batch was read")
                    return
                }
            }
            try await consumer.commit()
            #expect(fake.committedOffset(group: "g", of: bad) == 20)
            #expect(fake.committedOffset(group: "g", of: good) == 40)
            await consumer.close()
        }
    }

    @Test("is held back while its partition is paused, and thrown when it resumes")
    func paused() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 2)
            for partition in [bad, good] { try fill(fake, partition, 20) }
            fake.damage(bad, at: 5)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([bad: ConsumerStart(.offset(0)), good: ConsumerStart(.offset(0))])
            await consumer.pause([bad])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20)[1] == numbered(0..<20))
            #expect(consumer.failedPartitions.isEmpty)
            await consumer.resume([bad])
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.partition == 0 && error?.offset == 0)
            await consumer.close()
        }
    }

    @Test("a topic that stays missing fails its partitions after default.api.timeout.ms, and is reported before")
    func missing() async throws {
        let events = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in events.withLock { $0.append(event) } }
        try await withFake(properties: ["default.api.timeout.ms": "100"], hooks: hooks) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            try fill(fake, good, 20)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([TopicPartition("missing"): ConsumerStart(.earliest), good: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20)[1] == numbered(0..<20))
            let error = await #expect(throws: KafkaError.self) { _ = try await iterator.next() }
            #expect(error?.code == .unknownTopicOrPartition && error?.topic == "missing")
            let first = events.withLock { $0.first { $0.operation == "find the leaders of topic missing" } }
            #expect(first?.error?.code == .unknownTopicOrPartition && first?.failures == 1)
            try fill(fake, good, 10)
            #expect(try await read(&iterator, 10)[1] == numbered(20..<30))
            await consumer.close()
        }
    }

    @Test("a broker that stops answering fetches is reported long before request.timeout.ms")
    func silentBroker() async throws {
        let events = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in events.withLock { $0.append(event) } }
        // fetch.max.wait.ms and two seconds.
        let timing = Timing(timeout: { limit in
            try await Task.sleep(for: limit == .milliseconds(2040) ? .milliseconds(5) : limit)
        })
        try await withFake(properties: ["fetch.max.wait.ms": "40"], timing: timing, hooks: hooks) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            try fill(fake, good, 20)
            fake.inject(.held, into: .fetch)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([good: ConsumerStart(.earliest)])
            func isReported(_ code: ErrorCode?) -> Bool {
                events.withLock {
                    $0.contains { $0.operation.hasPrefix("fetch from broker") && $0.error?.code == code }
                }
            }
            try await eventually("the silence is reported") { isReported(.requestTimedOut) }
            fake.releaseAnswers()
            try await eventually("its end is reported") { isReported(nil) }
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 20)[good.partition] == numbered(0..<20))
            await consumer.close()
        }
    }
}
