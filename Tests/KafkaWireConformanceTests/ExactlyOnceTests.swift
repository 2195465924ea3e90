import Foundation
import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Records are read, processed and written in transactions during failures of brokers and connections.
    @Suite(needsKafka, needsLongTests) struct ExactlyOnce {
        private static let isLong = !(ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty

        /// Kills three brokers in turn: for two minutes in long tests, otherwise each one once.
        @Test(.timeLimit(.minutes(6))) func brokersAreKilled() async throws {
            let cluster = try await ThreeBrokers.cluster()
            let load = try await TransactionalLoad(cluster.bootstrap, partitions: 6, replicationFactor: 3)
            let end = ContinuousClock.now + (Self.isLong ? .seconds(120) : .seconds(1))
            try await load.awaitProgress()
            repeat {
                for broker in 1...(Self.isLong ? 3 : 2) {
                    try await cluster.kill(broker)
                    try await load.awaitProgress()
                    try await cluster.start(broker)
                    try await ThreeBrokers.awaitInSync(load.input, client: load.client)
                    try await ThreeBrokers.awaitInSync(load.output, client: load.client)
                }
            } while .now < end
            try await load.endAndCheck()
        }

        /// One broker behind a proxy that cuts connections, delays bytes, and forwards them in small pieces.
        @Test(.timeLimit(.minutes(6))) func behindABadConnection() async throws {
            let home = try #require(KafkaHome.newest)
            let proxy = try BrokerProxy(seed: 1)
            let cluster = try await KafkaCluster.start(
                home, settings: ["advertised.listeners": "PLAINTEXT://127.0.0.1:\(proxy.port)"])
            let port = try #require(cluster.bootstrap.split(separator: ":").last.flatMap { Int($0) })
            proxy.start(to: port)
            let load = try await TransactionalLoad(
                "127.0.0.1:\(proxy.port)", partitions: 3, replicationFactor: 1)
            try await load.awaitProgress()
            let end = ContinuousClock.now + (Self.isLong ? .seconds(120) : .seconds(10))
            while .now < end {
                proxy.misbehave(true)
                try await load.awaitProgress()
                proxy.misbehave(false)
                try await load.awaitProgress()
            }
            try await load.endAndCheck()
            #expect(proxy.cutCount > 0)
            proxy.close()
            try await cluster.shutDown()
        }
    }
}
