extension PropertyList {
    /// Hints for settings of other clients: Kafka's name, or what to use instead if this client has no such setting.
    static let foreignNames: [String: String] = [
        // Names of librdkafka.
        "metadata.broker.list": "Kafka's name is bootstrap.servers",
        "message.timeout.ms": "Kafka's name is delivery.timeout.ms",
        "message.max.bytes": "Kafka's name is max.request.size",
        "request.required.acks": "Kafka's name is acks",
        "compression.codec": "Kafka's name is compression.type",
        "queue.buffering.max.ms": "Kafka's name is linger.ms",
        "queue.buffering.max.kbytes": "Kafka's name is buffer.memory, in bytes",
        "queue.buffering.max.messages": "buffer.memory is the limit, in bytes",
        "fetch.message.max.bytes": "Kafka's name is max.partition.fetch.bytes",
        "fetch.wait.max.ms": "Kafka's name is fetch.max.wait.ms",
        "queued.min.messages": "fetch.max.bytes limits the buffered messages, in bytes",
        "topic.metadata.refresh.interval.ms": "Kafka's name is metadata.max.age.ms",
        "sasl.mechanisms": "Kafka's name is sasl.mechanism",
        "ssl.ca.location": "Kafka's name is ssl.truststore.location",
        "ssl.ca.pem": "Kafka's name is ssl.truststore.certificates",
        "ssl.certificate.location":
            "Kafka's name is ssl.keystore.location, for a PEM file with the certificates and the key",
        "ssl.certificate.pem": "Kafka's name is ssl.keystore.certificate.chain",
        "ssl.key.location": "Kafka's name is ssl.keystore.location, for a PEM file with the certificates and the key",
        "ssl.key.pem": "Kafka's name is ssl.keystore.key",
        // Names of the Java client.
        "retries": "delivery.timeout.ms limits the retries",
        "max.poll.records": "batches are returned as they were written; max.partition.fetch.bytes limits their size",
        "partitioner.class": "set ProducerConfiguration.partitioner in the program",
        "interceptor.classes": "pass ClientHooks to KafkaClient in the program",
        "ssl.truststore.password": "a PEM trust store has no password",
        "ssl.keystore.password": "a PEM key store has no password; ssl.key.password is the password of its key",
    ]
}
