import Concurrency

/// The settings of a client, each with the name that Kafka has for it.
///
/// Defaults are those of Kafka's Java client unless stated otherwise. The properties are named alike: `minimum…` and
/// `maximum…` are prefixes, durations have the type `Duration`, and a number of bytes ends in `Bytes` or is named as in
/// Kafka, such as `batchSize`.
public struct ClientConfiguration: Sendable {
    /// `bootstrap.servers`: the brokers that the client asks first for the others; in text, `host:port` with commas
    /// between.
    public var bootstrapServers: [BrokerAddress]
    /// `client.id`: the name of this client in the logs and quotas of brokers.
    public var clientID = "kafkawire"
    /// `request.timeout.ms`: how long a broker may take to answer, in addition to the wait that the request asks for.
    public var requestTimeout = Duration.seconds(30)
    /// `default.api.timeout.ms`: how long a call is retried before it throws its last error.
    public var defaultAPITimeout = Duration.seconds(60)
    /// `socket.connection.setup.timeout.ms`: how long one attempt to connect to one address may take, including TLS and
    /// the response to ApiVersions; and how long the login after it may take. Doubled, with a random fifth, after each
    /// failure in a row (KIP-601).
    public var connectionSetupTimeout = Duration.seconds(10)
    /// `socket.connection.setup.timeout.max.ms`: the upper limit of the doubled `connectionSetupTimeout`.
    public var maximumConnectionSetupTimeout = Duration.seconds(30)
    /// `connections.max.idle.ms`: how long an unused connection is kept; nil, or -1 in text, for ever.
    public var maximumConnectionIdle: Duration? = .seconds(540)
    /// `client.dns.lookup`: which addresses of a host name the client connects to.
    public var dnsLookup = DNSLookup.useAllDNSIPs
    /// `metadata.recovery.strategy`: what to do if no known broker can be reached (KIP-899).
    public var metadataRecoveryStrategy = MetadataRecoveryStrategy.rebootstrap
    /// `metadata.recovery.rebootstrap.trigger.ms`: how long metadata requests may fail before the client asks the
    /// bootstrap servers again, even if it can still connect to known brokers (KIP-1102).
    public var metadataRecoveryRebootstrapTrigger = Duration.seconds(300)
    /// `reconnect.backoff.ms`: the wait before the client connects to a broker again; doubled after each failure.
    public var reconnectBackoff = Duration.milliseconds(50)
    /// `reconnect.backoff.max.ms`: the upper limit of the doubled `reconnectBackoff`.
    public var maximumReconnectBackoff = Duration.seconds(1)
    /// `retry.backoff.ms`: the wait before a failed request is retried; doubled after each failure.
    public var retryBackoff = Duration.milliseconds(100)
    /// `retry.backoff.max.ms`: the upper limit of the doubled `retryBackoff` (KIP-580).
    public var maximumRetryBackoff = Duration.seconds(1)
    /// `metadata.max.age.ms`: how long cached metadata is used before the client asks again.
    public var maximumMetadataAge = Duration.seconds(300)
    /// `receive.message.max.bytes`: the largest response that the client accepts, in bytes. The name is librdkafka's.
    public var maximumReceiveMessageBytes = 100_000_000
    /// `security.protocol`, and the settings for TLS and logins.
    public var security = SecurityConfiguration()
    /// The settings of the client's consumers.
    public var consumer = ConsumerConfiguration()
    /// The settings of the client's producers.
    public var producer = ProducerConfiguration()
    /// The settings of the client's consumers that concern their group.
    public var group = GroupConfiguration()

    /// Creates a configuration with defaults.
    ///
    /// - Parameter bootstrapServers: `host:port`, with commas between several.
    /// - Throws: INVALID_CONFIG if the list is empty or an entry is not `host:port`.
    public init(bootstrapServers: String) throws(KafkaError) {
        self.bootstrapServers = try BrokerAddress.list(bootstrapServers)
    }

    /// Reads settings by their names in Kafka.
    ///
    /// - Parameters:
    ///   - bootstrapServers: As in `init(bootstrapServers:)`. A `bootstrap.servers` among the properties overrides it.
    ///   - properties: The values as text. Settings that name serializers and deserializers of a Java program are
    ///     ignored.
    /// - Throws: INVALID_CONFIG for an unknown name, with the nearest known one, and for an invalid value. The error never
    ///   contains a value, since that could be a secret.
    public init(bootstrapServers: String, properties: [String: String]) throws(KafkaError) {
        try self.init(bootstrapServers: bootstrapServers)
        var list = PropertyList(properties)
        try take(from: &list)
    }

    /// Reads settings by their names in Kafka, including `bootstrap.servers`.
    ///
    /// - Throws: INVALID_CONFIG as `init(bootstrapServers:properties:)`, and if `bootstrap.servers` is missing.
    public init(properties: [String: String]) throws(KafkaError) {
        try self.init(PropertyList(properties))
    }

    /// Reads settings from a file in the format of Kafka's Java tools, including `bootstrap.servers`.
    ///
    /// ```swift
    /// let file = try await PropertiesFile.read("client.properties")
    /// let client = KafkaClient(try ClientConfiguration(file, overriddenBy: ["client.id": "press-3"]))
    /// ```
    /// - Parameters:
    ///   - file: The settings that `PropertiesFile.read` returned.
    ///   - properties: Settings that override those of the file, or are added to them.
    /// - Throws: INVALID_CONFIG as `init(properties:)`. An error in the file names the file and the line.
    public init(_ file: PropertiesFile, overriddenBy properties: [String: String] = [:]) throws(KafkaError) {
        try self.init(PropertyList(file, overriddenBy: properties))
    }

    private init(_ list: PropertyList) throws(KafkaError) {
        var list = list
        bootstrapServers = []
        try take(from: &list)
        guard !bootstrapServers.isEmpty else {
            throw KafkaError(.invalidConfig, "bootstrap.servers is missing; set it to host:port")
        }
    }

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try list.refuseForeignNames()
        try list.set(&bootstrapServers, "bootstrap.servers")
        try list.set(&clientID, "client.id")
        try list.set(&requestTimeout, "request.timeout.ms", atLeast: 1)
        try list.set(&defaultAPITimeout, "default.api.timeout.ms", atLeast: 1)
        try list.set(&connectionSetupTimeout, "socket.connection.setup.timeout.ms", atLeast: 1)
        try list.set(&maximumConnectionSetupTimeout, "socket.connection.setup.timeout.max.ms", atLeast: 1)
        try list.set(&maximumConnectionIdle, "connections.max.idle.ms")
        try list.set(&dnsLookup, "client.dns.lookup", knownAs: DNSLookup.names)
        try list.set(
            &metadataRecoveryStrategy, "metadata.recovery.strategy", knownAs: MetadataRecoveryStrategy.names)
        try list.set(&metadataRecoveryRebootstrapTrigger, "metadata.recovery.rebootstrap.trigger.ms")
        try list.set(&reconnectBackoff, "reconnect.backoff.ms")
        try list.set(&maximumReconnectBackoff, "reconnect.backoff.max.ms")
        try list.set(&retryBackoff, "retry.backoff.ms")
        try list.set(&maximumRetryBackoff, "retry.backoff.max.ms")
        try list.set(&maximumMetadataAge, "metadata.max.age.ms")
        try list.set(&maximumReceiveMessageBytes, "receive.message.max.bytes", in: 1000...1 << 30)
        try SecurityProperties.take(&security, from: &list)
        try takeTopicCreation(from: &list)
        try consumer.take(from: &list)
        try producer.take(from: &list)
        try group.take(from: &list)
        try list.finish()
    }

    private mutating func takeTopicCreation(from list: inout PropertyList) throws(KafkaError) {
        var isAllowed: Bool?
        try list.set(&isAllowed, "allow.auto.create.topics")
        guard let isAllowed else { return }
        consumer.allowsTopicCreation = isAllowed
        producer.allowsTopicCreation = isAllowed
    }

    /// The settings of the client's connections.
    package var connectionSettings: ConnectionSettings {
        ConnectionSettings(
            clientID: clientID, requestTimeout: requestTimeout, setupTimeout: connectionSetupTimeout,
            maximumFrame: maximumReceiveMessageBytes, maximumIdle: maximumConnectionIdle, security: security)
    }

    /// The pauses between attempts of a retried call: `retry.backoff.ms`, up to `retry.backoff.max.ms`.
    var backoff: Backoff { Backoff(initial: retryBackoff, maximum: maximumRetryBackoff) }

    /// Checks the settings by the rules that also apply to properties.
    ///
    /// A client checks its configuration itself: if it is invalid, every call throws INVALID_CONFIG. The same holds for a
    /// consumer or producer with settings of its own.
    ///
    /// - Throws: INVALID_CONFIG for the first setting that is out of range, or contradicts another.
    public func validate() throws(KafkaError) {
        guard !bootstrapServers.isEmpty else {
            throw KafkaError(.invalidConfig, "no bootstrap server is given; host:port is expected")
        }
        // Taking from an empty list changes nothing and checks everything but `security`.
        var (copy, list) = (self, PropertyList([:]))
        copy.security = SecurityConfiguration()
        try copy.take(from: &list)
        if let versions = security.tls?.versions {
            let known = TLSConfiguration.Version.names.map(\.value)
            guard known.contains(versions.lowerBound), known.contains(versions.upperBound) else {
                throw KafkaError(
                    .invalidConfig, "the TLS versions are \(versions); TLSv1.2 and TLSv1.3 are supported")
            }
        }
    }

    /// What `validate()` throws; nil if the configuration is valid.
    var validationError: KafkaError? {
        do throws(KafkaError) {
            try validate()
            return nil
        } catch {
            return error
        }
    }
}
