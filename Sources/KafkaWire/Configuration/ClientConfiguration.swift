import Concurrency

/// The settings of a client, each under the name that it has in Kafka.
///
/// Defaults are those of Kafka's Java client unless said otherwise.
public struct ClientConfiguration: Sendable {
    /// `bootstrap.servers`: where to ask first for the cluster's brokers, `host:port` with commas between.
    public var bootstrapServers: [BrokerAddress]
    /// `client.id`: what brokers call this client in their logs and quotas.
    public var clientID = "kafkawire"
    /// `request.timeout.ms`: how long a broker has for an answer, beyond the wait that the request itself asks for.
    public var requestTimeout = Duration.seconds(30)
    /// `default.api.timeout.ms`: how long a call is tried again before its last error reaches the caller.
    public var defaultAPITimeout = Duration.seconds(60)
    /// `socket.connection.setup.timeout.ms`: how long one attempt to connect to one address may take, with TLS and until
    /// the broker has stated its versions; and how long a login may take then. Doubled, with a fifth at random, with each
    /// failure in a row (KIP-601).
    public var connectionSetupTimeout = Duration.seconds(10)
    /// `socket.connection.setup.timeout.max.ms`: how long it may take at most.
    public var connectionSetupTimeoutMaximum = Duration.seconds(30)
    /// `connections.max.idle.ms`: how long a connection is kept that nothing goes over; nil, or -1 in text, for ever.
    public var connectionsMaximumIdle: Duration? = .seconds(540)
    /// `client.dns.lookup`: which of a name's addresses are connected to.
    public var dnsLookup = DNSLookup.useAllDNSIPs
    /// `metadata.recovery.strategy`: what to do when no known broker can be reached (KIP-899).
    public var metadataRecoveryStrategy = MetadataRecoveryStrategy.rebootstrap
    /// `metadata.recovery.rebootstrap.trigger.ms`: after how long without an answer to a question about the cluster the
    /// bootstrap servers are asked again, though known brokers can still be connected to (KIP-1102).
    public var metadataRecoveryRebootstrapTrigger = Duration.seconds(300)
    /// `reconnect.backoff.ms`: the wait before a broker is connected to again; doubled with each failure.
    public var reconnectBackoff = Duration.milliseconds(50)
    /// `reconnect.backoff.max.ms`: what that wait grows to at most.
    public var reconnectBackoffMaximum = Duration.seconds(1)
    /// `retry.backoff.ms`: the wait before a failed request is sent again; doubled with each failure.
    public var retryBackoff = Duration.milliseconds(100)
    /// `retry.backoff.max.ms`: what that wait grows to at most (KIP-580).
    public var retryBackoffMaximum = Duration.seconds(1)
    /// `metadata.max.age.ms`: how long the knowledge of who leads what is used without asking again.
    public var metadataMaximumAge = Duration.seconds(300)
    /// `receive.message.max.bytes`: the longest answer that is believed, in bytes. The name is librdkafka's.
    public var receiveMessageMaximum = 100_000_000
    /// `security.protocol` and what belongs to it.
    public var security = SecurityConfiguration()
    /// What all consumers of the client have.
    public var consumer = ConsumerConfiguration()
    /// What all producers of the client have.
    public var producer = ProducerConfiguration()
    /// What consumers of the client have that subscribe.
    public var group = GroupConfiguration()

    /// - Parameter bootstrapServers: `host:port`, with commas between several.
    /// - Throws: INVALID_CONFIG for a list that is empty or holds what isn't `host:port`.
    public init(bootstrapServers: String) throws(KafkaError) {
        self.bootstrapServers = try BrokerAddress.list(bootstrapServers)
    }

    /// Reads settings by their names in Kafka.
    ///
    /// - Parameters:
    ///   - bootstrapServers: As in `init(bootstrapServers:)`; a `bootstrap.servers` among the properties beats it.
    ///   - properties: The settings' values as text. Those that name serializers and deserializers of a Java program
    ///     are passed over.
    /// - Throws: INVALID_CONFIG for an unknown name, with the nearest right one, and for a value that can't be. Values
    ///   of passwords and other secrets aren't part of the error.
    public init(bootstrapServers: String, properties: [String: String]) throws(KafkaError) {
        try self.init(bootstrapServers: bootstrapServers)
        var list = PropertyList(properties)
        try take(from: &list)
    }

    /// Reads settings by their names in Kafka, `bootstrap.servers` among them.
    ///
    /// - Throws: INVALID_CONFIG as the others do, and where `bootstrap.servers` is missing.
    public init(properties: [String: String]) throws(KafkaError) {
        try self.init(PropertyList(properties))
    }

    /// Reads settings from a file as Kafka's Java tools do, `bootstrap.servers` among them.
    ///
    /// ```swift
    /// let file = try await PropertiesFile.read("client.properties")
    /// let client = KafkaClient(try ClientConfiguration(file, overriddenBy: ["client.id": "press-3"]))
    /// ```
    /// - Parameters:
    ///   - file: Settings by their names in Kafka, as `PropertiesFile.read` gives them.
    ///   - properties: Settings that count instead of the file's, or besides.
    /// - Throws: INVALID_CONFIG as the others do; what is wrong with the file names it and the line.
    public init(_ file: PropertiesFile, overriddenBy properties: [String: String] = [:]) throws(KafkaError) {
        try self.init(PropertyList(file, overriddenBy: properties))
    }

    private init(_ list: PropertyList) throws(KafkaError) {
        var list = list
        bootstrapServers = []
        try take(from: &list)
        guard !bootstrapServers.isEmpty else {
            throw KafkaError(.invalidConfig, "bootstrap.servers is missing: give it, as host:port")
        }
    }

    mutating func take(from list: inout PropertyList) throws(KafkaError) {
        try list.refuseForeignNames()
        try list.set(&bootstrapServers, "bootstrap.servers")
        try list.set(&clientID, "client.id")
        try list.set(&requestTimeout, "request.timeout.ms", atLeast: 1)
        try list.set(&defaultAPITimeout, "default.api.timeout.ms", atLeast: 1)
        try list.set(&connectionSetupTimeout, "socket.connection.setup.timeout.ms", atLeast: 1)
        try list.set(&connectionSetupTimeoutMaximum, "socket.connection.setup.timeout.max.ms", atLeast: 1)
        try list.set(&connectionsMaximumIdle, "connections.max.idle.ms")
        try list.set(&dnsLookup, "client.dns.lookup", from: DNSLookup.names)
        try list.set(&metadataRecoveryStrategy, "metadata.recovery.strategy", from: MetadataRecoveryStrategy.names)
        try list.set(&metadataRecoveryRebootstrapTrigger, "metadata.recovery.rebootstrap.trigger.ms")
        try list.set(&reconnectBackoff, "reconnect.backoff.ms")
        try list.set(&reconnectBackoffMaximum, "reconnect.backoff.max.ms")
        try list.set(&retryBackoff, "retry.backoff.ms")
        try list.set(&retryBackoffMaximum, "retry.backoff.max.ms")
        try list.set(&metadataMaximumAge, "metadata.max.age.ms")
        try list.set(&receiveMessageMaximum, "receive.message.max.bytes", in: 1000...1 << 30)
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
            maximumFrame: receiveMessageMaximum, maximumIdle: connectionsMaximumIdle, security: security)
    }

    /// Between attempts of a call that is retried: `retry.backoff.ms`, up to `retry.backoff.max.ms`.
    var backoff: Backoff { Backoff(initial: retryBackoff, maximum: retryBackoffMaximum) }

    /// Checks the settings by the rules that also apply to properties.
    ///
    /// A client checks its configuration itself: with settings that are not valid, every call throws INVALID_CONFIG.
    ///
    /// - Throws: INVALID_CONFIG for the first setting that is out of range, or contradicts another.
    public func validate() throws(KafkaError) {
        guard !bootstrapServers.isEmpty else {
            throw KafkaError(.invalidConfig, "no bootstrap server is given; host:port is expected")
        }
        // Taking from an empty list changes nothing and checks everything. The types of `security` rule errors out.
        var (copy, list) = (self, PropertyList([:]))
        copy.security = SecurityConfiguration()
        try copy.take(from: &list)
    }
}

/// Which of the addresses that stand behind a name are connected to (KIP-302, KIP-235).
public enum DNSLookup: Sendable, Hashable {
    /// One after the other, until one answers (`use_all_dns_ips`).
    case useAllDNSIPs
    /// The same, but each name of the bootstrap list is replaced before by the canonical names of its addresses, as
    /// Kerberos and some certificates want it (`resolve_canonical_bootstrap_servers_only`).
    case resolveCanonicalBootstrapServersOnly

    static let names: KeyValuePairs<String, DNSLookup> = [
        "use_all_dns_ips": .useAllDNSIPs,
        "resolve_canonical_bootstrap_servers_only": .resolveCanonicalBootstrapServersOnly,
    ]
}

/// What a client does when none of the brokers that it knows can be reached (KIP-899).
public enum MetadataRecoveryStrategy: Sendable, Hashable {
    /// It forgets them, and asks the bootstrap servers again: their addresses may all have changed (`rebootstrap`).
    case rebootstrap
    /// It goes on trying those that it knows (`none`).
    case keep

    static let names: KeyValuePairs<String, MetadataRecoveryStrategy> = ["rebootstrap": .rebootstrap, "none": .keep]
}
