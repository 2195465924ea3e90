import Concurrency
import KafkaWire

/// Tells Kafka how far the group has come, for the tools that show lag. Nobody reads these offsets to go on from: a
/// failure to write them is of no consequence, and the next attempt makes up for it.
final class GroupOffsets: Sendable {
    private static let interval = Duration.seconds(1)

    private let client: KafkaClient
    private let group: String
    private let topic: String
    private let topicID: KafkaUUID
    private let totals: IngestTotals
    private let told = Lock<[Int32: Int64]>([:])

    init(client: KafkaClient, group: String, topic: String, topicID: KafkaUUID, totals: IngestTotals) {
        self.client = client
        self.group = group
        self.topic = topic
        self.topicID = topicID
        self.totals = totals
    }

    /// Follows the commits until the task is cancelled.
    func follow() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await commit()
        }
    }

    func commit() async {
        let committed = totals.snapshot.committed
        guard told.withLock({ $0 != committed }) else { return }
        var offsets: [TopicPartition: Int64] = [:]
        for (partition, offset) in committed {
            offsets[TopicPartition(topic: topic, partition: partition)] = offset
        }
        do {
            try await client.admin.commitOffsets(
                group: group, offsets, topicIDs: [topic: topicID], limit: .seconds(2))
            told.withLock { $0 = committed }
        } catch {}
    }
}
