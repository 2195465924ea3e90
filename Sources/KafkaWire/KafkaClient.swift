/// A Kafka cluster, for an application: what makes consumers and producers, and administers topics.
///
/// Consumers and producers of one client share its knowledge of the cluster and its connections.
public final class KafkaClient: Sendable {
    package let cluster: Cluster

    /// Nothing is connected to before the first call. If the configuration is not valid, every call throws INVALID_CONFIG;
    /// `ClientConfiguration.validate` finds that out before.
    ///
    /// - Parameters:
    ///   - configuration: Where the cluster is, and the settings of all that the client makes.
    ///   - logger: Where the client's log goes; nil for nowhere.
    ///   - metrics: Where its figures go; nil for nowhere.
    ///   - hooks: What the application wants to be told of while the client works.
    public init(
        _ configuration: ClientConfiguration, logger: (any KafkaLogger)? = nil, metrics: (any KafkaMetrics)? = nil,
        hooks: ClientHooks = ClientHooks()
    ) {
        cluster = Cluster(
            configuration: configuration,
            observer: ClientObserver(
                clientID: configuration.clientID, logger: logger, metrics: metrics, hooks: hooks))
    }

    /// A client of a cluster that was made with another clock.
    package init(cluster: Cluster) {
        self.cluster = cluster
    }

    /// The same with settings by their names in Kafka.
    ///
    /// - Throws: INVALID_CONFIG for a name or value that can't be.
    public convenience init(
        bootstrapServers: String, properties: [String: String] = [:], logger: (any KafkaLogger)? = nil,
        metrics: (any KafkaMetrics)? = nil, hooks: ClientHooks = ClientHooks()
    ) throws(KafkaError) {
        self.init(
            try ClientConfiguration(bootstrapServers: bootstrapServers, properties: properties), logger: logger,
            metrics: metrics, hooks: hooks)
    }

    /// The settings that the client was made with.
    public var configuration: ClientConfiguration { cluster.configuration }

    /// A consumer with the settings of `ClientConfiguration.consumer`, which reads nothing yet: `assign` gives it
    /// partitions, `subscribe` makes it a member of the group `ClientConfiguration.group`.
    ///
    /// - Parameters:
    ///   - offsetReset: What to do at an offset that the log doesn't have; nil for `auto.offset.reset`.
    ///   - onPartitionFailure: Receives the permanent errors of single partitions, and the sequence continues without
    ///     them. If nil, the sequence throws each such error once.
    public func consumer(
        offsetReset: ConsumerConfiguration.OffsetReset? = nil, onPartitionFailure: PartitionFailureHandler? = nil
    ) -> KafkaConsumer {
        KafkaConsumer(
            cluster: cluster, offsetReset: offsetReset ?? configuration.consumer.offsetReset,
            onPartitionFailure: onPartitionFailure)
    }

    /// A producer with the settings of `ClientConfiguration.producer`: its own buffer and, with `acks=all`, its own
    /// producer id.
    ///
    /// One for the whole program is usual. With `transactional.id` there can be only one: the next that begins a
    /// transaction fences the one before.
    public func producer() -> KafkaProducer {
        KafkaProducer(cluster: cluster)
    }

    /// To see and change what there is in the cluster: topics, settings, groups and their offsets, records, access
    /// rules, SCRAM users.
    public var admin: KafkaAdmin { KafkaAdmin(cluster: cluster) }

    /// Ends all connections, and is the last thing to call: what comes later fails with NETWORK_EXCEPTION at once, and
    /// what is under way isn't tried again.
    ///
    /// It neither sends what producers hold nor leaves groups: `close` producers and consumers before.
    public func close() async {
        await cluster.close()
    }
}
