import CommandLineSupport
import KafkaWire

/// Looks from time to time whether a topic has more partitions than are read.
///
/// How often, `metadata.max.age.ms` says, but at least twice a minute: a producer that knows of a new partition before
/// its consumer makes rows late.
struct PartitionWatch: Sendable {
    /// The topic has this many partitions.
    struct Added: Error {
        let count: Int
    }

    private static let maximumInterval = Duration.seconds(30)

    let client: KafkaClient
    let topic: String
    /// How many partitions are read.
    let known: Int
    /// Gets a line for each report.
    let say: @Sendable (String) -> Void
    var timing = Timing()

    /// Looks until the task is cancelled. A failure is reported, and the next look makes up for it.
    func watch() async throws(Added) {
        let interval = max(min(client.configuration.metadataMaximumAge, Self.maximumInterval), .milliseconds(100))
        var reporter = WaitReporter()
        while !Task.isCancelled {
            try? await timing.sleep(interval)
            let count: Int
            do {
                count = try await client.admin.describe(topics: [topic])[0].partitions.count
                if reporter.succeeded() { say("the partitions of topic \(topic) are known again") }
            } catch {
                guard !Task.isCancelled, reporter.isDue("\(error)", at: timing.now()) else { continue }
                say("cannot find out whether topic \(topic) has new partitions; retrying: \(error)")
                continue
            }
            if count > known, !Task.isCancelled { throw Added(count: count) }
        }
    }
}
