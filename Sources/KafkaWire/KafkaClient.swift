/// A client of one Kafka cluster: creates consumers and producers, and administers the cluster.
///
/// All consumers and producers of a client share its metadata and its connections. One client can serve several groups and
/// transactional ids, since each consumer and producer may have its own.
public final class KafkaClient: Sendable {
    package let cluster: Cluster

    /// Creates a client. It connects with the first call. If the configuration is invalid, every call throws
    /// INVALID_CONFIG; `ClientConfiguration.validate` detects that earlier.
    ///
    /// - Parameters:
    ///   - configuration: The cluster's address, and the settings of the client, its consumers and its producers.
    ///   - logger: Receives the client's log; nil for no log.
    ///   - metrics: Receives the client's metrics; nil for no metrics.
    ///   - hooks: Closures that the client calls on certain events.
    public init(
        _ configuration: ClientConfiguration, logger: (any KafkaLogger)? = nil, metrics: (any KafkaMetrics)? = nil,
        hooks: ClientHooks = ClientHooks()
    ) {
        cluster = Cluster(
            configuration: configuration,
            observer: ClientObserver(
                clientID: configuration.clientID, logger: logger, metrics: metrics, hooks: hooks))
    }

    /// Creates a client of a cluster that has another clock.
    package init(cluster: Cluster) {
        self.cluster = cluster
    }

    /// Creates a client with settings by their names in Kafka.
    ///
    /// - Throws: INVALID_CONFIG for an unknown name or an invalid value.
    public convenience init(
        bootstrapServers: String, properties: [String: String] = [:], logger: (any KafkaLogger)? = nil,
        metrics: (any KafkaMetrics)? = nil, hooks: ClientHooks = ClientHooks()
    ) throws(KafkaError) {
        self.init(
            try ClientConfiguration(bootstrapServers: bootstrapServers, properties: properties), logger: logger,
            metrics: metrics, hooks: hooks)
    }

    /// The settings that the client was created with.
    public var configuration: ClientConfiguration { cluster.configuration }

    /// Creates a consumer. It reads nothing until `assign` gives it partitions, or `subscribe` makes it a member of its
    /// group.
    ///
    /// The settings are those of `ClientConfiguration.consumer` and `.group`; each argument overrides one of them. If the
    /// result is invalid, the first call that reads, subscribes or commits throws INVALID_CONFIG.
    ///
    /// - Parameters:
    ///   - group: The group to join and to commit offsets for; nil for `group.id`, an empty text for no group.
    ///   - groupInstanceID: The name of a static member (KIP-345); nil for `group.instance.id`, an empty text for none.
    ///   - isolationLevel: Which records of transactions to read; nil for `isolation.level`.
    ///   - offsetReset: Where to begin without a valid offset; nil for `auto.offset.reset`.
    ///   - onPartitionFailure: Receives the permanent errors of single partitions, and the sequence continues without
    ///     them. If nil, the sequence throws each such error once.
    public func consumer(
        group: String? = nil, groupInstanceID: String? = nil, isolationLevel: IsolationLevel? = nil,
        offsetReset: ConsumerConfiguration.OffsetReset? = nil, onPartitionFailure: PartitionFailureHandler? = nil
    ) -> KafkaConsumer {
        var settings = configuration
        if let group { settings.group.groupID = group.isEmpty ? nil : group }
        if let groupInstanceID { settings.group.groupInstanceID = groupInstanceID.isEmpty ? nil : groupInstanceID }
        if let isolationLevel { settings.consumer.isolationLevel = isolationLevel }
        if let offsetReset { settings.consumer.offsetReset = offsetReset }
        return KafkaConsumer(cluster: cluster, settings: settings, onPartitionFailure: onPartitionFailure)
    }

    /// Creates a producer with a buffer of its own and, with `acks=all`, its own producer id.
    ///
    /// The settings are those of `ClientConfiguration.producer`. If they are invalid with the argument, every call of the
    /// producer throws INVALID_CONFIG. One producer for the whole program is usual. Of each transactional id there can be
    /// only one: the next producer that begins a transaction fences the previous one.
    ///
    /// - Parameter transactionalID: The producer's permanent name for transactions; nil for `transactional.id`, an empty
    ///   text for a producer without transactions.
    public func producer(transactionalID: String? = nil) -> KafkaProducer {
        var settings = configuration
        if let transactionalID {
            settings.producer.transactionalID = transactionalID.isEmpty ? nil : transactionalID
        }
        return KafkaProducer(cluster: cluster, settings: settings)
    }

    /// The administration of the cluster: topics, configs, groups and their offsets, records, ACLs, SCRAM users.
    public var admin: KafkaAdmin { KafkaAdmin(cluster: cluster) }

    /// Closes all connections. Call it last: later calls fail with NETWORK_EXCEPTION at once, and calls in progress are not
    /// retried.
    ///
    /// It neither sends what producers have buffered nor leaves groups: close producers and consumers first.
    public nonisolated(nonsending) func close() async {
        await cluster.close()
    }
}
