import CommandLineSupport
import Concurrency
import KafkaWire

/// Commits the group's offsets to Kafka too, for tools that show lag. No run begins at them, so a failure loses nothing:
/// it is reported, and the next attempt makes up for it.
final class GroupOffsets: Sendable {
    private static let interval = Duration.seconds(1)

    private let client: KafkaClient
    private let group: String
    private let topic: String
    private let topicID: KafkaUUID
    private let totals: IngestTotals
    private let say: @Sendable (String) -> Void
    private let told = Lock<[Int32: Int64]>([:])
    private let reporter = Lock(WaitReporter())

    /// - Parameter say: Gets a line for each report.
    init(
        client: KafkaClient, group: String, topic: String, topicID: KafkaUUID, totals: IngestTotals,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.say = say
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
            if reporter.withLock({ $0.succeeded() }) { say("Kafka has the offsets of group \(group) again") }
        } catch is CancellationError {
            // The program ends, and commits once more.
        } catch {
            guard reporter.withLock({ $0.isDue("\(error)", at: .now) }) else { return }
            say("Kafka does not take the offsets of group \(group), so tools show an old lag; retrying: \(error)")
        }
    }
}
