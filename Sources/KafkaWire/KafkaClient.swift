/// A Kafka cluster, for an application: what makes consumers and producers, and administers topics.
///
/// Consumers and producers of one client share its knowledge of the cluster and its connections.
public final class KafkaClient: Sendable {
    package let cluster: Cluster

    /// Nothing is connected to before the first call.
    ///
    /// - Parameter onEvent: Told of brokers that are lost and come back; on any thread, and it mustn't block.
    public init(_ configuration: ClientConfiguration, onEvent: @escaping @Sendable (ClientEvent) -> Void = { _ in }) {
        cluster = Cluster(configuration: configuration, onEvent: onEvent)
    }

    /// The same with settings by their names in Kafka.
    ///
    /// - Throws: INVALID_CONFIG for a name or value that can't be.
    public convenience init(
        bootstrapServers: String, properties: [String: String] = [:],
        onEvent: @escaping @Sendable (ClientEvent) -> Void = { _ in }
    ) throws(KafkaError) {
        self.init(
            try ClientConfiguration(bootstrapServers: bootstrapServers, properties: properties), onEvent: onEvent)
    }

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
