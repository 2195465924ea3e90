/// A Kafka cluster, for an application: what makes consumers and producers, and administers topics.
///
/// Consumers and producers of one client share its knowledge of the cluster and its connections.
public final class KafkaClient: Sendable {
    package let cluster: Cluster

    /// Nothing is connected to before the first call.
    ///
    /// - Parameters:
    ///   - logger: Where the client's log goes; nil for nowhere.
    ///   - metrics: Where its figures go; nil for nowhere.
    ///   - hooks: What the application wants to be told of while the client works.
    public init(
        _ configuration: ClientConfiguration, logger: (any KafkaLogger)? = nil, metrics: (any KafkaMetrics)? = nil,
        hooks: ClientHooks = ClientHooks()
    ) {
        cluster = Cluster(
            configuration: configuration,
            observer: ClientObserver(logger: logger, metrics: metrics, hooks: hooks))
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

    /// A consumer without partitions: `assign` gives it some.
    ///
    /// - Parameter offsetReset: What to do at an offset that the log doesn't have; nil for `auto.offset.reset`.
    public func consumer(offsetReset: ConsumerConfiguration.OffsetReset? = nil) -> KafkaConsumer {
        KafkaConsumer(cluster: cluster, offsetReset: offsetReset ?? configuration.consumer.offsetReset)
    }

    public func producer() -> KafkaProducer {
        KafkaProducer(cluster: cluster)
    }

    /// What topics there are, who leads their partitions, and to make and delete them.
    public var admin: KafkaAdmin { KafkaAdmin(cluster: cluster) }

    /// Ends all connections. What is under way fails; `flush` and close producers before.
    public func close() async {
        await cluster.close()
    }
}
