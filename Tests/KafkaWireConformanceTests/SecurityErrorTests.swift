import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// If the security settings of client and broker don't match, each mistake has its own error and fails immediately.
    @Suite(needsKafka) struct SecurityErrors {
        /// A wrong configuration, and the expected error.
        struct Case: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let listener: SecureKafkaCluster.Listener?
            let properties: [String: String]
            let code: ErrorCode
            /// The error's text after the broker's address.
            let message: String

            init(
                _ name: String, _ listener: SecureKafkaCluster.Listener?, _ properties: [String: String],
                _ code: ErrorCode, _ message: String
            ) {
                testDescription = name
                self.listener = listener
                self.properties = properties
                self.code = code
                self.message = message
            }
        }

        private static let tls = ["security.protocol": "SSL", "ssl.truststore.location": "ca.pem"]

        private static func login(
            _ mechanism: String, _ user: String = "alice", _ password: String = "alice-secret",
            protocol: String = "SASL_SSL"
        ) -> [String: String] {
            var properties = [
                "security.protocol": `protocol`, "sasl.mechanism": mechanism, "sasl.username": user,
                "sasl.password": password,
            ]
            if `protocol` == "SASL_SSL" { properties["ssl.truststore.location"] = "ca.pem" }
            return properties
        }

        static let cases = [
            Case(
                "wrong password, PLAIN", .saslSSL, login("PLAIN", "alice", "hunter2"), .saslAuthenticationFailed,
                "refused the login as alice by PLAIN: Authentication failed"),
            Case(
                "wrong password, SCRAM-SHA-256", .saslSSL, login("SCRAM-SHA-256", "alice", "hunter2"),
                .saslAuthenticationFailed, "refused the login as alice by SCRAM-SHA-256: Authentication failed"),
            Case(
                "unknown user, SCRAM-SHA-512", .saslPlaintext,
                login("SCRAM-SHA-512", "mallory", "hunter2", protocol: "SASL_PLAINTEXT"), .saslAuthenticationFailed,
                "refused the login as mallory by SCRAM-SHA-512: Authentication failed"),
            Case(
                "unsupported mechanism", .reauth, login("PLAIN"), .unsupportedSaslMechanism,
                "does not support sasl.mechanism=PLAIN; it offers OAUTHBEARER, SCRAM-SHA-256"),
            Case(
                "unknown CA", .ssl, ["security.protocol": "SSL", "ssl.truststore.location": "stranger-ca.pem"],
                .networkException, "has a certificate of an authority that isn't trusted (CN = test ca): set"),
            Case(
                "the system's CAs", .ssl, ["security.protocol": "SSL"], .networkException,
                "has a certificate of an authority that isn't trusted (CN = test ca): set"),
            Case(
                "expired certificate", .expired, tls, .networkException,
                "has a certificate that expired on Feb  1 00:00:00 2020 GMT"),
            Case(
                "no client certificate", .mtls, tls, .networkException,
                "requires a client certificate: set ssl.keystore"),
            Case(
                "no client certificate, TLS 1.2", .mtls, tls.merging(["ssl.enabled.protocols": "TLSv1.2"]) { $1 },
                .networkException, "requires a client certificate: set ssl.keystore"),
            Case(
                "client certificate of another CA", .mtls,
                tls.merging(["ssl.keystore.location": "stranger.pem"]) { $1 }, .networkException,
                "doesn't accept the client certificate"),
            Case(
                "plain listener in TLS", nil, tls, .networkException,
                "speaks Kafka in plain, not in TLS: its listener is for security.protocol=PLAINTEXT"),
            Case(
                "plain listener with logins in TLS", .saslPlaintext, login("PLAIN"), .networkException,
                "speaks Kafka in plain, not in TLS"),
            Case("TLS listener in plain", .ssl, [:], .networkException, "its listener expects TLS"),
            Case(
                "TLS listener with logins in plain", .saslSSL, login("PLAIN", protocol: "SASL_PLAINTEXT"),
                .networkException, "its listener expects TLS"),
            Case(
                "no login although one is required", .saslPlaintext, [:], .illegalSaslState,
                "wants a login: set security.protocol=SASL_PLAINTEXT and sasl.mechanism, one of OAUTHBEARER, PLAIN, "
                    + "SCRAM-SHA-256, SCRAM-SHA-512"),
            Case(
                "no login although one is required, with TLS", .saslSSL, tls, .illegalSaslState,
                "wants a login: set security.protocol=SASL_SSL"),
            Case(
                "a login although none is supported", nil, login("PLAIN", protocol: "SASL_PLAINTEXT"),
                .illegalSaslState,
                "asks for no login: its listener is for security.protocol=PLAINTEXT"),
            Case(
                "a login although none is supported, with TLS", .ssl, login("PLAIN"), .illegalSaslState,
                "asks for no login: its listener is for security.protocol=SSL"),
            Case(
                "a missing file", .ssl, ["security.protocol": "SSL", "ssl.truststore.location": "none.pem"],
                .invalidConfig, "none.pem (ssl.truststore.location) doesn't exist"),
            Case(
                "a file without a certificate", .ssl,
                ["security.protocol": "SSL", "ssl.truststore.location": "ca.key"], .invalidConfig,
                "ca.key (ssl.truststore.location) contains no certificate in PEM format"),
            Case(
                "a file without a key", .ssl, tls.merging(["ssl.keystore.location": "client.crt"]) { $1 },
                .invalidConfig, "client.crt (ssl.keystore.location) contains no private key"),
        ]

        @Test(arguments: KafkaHome.all, cases)
        func eachItsOwn(_ home: KafkaHome, _ wrong: Case) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            var properties = wrong.properties
            for name in ["ssl.truststore.location", "ssl.keystore.location"] {
                if let file = properties[name] { properties[name] = cluster.certificate(file) }
            }
            let bootstrap = wrong.listener.map(cluster.bootstrap) ?? cluster.cluster.bootstrap
            try await expectAtOnce(bootstrap, properties, wrong.code, wrong.message)
        }

        /// Uses the default limits of 10 s for a connection and a minute for a call.
        private func expectAtOnce(
            _ bootstrap: String, _ properties: [String: String], _ code: ErrorCode, _ message: String
        ) async throws {
            let client = try KafkaClient(bootstrapServers: bootstrap, properties: properties)
            let start = ContinuousClock.now
            let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
            let time = ContinuousClock.now - start
            #expect(error.code == code, "\(error)")
            #expect(!error.isRetriable, "\(error)")
            #expect(error.message.contains(message), "\(error)")
            #expect(!error.message.contains("hunter2"), "\(error)")
            #expect(time < .seconds(5))
            await client.close()
        }

        /// Connects by name and by address.
        @Test(arguments: KafkaHome.all) func hostNames(_ home: KafkaHome) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            let properties = ["security.protocol": "SSL", "ssl.truststore.location": cluster.certificate("ca.pem")]
            for host in ["localhost", "127.0.0.1"] {
                func bootstrap(_ listener: SecureKafkaCluster.Listener) -> String {
                    cluster.bootstrap(listener).replacing("127.0.0.1", with: host)
                }
                let client = try KafkaClient(bootstrapServers: bootstrap(.ssl), properties: properties)
                _ = try await client.cluster.anyConnection()
                await client.close()
                try await expectAtOnce(
                    bootstrap(.elsewhere), properties, .networkException,
                    "has a certificate for kafka.example.com, not for \(host)")
                let careless = try KafkaClient(
                    bootstrapServers: bootstrap(.elsewhere),
                    properties: properties.merging(["ssl.endpoint.identification.algorithm": ""]) { $1 })
                _ = try await careless.cluster.anyConnection()
                await careless.close()
            }
        }

        /// An error of the application's token source is reported. A rejected token is not shown.
        @Test(arguments: KafkaHome.all) func tokens(_ home: KafkaHome) async throws {
            struct NoToken: Error {}
            let (bootstrap, properties) = try await SecureKafkaCluster.shared(home).access(.oauthBearer)
            var configuration = try ClientConfiguration(bootstrapServers: bootstrap, properties: properties)
            configuration.security.sasl = .oauthBearer { throw NoToken() }
            var client = KafkaClient(configuration)
            let start = ContinuousClock.now
            let missing = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
            #expect(missing.code == .saslAuthenticationFailed)
            #expect(missing.message.contains("there is no token: NoToken()"), "\(missing)")
            // Producers and consumers also report it, although they log in in the background.
            let producer = client.producer()
            let sending = try await kafkaError { _ = try await producer.send(ProducerRecord(topic: "t", value: [1])) }
            #expect(sending.message.contains("NoToken()"), "\(sending)")
            let consumer = client.consumer()
            await consumer.assign([TopicPartition(topic: "t", partition: 0): ConsumerStart(.earliest)])
            let reading = try await kafkaError {
                var batches = consumer.makeAsyncIterator()
                _ = try await batches.next()
            }
            #expect(reading.message.contains("NoToken()"), "\(reading)")
            await consumer.close()
            await producer.close()
            await client.close()
            configuration.security.sasl = .oauthBearer { OAuthToken("hunter2.hunter2.", lifetime: .seconds(60)) }
            client = KafkaClient(configuration)
            let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
            #expect(error.code == .saslAuthenticationFailed)
            #expect(
                error.message.contains("refused the login by OAUTHBEARER: {\"status\":\"invalid_token\"}"), "\(error)")
            #expect(!error.message.contains("hunter2"))
            #expect(ContinuousClock.now - start < .seconds(5))
            await client.close()
        }

        /// Producers and consumers also fail immediately, before their timeouts.
        @Test(arguments: KafkaHome.all) func producersAndConsumers(_ home: KafkaHome) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            var properties = cluster.access(.scramSHA256).properties
            properties["sasl.password"] = "hunter2"
            let client = try KafkaClient(bootstrapServers: cluster.bootstrap(.saslSSL), properties: properties)
            let start = ContinuousClock.now
            let producer = client.producer()
            let sending = try await kafkaError { _ = try await producer.send(ProducerRecord(topic: "t", value: [1])) }
            #expect(sending.code == .saslAuthenticationFailed, "\(sending)")
            let consumer = client.consumer()
            await consumer.assign([TopicPartition(topic: "t", partition: 0): ConsumerStart(.earliest)])
            let reading = try await kafkaError {
                var batches = consumer.makeAsyncIterator()
                _ = try await batches.next()
            }
            #expect(reading.code == .saslAuthenticationFailed, "\(reading)")
            #expect(ContinuousClock.now - start < .seconds(10))
            await producer.close()
            await client.close()
        }
    }
}
