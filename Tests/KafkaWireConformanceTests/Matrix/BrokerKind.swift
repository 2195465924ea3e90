import Foundation
import KafkaFake
import KafkaWire
import TestSupport

/// An implementation of Kafka's protocol with which the client is tested.
enum BrokerKind: Sendable, Hashable, CustomStringConvertible {
    case kafka(KafkaHome)
    /// franz-go's in-memory broker.
    case kfake
    case tansu
    /// This package's fake cluster.
    case kafkaFake

    var description: String {
        switch self {
        case .kafka(let home): "Kafka \(home.version)"
        case .kfake: "kfake"
        case .tansu: "Tansu"
        case .kafkaFake: "KafkaFake"
        }
    }

    /// How to connect to one of these brokers with one kind of security.
    struct Access: Sendable {
        let bootstrap: String
        var properties: [String: String] = [:]
        /// An object that keeps the broker running.
        var server: (any Sendable)?
    }

    /// Why this broker is not available on this machine; nil if it is.
    func missing() async -> String? {
        switch self {
        case .kafka, .kafkaFake: nil
        case .kfake: KfakeBroker.program == nil ? "there is no program kfake here" : nil
        case .tansu: await TansuBroker.skipReason()
        }
    }

    /// Why a kind of security or a capability doesn't apply to this kind of broker; nil if it does.
    func exclusion(_ security: KafkaSecurity) -> String? {
        switch (self, security) {
        case (.kafka, _), (_, .plain), (.kfake, .saslPlain), (.kfake, .scramSHA256), (.kfake, .scramSHA512): nil
        case (.kfake, .oauthBearer): "kfake supports only PLAIN and SCRAM"
        case (.kfake, _), (.tansu, _), (.kafkaFake, _): "\(self) supports only plaintext listeners"
        }
    }

    func exclusion(_ capability: Capability) -> String? {
        switch (self, capability) {
        case (.kafka(let home), .consumerGroup) where home.version.hasPrefix("3."):
            "KIP-848 is a preview in Kafka 3.9, and off by default"
        case (.tansu, .consumerGroup): "Tansu does not support KIP-848 groups"
        // librdkafka gets the same result.
        case (.tansu, .transactions): "Tansu returns aborted records to read_committed consumers"
        default: nil
        }
    }

    func access(_ security: KafkaSecurity) async throws -> Access {
        switch self {
        case .kafka(let home):
            let server = try await SecureKafkaCluster.shared(home)
            let (bootstrap, properties) = server.access(security)
            return Access(bootstrap: bootstrap, properties: properties)
        case .kfake:
            let server = try await KfakeBroker.start(security)
            return Access(bootstrap: server.bootstrap, properties: server.properties, server: server)
        case .tansu:
            return Access(bootstrap: try await TansuBroker.shared().bootstrap)
        case .kafkaFake:
            let server = try FakeCluster(brokers: 3)
            return Access(bootstrap: server.bootstrapServers, server: server)
        }
    }
}

/// A capability of the client that is tested with each broker.
enum Capability: String, Sendable, CaseIterable {
    case produce, fetch
    case classicGroup = "classic group"
    case consumerGroup = "KIP-848 group"
    case transactions
}
