import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Time limits of calls", .timeLimit(.minutes(1)))
struct DeadlineTests {
    /// Collects the events of the retry hook.
    private final class Retries: Sendable {
        private let events = Lock<[RetryEvent]>([])

        var hooks: ClientHooks {
            var hooks = ClientHooks()
            hooks.retrying = { event in self.events.withLock { $0.append(event) } }
            return hooks
        }

        var all: [RetryEvent] { events.withLock { $0 } }
    }

    @Test("with 60 silent brokers a call ends after default.api.timeout.ms, with an error that names the attempts")
    func manySilent() async throws {
        let silent = try (0..<60).map { _ in try SilentListener(host: "127.0.0.1", isFull: true) }
        let configuration = try ClientConfiguration(
            bootstrapServers: silent.map { "127.0.0.1:\($0.port)" }.joined(separator: ","),
            properties: ["default.api.timeout.ms": "700"])
        let cluster = Cluster(configuration: configuration)
        let admin = KafkaAdmin(cluster: cluster)
        let partition = TopicPartition("t")
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await admin.listTopics() },
            { _ = try await admin.listOffsets([partition: .latest]) },
            { _ = try await admin.alterGroupOffsets("g", [partition: OffsetAndMetadata(1)]) },
            { _ = try await admin.listGroups() },
            { try await admin.createTopic("t") },
        ]
        let before = ContinuousClock.now
        await withTaskGroup { group in
            for call in calls {
                group.addTask {
                    let error = await #expect(throws: KafkaError.self) { try await call() }
                    #expect(error?.code == .requestTimedOut)
                    #expect(error?.connectionFailure == .silent)
                    #expect(error?.message.contains("no connection to 127.0.0.1:") == true)
                }
            }
        }
        // One after the other, the attempts would take ten minutes.
        #expect(.now - before < .seconds(20))
        await cluster.close()
    }

    @Test("a responsive broker is found long before the connection attempts to silent ones time out")
    func race() async throws {
        let fake = try FakeCluster()
        let silent = try (0..<4).map { _ in try SilentListener(host: "127.0.0.1", isFull: true) }
        let configuration = try ClientConfiguration(
            bootstrapServers: (silent.map { "127.0.0.1:\($0.port)" } + [fake.bootstrapServers]).joined(separator: ","),
            properties: ["socket.connection.setup.timeout.ms": "50000"])
        let cluster = Cluster(configuration: configuration)
        #expect(try await cluster.anyConnection().address.port == fake.port(of: 1))
        #expect(fake.count(.apiVersions) == 1)
        await cluster.close()
        await fake.close()
    }

    @Test("a call that times out cancels its attempt and doesn't wait for it")
    func cancelsAttempt() async throws {
        let cluster = Cluster(configuration: try ClientConfiguration(bootstrapServers: "127.0.0.1:1"))
        let wasCancelled = Promise<Bool>()
        let error = await #expect(throws: KafkaError.self) {
            try await cluster.retrying(operation: "wait", limit: .milliseconds(20)) {
                try? await Task.sleep(for: .seconds(3600))
                wasCancelled.fulfil(Task.isCancelled)
            }
        }
        #expect(error?.code == .requestTimedOut)
        #expect(error?.message.hasPrefix("cannot wait within 0.02 seconds") == true)
        #expect(await wasCancelled.value())
    }

    @Test("a call that times out during a later attempt throws the last error")
    func lastError() async throws {
        let cluster = Cluster(configuration: try ClientConfiguration(bootstrapServers: "127.0.0.1:1"))
        let attempts = Lock(0)
        let error = await #expect(throws: KafkaError.self) {
            try await cluster.retrying(operation: "wait", limit: .milliseconds(500)) {
                let attempt = attempts.withLock { count in
                    count += 1
                    return count
                }
                if attempt == 1 { throw KafkaError(.coordinatorLoadInProgress, "not yet", topic: "t") }
                try await Task.sleep(for: .seconds(3600))
            }
        }
        #expect(error?.code == .coordinatorLoadInProgress)
        #expect(error?.topic == "t")
    }

    @Test("closing the client fails calls in progress immediately, and later calls before they begin")
    func closing() async throws {
        try await withFake { fake, cluster in
            fake.inject(.silence, into: .metadata, times: 100)
            let call = Task { try await KafkaAdmin(cluster: cluster).listTopics() }
            try await eventually("the call is in progress") { fake.count(.metadata) == 1 }
            await cluster.close()
            let error = await #expect(throws: KafkaError.self) { _ = try await call.value }
            #expect(error?.message == "the client is closed")
            let later = await #expect(throws: KafkaError.self) {
                try await cluster.retrying(operation: "wait") { Issue.record("the operation was attempted") }
            }
            #expect(later?.message == "the client is closed" && later?.isRetriable == false)
        }
    }

    // MARK: Reports

    @Test("a broker that refuses connections is reported immediately, with the operation that needs it")
    func refused() async throws {
        let fake = try FakeCluster()
        let bootstrap = fake.bootstrapServers
        await fake.stop(broker: 1)
        let retries = Retries()
        let cluster = Cluster(
            configuration: try ClientConfiguration(
                bootstrapServers: bootstrap, properties: ["default.api.timeout.ms": "30000", "client.id": "press"]),
            timing: ManualTiming().timing(), observer: ClientObserver(clientID: "press", hooks: retries.hooks))
        let error = await #expect(throws: KafkaError.self) { try await KafkaAdmin(cluster: cluster).listTopics() }
        #expect(error?.connectionFailure == .refused)
        let all = retries.all
        #expect(Set(all.map(\.operation)) == ["list the topics", "connect to \(bootstrap)"])
        #expect(all.allSatisfy { $0.clientID == "press" && $0.error?.connectionFailure == .refused })
        #expect(all.first?.failures == 1)
        // About 30 attempts in 30 s, reported after 0, 1, 3, 7 and 15 s.
        #expect((3...7).contains(all.count { $0.operation == "list the topics" }))
        await cluster.close()
        await fake.close()
    }

    @Test("a broker that neither accepts nor refuses a connection is reported within two seconds")
    func silent() async throws {
        let silent = try SilentListener(host: "127.0.0.1", isFull: true)
        let retries = Retries()
        var timing = Timing()
        // Skip the first second, in which nothing is reported.
        timing.timeout = { try await Task.sleep(for: $0 == .seconds(1) ? .milliseconds(1) : $0) }
        let cluster = Cluster(
            configuration: try ClientConfiguration(bootstrapServers: "127.0.0.1:\(silent.port)"), timing: timing,
            observer: ClientObserver(hooks: retries.hooks))
        let attempt = Task { try await cluster.anyConnection() }
        try await eventually("the silence is reported") {
            retries.all.first?.operation == "connect to 127.0.0.1:\(silent.port)"
        }
        #expect(retries.all.first?.error?.message.contains("has not answered") == true)
        await cluster.close()
        _ = await attempt.result
    }

    @Test("a group without a coordinator is reported, and so is the later success")
    func coordinator() async throws {
        let retries = Retries()
        try await withFake(hooks: retries.hooks) { fake, cluster in
            fake.createTopic("t")
            fake.inject(.error(.coordinatorNotAvailable), into: .findCoordinator, times: 3)
            _ = try await KafkaAdmin(cluster: cluster).alterGroupOffsets(
                "g", [TopicPartition("t"): OffsetAndMetadata(1)])
            #expect(retries.all.count >= 2)
            #expect(retries.all.first?.error?.code == .coordinatorNotAvailable)
            #expect(retries.all.first?.operation.contains("group g") == true)
            #expect(retries.all.last?.error == nil && retries.all.last?.failures == 3)
        }
    }

    @Test("alternating errors are reported once each, and then at growing intervals")
    func alternating() throws {
        let retries = Retries()
        let observer = ClientObserver(hooks: retries.hooks)
        var reporter = RetryReporter("wait")
        let start = ContinuousClock.now
        for step in 0..<100 {
            let code: ErrorCode = step.isMultiple(of: 2) ? .networkException : .requestTimedOut
            reporter.failed(
                KafkaError(code, "no"), at: start + .milliseconds(100) * step, retryingAfter: nil, observer: observer)
        }
        // In 10 s: two at the start, and after 2 and 6 s.
        #expect((3...5).contains(retries.all.count))
    }
}
