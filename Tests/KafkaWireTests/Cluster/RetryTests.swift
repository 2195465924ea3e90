import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Backoff")
struct BackoffTests {
    private let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))

    @Test("delays double up to the limit", arguments: [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (40, 1000)])
    func doubles(failures: Int, milliseconds: Int) {
        #expect(isNear(backoff.delay(afterFailures: failures, random: 0.5), milliseconds))
    }

    @Test("randomness changes the delay by at most 20 %", arguments: [1, 3, 100])
    func chance(failures: Int) {
        let middle = backoff.delay(afterFailures: failures, random: 0.5)
        #expect(isNear(backoff.delay(afterFailures: failures, random: 0), Int(middle / .milliseconds(1) * 0.8)))
        #expect(backoff.delay(afterFailures: failures, random: 0.999_999) < middle * 1.2)
    }

    @Test("invalid failure counts are harmless", arguments: [-1, 0, Int.max])
    func extremes(failures: Int) {
        let delay = backoff.delay(afterFailures: failures, random: 0.5)
        #expect(delay >= .milliseconds(99) && delay <= .seconds(1.2))
        let none = Backoff(initial: .zero, maximum: .zero)
        #expect(none.delay(afterFailures: failures, random: 0.5) == .zero)
    }

    @Test("extremely long delays are harmless", arguments: [1, 2, 40])
    func endless(failures: Int) {
        let longest = Duration.seconds(Int64.max)
        #expect(Backoff(initial: longest, maximum: longest).delay(afterFailures: failures, random: 0.5) > longest / 2)
        let bounded = Backoff(initial: longest, maximum: .seconds(1))
        #expect(isNear(bounded.delay(afterFailures: failures, random: 0.5), 1000))
    }
}

private func isNear(_ duration: Duration, _ milliseconds: Int) -> Bool {
    abs(duration / .milliseconds(1) - Double(milliseconds)) < 0.001
}

@Suite("Retries of calls", .timeLimit(.minutes(1)))
struct RetryTests {
    private func cluster(_ timing: ManualTiming, bootstrap: String = "127.0.0.1:1") throws -> Cluster {
        var configuration = try ClientConfiguration(bootstrapServers: bootstrap)
        configuration.defaultAPITimeout = .seconds(5)
        return Cluster(configuration: configuration, timing: timing.timing())
    }

    @Test("a retriable error is retried, each time after twice the delay")
    func delays() async throws {
        let timing = ManualTiming()
        let attempts = Lock(0)
        let result = try await cluster(timing).retrying(operation: "test") {
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            if attempt < 5 { throw KafkaError(.coordinatorLoadInProgress, "not yet") }
            return attempt
        }
        #expect(result == 5)
        #expect(timing.slept.count == 4)
        for (slept, expected) in zip(timing.slept, [100, 200, 400, 800]) { #expect(isNear(slept, expected)) }
    }

    @Test("retries end before the limit, with the last error")
    func limit() async throws {
        let timing = ManualTiming()
        let attempts = Lock(0)
        let error = await #expect(throws: KafkaError.self) {
            try await cluster(timing).retrying(operation: "test", limit: .seconds(2)) {
                let attempt = attempts.withLock { attempts in
                    attempts += 1
                    return attempts
                }
                throw KafkaError(.coordinatorLoadInProgress, "attempt \(attempt)")
            }
        }
        // The delays were 100 + 200 + 400 + 800 ms; another second would exceed the limit.
        #expect(error?.message == "attempt 5")
        #expect(timing.slept.count == 4)
    }

    @Test("an error that isn't retriable, or that the caller declares final, is thrown immediately")
    func finalErrors() async throws {
        let timing = ManualTiming()
        let cluster = try cluster(timing)
        let first = await #expect(throws: KafkaError.self) {
            try await cluster.retrying(operation: "test") { throw KafkaError(.invalidTopicException, "bad") }
        }
        #expect(first?.code == .invalidTopicException)
        let second = await #expect(throws: KafkaError.self) {
            try await cluster.retrying(operation: "test", final: [.unknownTopicOrPartition]) {
                throw KafkaError(.unknownTopicOrPartition, "none")
            }
        }
        #expect(second?.code == .unknownTopicOrPartition)
        #expect(timing.slept.isEmpty)
    }

    @Test("errors of other types are rethrown unchanged")
    func otherErrors() async throws {
        let timing = ManualTiming()
        await #expect(throws: CancellationError.self) {
            try await cluster(timing).retrying(operation: "test") { throw CancellationError() }
        }
        #expect(timing.slept.isEmpty)
    }

    @Test("an error that means stale metadata causes a refresh")
    func refreshes() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        let timing = ManualTiming()
        let cluster = try cluster(timing, bootstrap: fake.bootstrapServers)
        let attempts = Lock(0)
        try await cluster.retrying(operation: "test", topics: ["t"]) {
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            if attempt < 3 { throw KafkaError(.notLeaderOrFollower, "elsewhere") }
        }
        #expect(fake.count(.metadata) == 2)
        await cluster.close()
        await fake.close()
    }

    @Test("connections to a broker that refuses them are retried after growing delays")
    func reconnectBackoff() async throws {
        let fake = try FakeCluster()
        let bootstrap = fake.bootstrapServers
        await fake.stop(broker: 1)
        let timing = ManualTiming()
        let cluster = try cluster(timing, bootstrap: bootstrap)
        for _ in 0..<5 {
            let error = await #expect(throws: KafkaError.self) { _ = try await cluster.anyConnection() }
            #expect(error?.message.contains("no broker can be reached") == true)
        }
        #expect(timing.slept.count == 4)
        for (slept, expected) in zip(timing.slept, [50, 100, 200, 400]) { #expect(isNear(slept, expected)) }
        try fake.start(broker: 1)
        _ = try await cluster.anyConnection()
        await cluster.close()
        await fake.close()
    }

    @Test("concurrent callers share one metadata request")
    func sharedRefresh() async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        let cluster = try cluster(ManualTiming(), bootstrap: fake.bootstrapServers)
        fake.inject(.late(.milliseconds(100)), into: .metadata)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await cluster.describe(topics: ["t"]) } }
            try await group.waitForAll()
        }
        #expect(fake.count(.metadata) <= 2)
        await cluster.close()
        await fake.close()
    }

    @Test("offsets are listed by every kind of spec, retried if a leader moves, and errors name their partition")
    func offsets() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let first = TopicPartition("t", 0)
            try fake.fill(first, [["a", "b"], ["c"]], timestamp: 1000)
            fake.moveLogStart(of: first, to: 1)
            let second = TopicPartition("t", 1)
            #expect(
                try await cluster.listOffsets([first: .earliest, second: .latest]).mapValues(\.offset) == [
                    first: 1, second: 0,
                ])
            #expect(try await cluster.listOffsets([first: .latest])[first]?.offset == 3)
            #expect(try await cluster.listOffsets([first: .offset(77)])[first]?.offset == 77)
            #expect(
                try await cluster.listOffsets([first: .timestamp(KafkaTimestamp(millisecondsSince1970: 1001))])[first]?
                    .offset == 1)
            #expect(
                try await cluster.listOffsets([first: .timestamp(KafkaTimestamp(millisecondsSince1970: 5000))])[first]?
                    .offset == 3)
            fake.inject(.error(.notLeaderOrFollower), into: .listOffsets, times: 2)
            #expect(try await cluster.listOffsets([first: .latest])[first]?.offset == 3)
            let unknown = TopicPartition("none")
            fake.inject(.error(.topicAuthorizationFailed), into: .listOffsets, partition: second)
            let error = await #expect(throws: KafkaError.self) {
                _ = try await cluster.listOffsets([first: .latest, second: .latest])
            }
            #expect(error?.code == .topicAuthorizationFailed)
            #expect(error?.partition == 1)
            let missing = await #expect(throws: KafkaError.self) {
                _ = try await cluster.listOffsets([unknown: .latest], limit: .milliseconds(500))
            }
            #expect(missing?.code == .unknownTopicOrPartition)
            #expect(missing?.topic == "none")
        }
    }

    @Test("a closed client doesn't retry")
    func closedClient() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(ProducerRecord(topic: "t", value: [1]))
            await cluster.close()
            let calls: [() async throws -> Void] = [
                { _ = try await KafkaAdmin(cluster: cluster).describeCluster() },
                { _ = try await producer.send(ProducerRecord(topic: "t", value: [2])) },
            ]
            for call in calls {
                let error = try #require(await #expect(throws: KafkaError.self) { try await call() })
                #expect(error.message.contains("the client is closed") && !error.isRetriable)
            }
            await producer.close()
        }
    }
}
