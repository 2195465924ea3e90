import IngestEngine
import KafkaWire

/// How many records wait in the logs for all members of the group together.
actor GroupLag {
    private let client: KafkaClient
    private let topics: TopicSelection
    private var beginnings: [TopicPartition: Int64] = [:]
    private var nextLookup: ContinuousClock.Instant?

    /// How long the partitions that there are count as known.
    private static let validity = Duration.seconds(60)

    init(_ client: KafkaClient, _ topics: TopicSelection) {
        self.client = client
        self.topics = topics
    }

    /// - Parameter committed: The offsets in the database.
    func lag(_ committed: [TopicPartition: Int64]) async throws -> Int64 {
        let now = ContinuousClock.now
        if nextLookup.map({ now >= $0 }) ?? true {
            let (logs, _) = try await IngestStart.lookUpEach(try await topics.resolve(client), client: client)
            beginnings = [:]
            for log in logs { for (partition, begin) in log.earliest { beginnings[partition] = begin.offset } }
            nextLookup = now + Self.validity
        }
        let ends = try await client.admin.listOffsets(beginnings.mapValues { _ in .latest })
        return ends.reduce(0) { sum, end in
            let position = committed[end.key] ?? beginnings[end.key] ?? 0
            return sum.addingSaturated(max(0, end.value.offset.subtractingSaturated(position)))
        }
    }
}
