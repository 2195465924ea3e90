import Foundation

/// A way in which a client and a broker authenticate each other, for tests that cover all of them.
package enum KafkaSecurity: String, Sendable, CaseIterable, CustomStringConvertible {
    case plain = "plain"
    case tls = "TLS"
    case mutualTLS = "mTLS"
    case saslPlain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA512 = "SCRAM-SHA-512"
    case oauthBearer = "OAUTHBEARER"

    package var description: String { rawValue }
}

/// A real broker with a listener for each kind of security, run by `scripts/kafka.sh up --secure`, which documents the
/// listeners, users and certificates.
package final class SecureKafkaCluster: Sendable {
    package enum Listener: String, Sendable, CaseIterable {
        case ssl, mtls, expired, elsewhere
        case saslPlaintext = "sasl_plaintext"
        case saslSSL = "sasl_ssl"
        case reauth
    }

    package let cluster: KafkaCluster
    private let addresses: [String: String]

    private static let sharedClusters = SharedServers<SecureKafkaCluster>()

    /// The test process's shared cluster of this version. Do not stop or kill its broker.
    package static func shared(_ home: KafkaHome) async throws -> SecureKafkaCluster {
        try await sharedClusters.server(home.path) {
            try await start(home)
        }
    }

    /// Starts a broker for the caller alone.
    ///
    /// - Parameter settings: Broker settings by Kafka's names.
    package static func start(
        _ home: KafkaHome, settings: [String: String] = [:]
    ) async throws -> SecureKafkaCluster {
        try SecureKafkaCluster(try await KafkaCluster.start(home, settings: settings, isSecure: true))
    }

    private init(_ cluster: KafkaCluster) throws {
        self.cluster = cluster
        let lines = try String(contentsOf: cluster.folder.appending(path: "listeners"), encoding: .utf8)
        addresses = Dictionary(
            uniqueKeysWithValues: lines.split(separator: "\n").map { line in
                let words = line.split(separator: " ")
                return (String(words[0]), words.dropFirst().joined(separator: " "))
            })
    }

    /// The address of a listener, `127.0.0.1:PORT`.
    package func bootstrap(_ listener: Listener) -> String { addresses[listener.rawValue] ?? "" }

    /// The path of a file in the folder of certificates and keys, such as `ca.pem`.
    package func certificate(_ name: String) -> String { cluster.folder.appending(path: "tls/\(name)").path }

    /// The address and the client settings (by Kafka's names) for this kind of security.
    package func access(_ security: KafkaSecurity) -> (bootstrap: String, properties: [String: String]) {
        let tls = [
            "security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": certificate("ca.pem"),
        ]
        switch security {
        case .plain:
            return (cluster.bootstrap, [:])
        case .tls:
            return (bootstrap(.ssl), tls)
        case .mutualTLS:
            let client = ["ssl.keystore.type": "PEM", "ssl.keystore.location": certificate("client.pem")]
            return (bootstrap(.mtls), tls.merging(client) { $1 })
        case .saslPlain, .scramSHA256, .scramSHA512:
            let login = [
                "security.protocol": "SASL_SSL", "sasl.mechanism": security.rawValue, "sasl.username": "alice",
                "sasl.password": "alice-secret",
            ]
            return (bootstrap(.saslSSL), tls.merging(login) { $1 })
        case .oauthBearer:
            let login = [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER",
                "sasl.jaas.config": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
                    + "unsecuredLoginStringClaim_sub=\"alice\";",
            ]
            return (bootstrap(.saslSSL), tls.merging(login) { $1 })
        }
    }
}
