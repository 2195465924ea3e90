import CommandLineSupport
import KafkaWire

/// Looks from time to time whether the topics have more partitions than are read, and whether there are more topics.
///
/// How often, `metadata.max.age.ms` says, but at least twice a minute: a producer that knows of a new partition before
/// its consumer makes rows late.
struct PartitionWatch: Sendable {
    /// There is more to read.
    struct Added: Error {
        /// A sentence for people.
        let news: String
    }

    private static let maximumInterval = Duration.seconds(30)

    let client: KafkaClient
    let topics: TopicSelection
    /// How many partitions of each topic are read.
    let known: [String: Int]
    /// Gets a line for each report.
    let say: @Sendable (String) -> Void
    var timing = Timing()

    /// Looks until the task is cancelled. A failure is reported, and the next look makes up for it.
    func watch() async throws(Added) {
        let interval = max(min(client.configuration.metadataMaximumAge, Self.maximumInterval), .milliseconds(100))
        var reporter = WaitReporter()
        while !Task.isCancelled {
            try? await timing.sleep(interval)
            let found: [TopicDescription]
            do {
                let names = try await topics.resolve(client)
                found = try await client.admin.describe(topics: names)
                if reporter.succeeded() { say("the partitions of topic \(topics.description) are known again") }
            } catch {
                guard !Task.isCancelled, reporter.isDue("\(error)", at: timing.now()) else { continue }
                say("cannot find out whether topic \(topics.description) has new partitions; retrying: \(error)")
                continue
            }
            guard let news = news(found), !Task.isCancelled else { continue }
            throw Added(news: news)
        }
    }

    private func news(_ found: [TopicDescription]) -> String? {
        for topic in found {
            guard let count = known[topic.name] else {
                return "there is a new topic \(topic.name): it is read from its beginning"
            }
            if topic.partitions.count > count {
                return
                    "topic \(topic.name) has \(topic.partitions.count) partitions: the added ones are read from their "
                    + "beginning"
            }
        }
        return nil
    }
}
