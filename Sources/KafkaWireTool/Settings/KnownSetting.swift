import CommandLineSupport
import KafkaWire

/// A setting of the library by Kafka's name, which can read its value from a configuration.
struct KnownSetting: Sendable {
    enum Value: Equatable {
        case shown(String)
        /// The setting is set, and its value is secret.
        case hidden
        /// The setting is not set.
        case none
    }

    let name: String
    let value: @Sendable (ClientConfiguration) -> Value

    static let names = all.map(\.name)

    static let all: [KnownSetting] = client + security + producer + consumer + group

    private init(_ name: String, _ value: @escaping @Sendable (ClientConfiguration) -> Value) {
        self.name = name
        self.value = value
    }

    private static func text(
        _ name: String, _ text: @escaping @Sendable (ClientConfiguration) -> String?
    ) -> KnownSetting {
        KnownSetting(name) { text($0).map { .shown($0) } ?? .none }
    }

    private static func number(
        _ name: String, _ number: @escaping @Sendable (ClientConfiguration) -> Int?
    ) -> KnownSetting {
        text(name) { configuration in number(configuration).map { "\($0)" } }
    }

    private static func flag(
        _ name: String, _ flag: @escaping @Sendable (ClientConfiguration) -> Bool
    ) -> KnownSetting {
        text(name) { "\(flag($0))" }
    }

    private static func milliseconds(
        _ name: String, _ duration: @escaping @Sendable (ClientConfiguration) -> Duration
    ) -> KnownSetting {
        number(name) { milliseconds(of: duration($0)) }
    }

    private static func milliseconds(of duration: Duration) -> Int {
        Int(duration.components.seconds) * 1000 + Int(duration.components.attoseconds / 1_000_000_000_000_000)
    }

    private static func secret(_ name: String, _ isSet: @escaping @Sendable (ClientConfiguration) -> Bool)
        -> KnownSetting
    {
        KnownSetting(name) { isSet($0) ? .hidden : .none }
    }

    // MARK: The table

    private static let client = [
        text("bootstrap.servers") { $0.bootstrapServers.map(\.description).joined(separator: ",") },
        text("client.id") { $0.clientID },
        milliseconds("request.timeout.ms") { $0.requestTimeout },
        milliseconds("default.api.timeout.ms") { $0.defaultAPITimeout },
        milliseconds("socket.connection.setup.timeout.ms") { $0.connectionSetupTimeout },
        milliseconds("socket.connection.setup.timeout.max.ms") { $0.maximumConnectionSetupTimeout },
        number("connections.max.idle.ms") { $0.maximumConnectionIdle.map { milliseconds(of: $0) } ?? -1 },
        text("client.dns.lookup") { $0.dnsLookup.rawValue },
        text("metadata.recovery.strategy") { $0.metadataRecoveryStrategy == .keep ? "none" : "rebootstrap" },
        milliseconds("metadata.recovery.rebootstrap.trigger.ms") { $0.metadataRecoveryRebootstrapTrigger },
        milliseconds("reconnect.backoff.ms") { $0.reconnectBackoff },
        milliseconds("reconnect.backoff.max.ms") { $0.maximumReconnectBackoff },
        milliseconds("retry.backoff.ms") { $0.retryBackoff },
        milliseconds("retry.backoff.max.ms") { $0.maximumRetryBackoff },
        milliseconds("metadata.max.age.ms") { $0.maximumMetadataAge },
        number("receive.message.max.bytes") { $0.maximumReceiveMessageBytes },
        flag("allow.auto.create.topics") { $0.consumer.allowsTopicCreation },
    ]

    private static let security = [
        text("security.protocol") { $0.security.securityProtocol },
        text("sasl.mechanism") { $0.security.sasl?.mechanism },
        secret("sasl.jaas.config") { $0.security.sasl?.mechanism == "OAUTHBEARER" },
        text("sasl.username") { $0.security.sasl?.username },
        secret("sasl.password") { $0.security.sasl?.username != nil },
        text("ssl.truststore.type") { $0.security.tls?.trustedCertificates == nil ? nil : "PEM" },
        KnownSetting("ssl.truststore.location") { file($0.security.tls?.trustedCertificates) },
        KnownSetting("ssl.truststore.certificates") { content($0.security.tls?.trustedCertificates) },
        text("ssl.keystore.type") { $0.security.tls?.clientCertificate == nil ? nil : "PEM" },
        KnownSetting("ssl.keystore.location") { file($0.security.tls?.clientCertificate?.chain) },
        KnownSetting("ssl.keystore.certificate.chain") { content($0.security.tls?.clientCertificate?.chain) },
        KnownSetting("ssl.keystore.key") { content($0.security.tls?.clientCertificate?.key) },
        secret("ssl.key.password") { $0.security.tls?.clientCertificate?.password != nil },
        text("ssl.endpoint.identification.algorithm") { configuration in
            configuration.security.tls.map { $0.verifiesHostName ? "https" : "" }
        },
        text("ssl.enabled.protocols") { configuration in
            guard let versions = configuration.security.tls?.versions else { return nil }
            return [(TLSConfiguration.Version.tls12, "TLSv1.2"), (.tls13, "TLSv1.3")]
                .filter { versions.contains($0.0) }.map(\.1).joined(separator: ",")
        },
        text("ssl.protocol") { configuration in
            configuration.security.tls.map { $0.versions.upperBound == .tls13 ? "TLSv1.3" : "TLSv1.2" }
        },
    ]

    private static func file(_ pem: TLSConfiguration.PEM?) -> Value {
        if case .file(let path) = pem { .shown(ShownArgument.name(path)) } else { .none }
    }

    private static func content(_ pem: TLSConfiguration.PEM?) -> Value {
        if case .text = pem { .hidden } else { .none }
    }

    private static let producer = [
        text("acks") { $0.producer.acks == .all ? "all" : "\($0.producer.acks.rawValue)" },
        flag("enable.idempotence") { $0.producer.idempotence ?? ($0.producer.acks == .all) },
        text("transactional.id") { $0.producer.transactionalID },
        milliseconds("transaction.timeout.ms") { $0.producer.transactionTimeout },
        number("batch.size") { $0.producer.batchSize },
        milliseconds("linger.ms") { $0.producer.linger },
        text("compression.type") { "\($0.producer.compression)" },
        number("compression.gzip.level") { $0.producer.gzipLevel },
        number("compression.lz4.level") { $0.producer.lz4Level },
        number("compression.zstd.level") { $0.producer.zstdLevel },
        number("buffer.memory") { $0.producer.bufferMemory },
        number("max.in.flight.requests.per.connection") { $0.producer.maximumInFlightRequests },
        number("max.request.size") { $0.producer.maximumRequestSize },
        milliseconds("delivery.timeout.ms") { $0.producer.deliveryTimeout },
        milliseconds("max.block.ms") { $0.producer.maximumBlockTime },
        flag("partitioner.ignore.keys") { $0.producer.partitionerIgnoresKeys },
        flag("partitioner.adaptive.partitioning.enable") { $0.producer.partitionsAdaptively },
        milliseconds("partitioner.availability.timeout.ms") { $0.producer.partitionAvailabilityTimeout },
    ]

    private static let consumer = [
        number("fetch.min.bytes") { $0.consumer.minimumFetchBytes },
        number("fetch.max.bytes") { $0.consumer.maximumFetchBytes },
        number("max.partition.fetch.bytes") { $0.consumer.maximumPartitionFetchBytes },
        milliseconds("fetch.max.wait.ms") { $0.consumer.maximumFetchWait },
        text("auto.offset.reset") { "\($0.consumer.offsetReset)" },
        text("isolation.level") {
            $0.consumer.isolationLevel == .readCommitted ? "read_committed" : "read_uncommitted"
        },
        text("client.rack") { $0.consumer.rack },
        flag("check.crcs") { $0.consumer.checksCRCs },
    ]

    private static let group = [
        text("group.id") { $0.group.groupID },
        text("group.instance.id") { $0.group.groupInstanceID },
        text("group.protocol") { $0.group.groupProtocol == .classic ? "classic" : "consumer" },
        text("group.remote.assignor") { $0.group.remoteAssignor },
        text("partition.assignment.strategy") { $0.group.assignors.map(\.rawValue).joined(separator: ",") },
        milliseconds("session.timeout.ms") { $0.group.sessionTimeout },
        milliseconds("heartbeat.interval.ms") { $0.group.heartbeatInterval },
        milliseconds("max.poll.interval.ms") { $0.group.maximumPollInterval },
        flag("enable.auto.commit") { $0.group.commitsAutomatically },
        milliseconds("auto.commit.interval.ms") { $0.group.autoCommitInterval },
    ]
}
