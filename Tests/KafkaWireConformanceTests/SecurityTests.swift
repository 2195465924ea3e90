import Concurrency
import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// TLS and logins with each kind of listener.
    @Suite(needsKafka) struct Security {
        private func client(
            _ home: KafkaHome, _ security: KafkaSecurity, _ properties: [String: String] = [:]
        ) async throws -> KafkaClient {
            let (bootstrap, access) = try await SecureKafkaCluster.shared(home).access(security)
            return try KafkaClient(
                bootstrapServers: bootstrap,
                properties: access.merging(["auto.offset.reset": "none"]) { $1 }.merging(properties) { $1 })
        }

        /// Sends and reads small records, and one that takes many TLS records.
        private func roundTrip(_ client: KafkaClient) async throws {
            let topic = uniqueName()
            try await client.admin.createTopic(topic, partitions: 1)
            let producer = client.producer()
            let values =
                (0..<50).map { Array("\($0)".utf8) } + [(0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }]
            var deliveries: [Delivery] = []
            for value in values {
                deliveries.append(
                    try await producer.enqueue(ProducerRecord(topic: topic, partition: 0, value: value)))
            }
            for delivery in deliveries { _ = try await delivery.metadata }
            await producer.close()
            var reading = await client.read([TopicPartition(topic: topic, partition: 0): .earliest])
            #expect(try await reading.records(values.count).map(\.value) == values)
            await client.close()
        }

        @Test(arguments: KafkaHome.all, KafkaSecurity.allCases)
        func recordsThereAndBack(_ home: KafkaHome, _ security: KafkaSecurity) async throws {
            try await roundTrip(try await client(home, security))
        }

        @Test(arguments: KafkaHome.all) func loginsWithoutTLS(_ home: KafkaHome) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            for module in ["plain.PlainLoginModule PLAIN", "scram.ScramLoginModule SCRAM-SHA-512"] {
                let words = module.split(separator: " ")
                try await roundTrip(
                    try KafkaClient(
                        bootstrapServers: cluster.bootstrap(.saslPlaintext),
                        properties: [
                            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": String(words[1]),
                            "sasl.jaas.config": "org.apache.kafka.common.security.\(words[0]) required "
                                + #"username="bob" password="bob=secret";"#, "auto.offset.reset": "none",
                        ]))
            }
        }

        /// The application's token is shared by all connections of the client.
        @Test(arguments: KafkaHome.all) func tokenCallback(_ home: KafkaHome) async throws {
            let (bootstrap, properties) = try await SecureKafkaCluster.shared(home).access(.oauthBearer)
            var configuration = try ClientConfiguration(bootstrapServers: bootstrap, properties: properties)
            configuration.consumer.offsetReset = .fail
            let calls = Counter()
            configuration.security.sasl = .oauthBearer {
                calls.increment()
                // {"alg":"none"} {"sub":"carol","iat":1,"exp":9999999999}
                return OAuthToken(
                    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYXJvbCIsImlhdCI6MSwiZXhwIjo5OTk5OTk5OTk5fQ.",
                    lifetime: .seconds(3600), extensions: ["team": "paint shop"])
            }
            try await roundTrip(KafkaClient(configuration))
            #expect(calls.value == 1)
        }

        /// Certificates and an encrypted key as single-line text, as in a properties file.
        @Test(arguments: KafkaHome.all) func certificatesAsText(_ home: KafkaHome) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            func text(_ program: [String]) async throws -> String {
                let result = try await run(program[0], Array(program.dropFirst()))
                guard result.status == 0 else { throw ProgramError("\(program[0]): \(result.err)") }
                return result.out.replacing("\n", with: " ")
            }
            let key = try await text([
                "openssl", "pkcs8", "-topk8", "-in", cluster.certificate("client.key"), "-passout", "pass:key-secret",
            ])
            #expect(key.contains("BEGIN ENCRYPTED PRIVATE KEY"))
            var properties = [
                "security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.keystore.type": "PEM",
                "ssl.truststore.certificates": try await text(["cat", cluster.certificate("ca.pem")]),
                "ssl.keystore.certificate.chain": try await text(["cat", cluster.certificate("client.crt")]),
                "ssl.keystore.key": key, "ssl.key.password": "key-secret", "auto.offset.reset": "none",
                "ssl.enabled.protocols": "TLSv1.2",
            ]
            try await roundTrip(
                try KafkaClient(bootstrapServers: cluster.bootstrap(.mtls), properties: properties))
            properties["ssl.key.password"] = "another-secret"
            let client = try KafkaClient(bootstrapServers: cluster.bootstrap(.mtls), properties: properties)
            let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
            #expect(error.code == .invalidConfig)
            #expect(error.message.contains("check ssl.key.password"))
            await client.close()
        }

        /// A broker closes sessions that are not reauthenticated and keeps the others, while requests are in flight.
        @Test(arguments: KafkaHome.all) func sessions(_ home: KafkaHome) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for security in [KafkaSecurity.scramSHA256, .oauthBearer] {
                    group.addTask { try await self.session(home, security) }
                }
                try await group.waitForAll()
            }
        }

        private func session(_ home: KafkaHome, _ security: KafkaSecurity) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            let bootstrap = cluster.bootstrap(.reauth)
            let configuration = try ClientConfiguration(
                bootstrapServers: bootstrap, properties: cluster.access(security).properties)
            let waits = Mutex<[Duration]>([])
            let kept = try await NegotiatedConnection.open(
                configuration.bootstrapServers[0], settings: configuration.connectionSettings,
                pool: BufferPool(limit: 1 << 20),
                timing: Timing(sleep: { duration in
                    waits.withLock { $0.append(duration) }
                    try await Task.sleep(for: duration)
                }))
            let dropped = try await NegotiatedConnection.open(
                configuration.bootstrapServers[0], settings: configuration.connectionSettings,
                pool: BufferPool(limit: 1 << 20),
                timing: Timing(sleep: { _ in try await Task.sleep(for: .seconds(3600)) }))
            // Two and a half sessions of 3 s.
            let end = ContinuousClock.now + .milliseconds(7500)
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var count = 0
                        while ContinuousClock.now < end {
                            _ = try await kept.call(MetadataRequest(topics: []), timeout: .seconds(10))
                            count += 1
                        }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(count > 100)
            #expect(kept.isUsable)
            let slept = waits.withLock { $0 }
            #expect(slept.count >= 3)
            #expect(slept.allSatisfy { .milliseconds(2500) < $0 && $0 < .milliseconds(2851) }, "\(slept)")
            let error = try await kafkaError {
                _ = try await dropped.call(MetadataRequest(topics: []), timeout: .seconds(10))
            }
            #expect(error.code == .networkException)
            kept.close()
            dropped.close()
        }
    }
}

/// A counter that several tasks increment.
private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() { count.add(1, ordering: .relaxed) }
}
