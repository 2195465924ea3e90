import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("A consumer and faults of brokers and connections", .timeLimit(.minutes(1)))
struct ConsumerFaultTests {
    private let partition = TopicPartition("t")

    private func fill(_ fake: FakeCluster, _ count: Int) throws {
        let begin = Int(fake.offsets(of: partition)?.upperBound ?? 0)
        for start in stride(from: begin, to: begin + count, by: 10) {
            try fake.fill(partition, [(start..<min(start + 10, begin + count)).map(String.init)])
        }
    }

    private func consumer(
        _ cluster: Cluster, from start: ConsumerStart = ConsumerStart(.earliest),
        reset: ConsumerConfiguration.OffsetReset = .fail
    ) async -> (KafkaConsumer, KafkaConsumer.Iterator) {
        let consumer = KafkaConsumer(cluster: cluster, offsetReset: reset)
        await consumer.assign([partition: start])
        return (consumer, consumer.makeAsyncIterator())
    }

    private func failure(_ iterator: KafkaConsumer.Iterator) async -> KafkaError? {
        await #expect(throws: KafkaError.self) {
            var iterator = iterator
            while try await iterator.next() != nil {}
        }
    }

    @Test("a leader that moves again and again is followed, and each record is read once")
    func leaderMoves() async throws {
        try await withFake(brokers: 3) { fake, cluster in
            fake.createTopic("t")
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            for round in Int64(0)..<9 {
                try fill(fake, 20)
                if round % 2 == 0 { fake.elect(Int32(round % 3) + 1, for: partition) }
                #expect(try await read(&iterator, 20)[0] == numbered(round * 20..<round * 20 + 20))
            }
            await consumer.close()
        }
    }

    @Test("a response of an earlier leader is dropped once another leader has answered: each record is read once")
    func lateAnswer() async throws {
        let late = Lock(0)
        var hooks = ClientHooks()
        hooks.responseReceived = { event in
            if event.api == "Fetch", event.duration >= .milliseconds(400) { late.withLock { $0 += 1 } }
        }
        let properties = ["metadata.max.age.ms": "20", "fetch.max.wait.ms": "10"]
        try await withFake(brokers: 2, properties: properties, hooks: hooks) { fake, cluster in
            fake.createTopic("t")
            fake.elect(1, for: partition)
            try fill(fake, 20)
            fake.inject(.late(.milliseconds(400)), into: .fetch)
            let (consumer, first) = await consumer(cluster, from: ConsumerStart(.offset(0)))
            var iterator = first
            try await eventually("the first leader is asked") { fake.count(.fetch) == 1 }
            fake.elect(2, for: partition)
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            try fill(fake, 20)
            #expect(try await read(&iterator, 20)[0] == numbered(20..<40))
            try await eventually("it has answered") { late.withLock { $0 } > 0 }
            for start in [Int64(40), 60] {
                try fill(fake, 20)
                #expect(try await read(&iterator, 20)[0] == numbered(start..<start + 20))
            }
            await consumer.close()
        }
    }

    @Test(
        "temporary errors of a partition are retried",
        arguments: [
            ErrorCode.notLeaderOrFollower, .leaderNotAvailable, .unknownTopicOrPartition, .fencedLeaderEpoch,
            .unknownLeaderEpoch, .kafkaStorageError, .offsetNotAvailable, .replicaNotAvailable, .unknownTopicId,
            .unknownServerError,
        ])
    func passingErrors(code: ErrorCode) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 20)
            fake.inject(.error(code), into: .fetch, partition: partition, times: 3)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            await consumer.close()
        }
    }

    @Test(
        "faults of a connection are retried",
        arguments: [
            Fault.hangUp(.beforehand), .hangUp(.beforeAnswer), .hangUp(.withinAnswer), .hangUp(.afterAnswer),
            .wrongCorrelationID, .length(-1), .inPieces(3), .late(.milliseconds(30)),
            .error(.fetchSessionIdNotFound), .error(.invalidFetchSessionEpoch), .error(.fetchSessionTopicIdError),
        ])
    func connectionFaults(fault: Fault) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 20)
            fake.inject(fault, into: .fetch, times: 2)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            fake.inject(fault, into: .fetch)
            try fill(fake, 20)
            #expect(try await read(&iterator, 20)[0] == numbered(20..<40))
            await consumer.close()
        }
    }

    @Test("an error of a whole fetch response fails no partition")
    func wholeResponse() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 20)
            let answers = Lock(0)
            fake.changeAnswers { api, version, frame in
                guard api == .fetch else { return frame }
                let number = answers.withLock { count in
                    count += 1
                    return count
                }
                guard number <= 2 else { return frame }
                var frame = frame
                // The error code follows length, correlation id, tagged fields and throttle time.
                let place = 4 + 4 + (version >= 12 ? 1 : 0) + 4
                frame.replaceSubrange(place..<place + 2, with: [0xff, 0xff])
                return frame
            }
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            #expect(answers.withLock { $0 } > 2)
            await consumer.close()
        }
    }

    @Test("faults of the requests before the first fetch are retried", arguments: [APIKey.metadata, .listOffsets])
    func startFaults(api: APIKey) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 20)
            fake.inject(.hangUp(.beforehand), into: api)
            fake.inject(.error(.leaderNotAvailable), into: api)
            if api == .listOffsets { fake.inject(.error(.unknownServerError), into: api) }
            fake.inject(.hangUp(.withinAnswer), into: api)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            await consumer.close()
        }
    }

    @Test("a lost broker and its return are reported, and reading resumes at the position")
    func brokerAway() async throws {
        let events = Lock<[String]>([])
        let hooks = ClientHooks(availabilityChanged: { event in events.withLock { $0.append("\(event)") } })
        try await withFake(hooks: hooks) { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 20)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            await fake.stop(broker: 1)
            try await eventually("the client notices") { events.withLock { $0.count } == 1 }
            try fill(fake, 20)
            try fake.start(broker: 1)
            #expect(try await read(&iterator, 20)[0] == numbered(20..<40))
            let reported = events.withLock { $0 }
            #expect(reported.count == 2)
            #expect(reported.first?.contains("waiting for broker") == true)
            #expect(reported.last?.contains("is back") == true)
            await consumer.close()
        }
    }

    @Test(
        "without auto.offset.reset an offset that the log doesn't have is an error that names the offset",
        arguments: [
            Int64(5), 999,
        ])
    func outOfRange(offset: Int64) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 40)
            fake.moveLogStart(of: partition, to: 20)
            let (consumer, iterator) = await consumer(cluster, from: ConsumerStart(.offset(offset)))
            let error = await failure(iterator)
            #expect(error?.code == .offsetOutOfRange)
            #expect(error?.topic == "t")
            #expect(error?.partition == 0)
            #expect(error?.offset == offset)
            await consumer.close()
        }
    }

    @Test(
        "with auto.offset.reset reading resumes at the log's beginning or end",
        arguments: [
            ConsumerConfiguration.OffsetReset.earliest, .latest,
        ])
    func reset(policy: ConsumerConfiguration.OffsetReset) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 40)
            fake.moveLogStart(of: partition, to: 20)
            let (consumer, first) = await consumer(cluster, from: ConsumerStart(.offset(5)), reset: policy)
            var iterator = first
            if policy == .latest {
                while !consumer.isCaughtUp {
                    guard case .timedOut = try await iterator.next(timeout: .milliseconds(20)) else {
                        Issue.record("a record from before the end was read")
                        return
                    }
                }
                #expect(consumer.positions == [partition: 40])
                try fill(fake, 10)
                #expect(try await read(&iterator, 10)[0] == numbered(40..<50))
            } else {
                #expect(try await read(&iterator, 20)[0] == numbered(20..<40))
            }
            await consumer.close()
        }
    }

    @Test("a damaged batch is an error that names topic, partition and offset; the batches before it are read")
    func damage() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 30)
            fake.damage(partition, at: 15)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 10)[0] == numbered(0..<10))
            let error = await failure(iterator)
            #expect(error?.code == .corruptMessage)
            #expect(error?.topic == "t")
            #expect(error?.partition == 0)
            #expect(error?.offset == 10)
            await consumer.close()
        }
    }

    @Test("a batch with an impossible length is an error, and is not retried forever")
    func impossibleLength() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 10)
            var broken = try batchBytes(["x"])
            broken.replaceSubrange(8..<12, with: [0xff, 0, 0, 0])
            fake.append(broken, to: partition)
            let (consumer, iterator) = await consumer(cluster)
            let error = await failure(iterator)
            #expect(error?.code == .corruptMessage)
            #expect(error?.partition == 0)
            await consumer.close()
        }
    }

    @Test("a response that can't be decoded is an error, and is not retried forever")
    func unreadable() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            fake.inject(.unreadable, into: .fetch, times: 1000)
            let (consumer, iterator) = await consumer(cluster)
            #expect(await failure(iterator)?.code == .corruptMessage)
            await consumer.close()
        }
    }

    @Test("a topic that was deleted and recreated fails its partition", arguments: [0, 20])
    func recreated(refilled: Int) async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 20)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 20)[0] == numbered(0..<20))
            fake.createTopic("t")
            try fill(fake, refilled)
            let error = await failure(iterator)
            #expect(error?.code == .inconsistentTopicId)
            #expect(error?.topic == "t")
            await consumer.close()
        }
    }

    @Test("a missing topic is an error after default.api.timeout.ms")
    func missingTopic() async throws {
        try await withFake(properties: ["default.api.timeout.ms": "50"]) { _, cluster in
            let (consumer, iterator) = await consumer(cluster)
            let error = await failure(iterator)
            #expect(error?.code == .unknownTopicOrPartition)
            #expect(error?.topic == "t")
            await consumer.close()
        }
    }

    @Test("a log that was truncated below the position is an error that names the divergent offset")
    func diverging() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 40)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 40)[0] == numbered(0..<40))
            fake.truncate(partition, to: 20)
            try fill(fake, 40)
            let error = await failure(iterator)
            #expect(error?.code == .logTruncation)
            #expect("\(error?.code ?? .none)" == "LOG_TRUNCATION")
            #expect(error?.message.contains("truncated") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("20") == true)
            #expect(error?.offset == 40)
            #expect(error?.divergentOffset == 20)
            await consumer.close()
        }
    }

    @Test("with auto.offset.reset reading resumes at the divergent offset")
    func divergingWithReset() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 40)
            let (consumer, first) = await consumer(cluster, reset: .latest)
            var iterator = first
            #expect(try await read(&iterator, 40)[0] == numbered(0..<40))
            fake.truncate(partition, to: 20)
            try fill(fake, 40)
            #expect(try await read(&iterator, 40)[0] == numbered(20..<60))
            #expect(consumer.positions == [partition: 60])
            await consumer.close()
        }
    }

    @Test("a log that was truncated while it was not read is noticed if the epoch was kept")
    func divergingAtStart() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 40)
            fake.truncate(partition, to: 20)
            try fill(fake, 40)
            let (consumer, iterator) = await consumer(cluster, from: ConsumerStart(.offset(40), leaderEpoch: 0))
            #expect(await failure(iterator)?.message.contains("truncated") == true)
            await consumer.close()
        }
    }

    @Test("a permanent error ends the reading with the broker's code")
    func finalError() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            fake.inject(.error(.topicAuthorizationFailed), into: .fetch, partition: partition)
            let (consumer, iterator) = await consumer(cluster)
            let error = await failure(iterator)
            #expect(error?.code == .topicAuthorizationFailed)
            #expect(error?.isFromBroker == true)
            await consumer.close()
        }
    }

    @Test("requests to a broker that keeps refusing have a growing back-off")
    func pauses() async throws {
        try await withFake(
            properties: ["retry.backoff.ms": "20", "retry.backoff.max.ms": "100"]
        ) { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 10)
            fake.inject(.error(.notLeaderOrFollower), into: .fetch, partition: partition, times: 8)
            let started = ContinuousClock.now
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 10)[0] == numbered(0..<10))
            // 20 + 40 + 80 and then 100 ms each, less a fifth. The first retry may come at once.
            #expect(.now - started > .milliseconds(300))
            await consumer.close()
        }
    }

    @Test("a reader that is cancelled stops, and another one resumes at its position")
    func cancellation() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            try fill(fake, 10)
            let (consumer, first) = await consumer(cluster)
            var iterator = first
            #expect(try await read(&iterator, 10)[0] == numbered(0..<10))
            let waiting = Task {
                var iterator = consumer.makeAsyncIterator()
                return try await iterator.next()
            }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
            try fill(fake, 10)
            #expect(try await read(&iterator, 10)[0] == numbered(10..<20))
            await consumer.close()
        }
    }
}
