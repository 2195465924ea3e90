import CommandLineSupport
import Concurrency
import KafkaWire

/// Commits the group's offsets to Kafka too, for tools that show lag. No run begins at them, so a failure loses nothing:
/// it is reported, and the next attempt makes up for it.
package final class GroupOffsets: Sendable {
    private static let interval = Duration.seconds(1)

    private let client: KafkaClient
    private let group: String
    private let totals: IngestTotals
    private let say: @Sendable (String) -> Void
    private let told = Lock<[TopicPartition: Int64]>([:])
    private let topicIDs: Lock<[String: KafkaUUID]>
    private let reporter = Lock(WaitReporter())

    /// - Parameter say: Gets a line for each report.
    package init(
        client: KafkaClient, group: String, topicIDs: [String: KafkaUUID], totals: IngestTotals,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.say = say
        self.client = client
        self.group = group
        self.topicIDs = Lock(topicIDs)
        self.totals = totals
    }

    /// Sets the ids of the topics that are read from now on.
    package func setTopicIDs(_ ids: [String: KafkaUUID]) { topicIDs.withLock { $0 = ids } }

    /// Follows the commits until the task is cancelled.
    package func follow() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await commit()
        }
    }

    package func commit() async {
        let committed = totals.snapshot.committed
        guard told.withLock({ $0 != committed }) else { return }
        do {
            try await client.admin.commitOffsets(
                group: group, committed, topicIDs: topicIDs.withLock { $0 }, limit: .seconds(2))
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
