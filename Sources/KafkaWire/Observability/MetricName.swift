/// The names of the metrics, as listed in the article on observability.
package enum MetricName: String, CaseIterable, Sendable {
    // The client.
    case connectionsOpen = "kafka.client.connections.open"
    case connectionsOpened = "kafka.client.connections.opened"
    case connectionsFailed = "kafka.client.connections.failed"
    case connectionsClosed = "kafka.client.connections.closed"
    case requests = "kafka.client.requests"
    case requestErrors = "kafka.client.request.errors"
    case requestDuration = "kafka.client.request.duration"
    case bytesSent = "kafka.client.bytes.sent"
    case bytesReceived = "kafka.client.bytes.received"
    case retries = "kafka.client.retries"
    case throttle = "kafka.client.throttle"
    case rebootstraps = "kafka.client.rebootstraps"
    // The consumer.
    case fetchedRecords = "kafka.consumer.records"
    case fetchedBatches = "kafka.consumer.batches"
    case fetchedBytes = "kafka.consumer.bytes"
    case lag = "kafka.consumer.lag"
    case rebalances = "kafka.consumer.rebalances"
    // The producer.
    case producedRecords = "kafka.producer.records"
    case producedBatches = "kafka.producer.batches"
    case producedBytes = "kafka.producer.bytes"
    case failedRecords = "kafka.producer.records.failed"
}
