import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Rebootstrapping", .timeLimit(.minutes(1)))
struct RebootstrapTests {
    /// Runs a test with a client whose two bootstrap servers belong to different clusters.
    private func withTwoClusters(
        _ properties: [String: String] = [:], timing: Timing = Timing(),
        _ body: (_ first: FakeCluster, _ second: FakeCluster, Cluster, CountingMetrics) async throws -> Void
    ) async throws {
        let (first, second) = (try FakeCluster(), try FakeCluster())
        let metrics = CountingMetrics()
        let quick = ["retry.backoff.ms": "2", "reconnect.backoff.ms": "2", "reconnect.backoff.max.ms": "10"]
        let configuration = try ClientConfiguration(
            bootstrapServers: "\(first.bootstrapServers),\(second.bootstrapServers)",
            properties: quick.merging(properties) { $1 })
        let cluster = Cluster(
            configuration: configuration, timing: timing,
            observer: ClientObserver(metrics: metrics, hooks: ClientHooks()))
        first.createTopic("t")
        second.createTopic("t", partitions: 3)
        #expect(try await cluster.describe(topics: ["t"]).first?.partitions.count == 1)
        try await body(first, second, cluster, metrics)
        await cluster.close()
        await first.close()
        await second.close()
    }

    @Test("if no known broker can be reached, the client rebootstraps and discards the old brokers (KIP-899)")
    func allGone() async throws {
        try await withTwoClusters { first, second, cluster, metrics in
            await first.stop(broker: 1)
            _ = try await cluster.retrying(operation: "test", topics: ["t"]) {
                try await cluster.refresh(topics: ["t"])
            }
            #expect(await cluster.topic("t")?.partitions.count == 3)
            #expect(await cluster.brokers.values.map(\.port) == [second.port(of: 1)])
            #expect(metrics.count(.rebootstraps) == 1)
        }
    }

    @Test("with metadata.recovery.strategy=none the client doesn't rebootstrap")
    func none() async throws {
        try await withTwoClusters(["metadata.recovery.strategy": "none"]) { first, second, cluster, metrics in
            await first.stop(broker: 1)
            await #expect(throws: KafkaError.self) { try await cluster.refresh(topics: ["t"]) }
            #expect(second.requests.isEmpty)
            #expect(metrics.count(.rebootstraps) == 0)
            try first.start(broker: 1)
            _ = try await cluster.refresh(topics: ["t"])
            #expect(await cluster.topic("t")?.partitions.count == 1)
        }
    }

    @Test("if metadata requests fail for too long, the client rebootstraps (KIP-1102)")
    func trigger() async throws {
        let timing = ManualTiming()
        try await withTwoClusters(
            ["metadata.recovery.rebootstrap.trigger.ms": "5000"], timing: timing.timing()
        ) { first, second, cluster, metrics in
            first.inject(.hangUp(.beforehand), into: .metadata, times: 1000)
            await #expect(throws: KafkaError.self) { try await cluster.refresh(topics: ["t"]) }
            timing.advance(.milliseconds(4000))
            await #expect(throws: KafkaError.self) { try await cluster.refresh(topics: ["t"]) }
            #expect(metrics.count(.rebootstraps) == 0)
            timing.advance(.milliseconds(1100))
            await #expect(throws: KafkaError.self) { try await cluster.refresh(topics: ["t"]) }
            #expect(metrics.count(.rebootstraps) == 1)
            // Only the bootstrap servers are left, and the first one is stopped.
            await first.stop(broker: 1)
            _ = try await cluster.refresh(topics: ["t"])
            #expect(await cluster.topic("t")?.partitions.count == 3)
        }
    }

    @Test("REBOOTSTRAP_REQUIRED makes the client rebootstrap immediately (KIP-1102)")
    func required() async throws {
        try await withTwoClusters { first, second, cluster, metrics in
            // The third request of its connection, after ApiVersions and the first Metadata.
            var answer = WireWriter(isFlexible: true)
            answer.int32(0)
            answer.int32(2)
            answer.unsignedVarint(0)
            MetadataResponse(errorCode: ErrorCode.rebootstrapRequired.rawValue).encode(to: &answer, version: 13)
            answer.overwriteInt32(Int32(answer.count - 4), at: 0)
            first.inject(.garbage(try answer.finish()), into: .metadata)
            let before = first.count(.apiVersions)
            _ = try await cluster.refresh(topics: ["t"])
            #expect(metrics.count(.rebootstraps) == 1)
            // Over a new connection, because the old ones are closed.
            #expect(first.count(.apiVersions) == before + 1)
            #expect(await cluster.topic("t")?.partitions.count == 1)
            #expect(second.requests.isEmpty)
        }
    }
}
