// What the code in KafkaConsumer+Batches.swift uses without declaring it.

private protocol Database: Sendable {
    func insert(_ records: [ConsumerRecord]) async throws
}
private var database: any Database { omitted() }
