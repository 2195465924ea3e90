@testable import KafkaWire

// Consumers and producers with the settings of a cluster that has another clock, made without a client.

extension KafkaConsumer {
    convenience init(
        cluster: Cluster, offsetReset: ConsumerConfiguration.OffsetReset,
        onPartitionFailure: PartitionFailureHandler? = nil
    ) {
        var settings = cluster.configuration
        settings.consumer.offsetReset = offsetReset
        self.init(cluster: cluster, settings: settings, onPartitionFailure: onPartitionFailure)
    }
}

extension KafkaProducer {
    convenience init(cluster: Cluster) { self.init(cluster: cluster, settings: cluster.configuration) }
}

extension TransactionManager {
    convenience init(transactionalID: String, cluster: Cluster, accumulator: Accumulator) {
        self.init(
            transactionalID: transactionalID, cluster: cluster, configuration: cluster.configuration.producer,
            accumulator: accumulator)
    }
}

extension ProducerSender {
    init(cluster: Cluster, accumulator: Accumulator, transactions: TransactionManager?) {
        self.init(
            cluster: cluster, configuration: cluster.configuration.producer, accumulator: accumulator,
            transactions: transactions)
    }
}
