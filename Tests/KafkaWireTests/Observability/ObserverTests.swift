import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Log, metrics and hooks", .timeLimit(.minutes(1)))
struct ObserverTests {
    @Test("Without logger, metrics and hooks there is no observer")
    func nobody() async throws {
        #expect(ClientObserver(hooks: ClientHooks()) == nil)
        #expect(ClientObserver(hooks: ClientHooks(availabilityChanged: { _ in })) != nil)
        let client = try KafkaClient(bootstrapServers: "127.0.0.1:1")
        #expect(client.cluster.observer == nil)
        await client.close()
    }

    @Test("Requests and responses are measured by API, and each instrument is created once")
    func requests() async throws {
        let metrics = CountingMetrics()
        try await withFake(metrics: metrics) { fake, cluster in
            let connection = try await cluster.anyConnection()
            for _ in 0..<3 { _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10)) }
            fake.inject(.unreadable, into: .metadata)
            await #expect(throws: KafkaError.self) {
                _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
            }
            #expect(metrics.count(.requests, "api=Metadata") == 4)
            #expect(metrics.times(.requestDuration, "api=Metadata").count == 3)
            #expect(metrics.count(.requestErrors, "api=Metadata error=CORRUPT_MESSAGE") == 1)
            #expect(metrics.count(.bytesSent) > 4 * 20)
            #expect(metrics.count(.bytesReceived) > 3 * 20)
            #expect(metrics.gauge(.connectionsOpen) == 1)
            #expect(metrics.count(.connectionsOpened) == 1)
            #expect(metrics.made.values.allSatisfy { $0 == 1 })
        }
        try await eventually("the closed connection is counted") {
            metrics.count(.connectionsClosed, "reason=closed") == 1 && metrics.gauge(.connectionsOpen) == 0
        }
    }

    @Test("Hooks get a request and its response in pairs, and the error of a failed one")
    func hooks() async throws {
        let seen = Lock<[String]>([])
        var hooks = ClientHooks()
        hooks.requestSent = { event in
            seen.withLock { $0.append("\(event.role) \(event.api) v\(event.version) sent: \(event.byteCount > 20)") }
        }
        hooks.responseReceived = { event in
            seen.withLock {
                $0.append("\(event.api) answered: \(event.byteCount > 20) \(event.error?.code.description ?? "well")")
            }
        }
        try await withFake(hooks: hooks) { fake, cluster in
            let connection = try await cluster.anyConnection()
            _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
            fake.inject(.hangUp(.beforehand), into: .metadata)
            await #expect(throws: KafkaError.self) {
                _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
            }
        }
        #expect(
            seen.withLock { $0 } == [
                "general Metadata v13 sent: true", "Metadata answered: true well",
                "general Metadata v13 sent: true", "Metadata answered: false NETWORK_EXCEPTION",
            ])
    }

    @Test("Retries are counted by error")
    func retries() async throws {
        let metrics = CountingMetrics()
        try await withFake(metrics: metrics) { _, cluster in
            let attempts = Lock(0)
            try await cluster.retrying(operation: "test") {
                let attempt = attempts.withLock { count in
                    count += 1
                    return count
                }
                if attempt < 3 { throw KafkaError(.coordinatorLoadInProgress, "not yet") }
            }
        }
        #expect(metrics.count(.retries, "error=COORDINATOR_LOAD_IN_PROGRESS") == 2)
    }

    /// Metrics with all their dimensions.
    private final class AllGauges: KafkaMetrics {
        let values = Lock<[String: Double]>([:])

        func counter(_: String, dimensions _: [(String, String)]) -> @Sendable (Int) -> Void { { _ in } }
        func timer(_: String, dimensions _: [(String, String)]) -> @Sendable (Duration) -> Void { { _ in } }
        func gauge(_ name: String, dimensions: [(String, String)]) -> @Sendable (Double) -> Void {
            let key = ([name] + dimensions.map { "\($0)=\($1)" }).joined(separator: " ")
            return { value in self.values.withLock { $0[key] = value } }
        }
    }

    @Test(
        "two clients have separate gauges even with the same client.id, and the number of a closed client is reused")
    func twoClients() throws {
        let metrics = AllGauges()
        let name = "two clients of a test"
        var first = ClientObserver(clientID: name, metrics: metrics, hooks: ClientHooks())
        let second = ClientObserver(clientID: name, metrics: metrics, hooks: ClientHooks())
        let partition = TopicPartition("t")
        first?.fetched(partition, records: 0, batches: 0, bytes: 0, lag: 1)
        second?.fetched(partition, records: 0, batches: 0, bytes: 0, lag: 2)
        func lag(_ instance: Int) -> Double? {
            metrics.values.withLock {
                $0["kafka.consumer.lag topic=t partition=0 client.id=\(name) client.instance=\(instance)"]
            }
        }
        #expect(lag(1) == 1)
        #expect(lag(2) == 2)
        first = nil
        first = ClientObserver(clientID: name, metrics: metrics, hooks: ClientHooks())
        first?.fetched(partition, records: 0, batches: 0, bytes: 0, lag: 3)
        #expect(lag(1) == 3)
    }

    @Test("Each log line and each event has the client id")
    func clientID() async throws {
        let logger = LineLogger(.trace)
        let ids = Lock<[String]>([])
        @Sendable func note(_ id: String) { ids.withLock { $0.append(id) } }
        var hooks = ClientHooks()
        hooks.connected = { note($0.clientID) }
        hooks.requestSent = { note($0.clientID) }
        hooks.responseReceived = { note($0.clientID) }
        hooks.disconnected = { note($0.clientID) }
        let fake = try FakeCluster()
        let client = KafkaClient(
            try ClientConfiguration(bootstrapServers: fake.bootstrapServers, properties: ["client.id": "press-7"]),
            logger: logger, hooks: hooks)
        _ = try await client.admin.describeCluster()
        await client.close()
        try await eventually("the end is reported") { ids.withLock { $0.count } >= 4 }
        #expect(ids.withLock { Set($0) } == ["press-7"])
        #expect(logger.all.count >= 3 && logger.all.allSatisfy { $0.metadata["client.id"] == "press-7" })
        await fake.close()
    }

    @Test("A rebalance is reported to log, metrics and hooks")
    func rebalance() throws {
        let seen = Lock<[RebalanceEvent]>([])
        var hooks = ClientHooks()
        hooks.rebalanced = { event in seen.withLock { $0.append(event) } }
        let metrics = CountingMetrics()
        let logger = LineLogger(.info)
        let observer = try #require(ClientObserver(logger: logger, metrics: metrics, hooks: hooks))
        observer.rebalanced(group: "g", generation: 4, .assigned, [TopicPartition("t", 1), TopicPartition("t", 2)])
        observer.rebalanced(group: "g", generation: 5, .lost, [TopicPartition("t", 1)])
        #expect(seen.withLock { $0.map(\.change) } == [.assigned, .lost])
        #expect(metrics.count(.rebalances, "group=g change=assigned") == 1)
        #expect(logger.all.map(\.level) == [.info, .warning])
        #expect(logger.all.first?.metadata["partitions"] == "t-1,t-2")
    }

    @Test("Lines below the log level are not computed", arguments: KafkaLogLevel.allCases)
    func levels(level: KafkaLogLevel) async throws {
        let logger = LineLogger(level)
        try await withFake(logger: logger) { _, cluster in
            let connection = try await cluster.anyConnection()
            _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
        }
        #expect(logger.all.allSatisfy { $0.level >= level })
        let expected: Set<KafkaLogLevel> = level == .trace ? [.trace, .debug] : level == .debug ? [.debug] : []
        #expect(Set(logger.all.map(\.level)) == expected)
    }

    @Test("Levels have swift-log's order")
    func order() {
        #expect(KafkaLogLevel.allCases == KafkaLogLevel.allCases.sorted())
        #expect(
            KafkaLogLevel.allCases.map(\.rawValue) == [
                "trace", "debug", "info", "notice", "warning", "error", "critical",
            ])
    }
}
