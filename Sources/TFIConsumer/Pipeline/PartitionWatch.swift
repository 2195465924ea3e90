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
    var timing = Timing()

    /// Looks until the task is cancelled.
    ///
    /// That a broker can't be asked is of no consequence: the next time will do, and whoever fetches tells of it.
    func watch() async throws(Added) {
        let interval = max(min(client.configuration.metadataMaximumAge, Self.maximumInterval), .milliseconds(100))
        while !Task.isCancelled {
            try? await timing.sleep(interval)
            guard let description = try? await client.admin.describe(topics: [topic]).first else { continue }
            if description.partitions.count > known, !Task.isCancelled {
                throw Added(count: description.partitions.count)
            }
        }
    }
}
