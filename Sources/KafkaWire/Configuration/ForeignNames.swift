extension PropertyList {
    /// What other clients call a setting, or have one for where this client has none; and what to do instead.
    static let foreignNames: [String: String] = [
        // librdkafka's.
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
        "queued.min.messages": "fetch.max.bytes is the limit of what waits, in bytes",
        "topic.metadata.refresh.interval.ms": "Kafka's name is metadata.max.age.ms",
        "sasl.mechanisms": "Kafka's name is sasl.mechanism",
        "ssl.ca.location": "Kafka's name is ssl.truststore.location",
        "ssl.ca.pem": "Kafka's name is ssl.truststore.certificates",
        "ssl.certificate.location":
            "Kafka's name is ssl.keystore.location, for a PEM file with the certificates and the key",
        "ssl.certificate.pem": "Kafka's name is ssl.keystore.certificate.chain",
        "ssl.key.location": "Kafka's name is ssl.keystore.location, for a PEM file with the certificates and the key",
        "ssl.key.pem": "Kafka's name is ssl.keystore.key",
        // The Java client's.
        "retries": "delivery.timeout.ms is the limit of what is tried again",
        "max.poll.records": "batches are handed out as they were written; max.partition.fetch.bytes is the limit",
        "partitioner.class": "a Partitioner is part of the producer's configuration in the program",
        "interceptor.classes": "the client's hooks are part of its configuration in the program",
        "ssl.truststore.password": "a PEM trust store has no password",
        "ssl.keystore.password": "a PEM key store has no password; that of its key is ssl.key.password",
    ]
}
