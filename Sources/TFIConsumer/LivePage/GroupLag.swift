import Concurrency
import IngestEngine
import KafkaWire

/// How many records wait in the logs for all members of the group together. The logs' ends are looked up beside everything
/// else, so that nobody waits for a broker.
final class GroupLag: Sendable {
    private let client: KafkaClient
    private let topics: TopicSelection

    private struct Ends {
        var at: ContinuousClock.Instant
        var offsets: [TopicPartition: Int64]
        /// Where the logs begin.
        var beginnings: [TopicPartition: Int64]
    }

    private let ends = Lock<Ends?>(nil)

    private static let interval = Duration.seconds(1)
    /// How long the partitions that there are count as known.
    private static let validity = Duration.seconds(60)
    /// How long the ends say something.
    private static let longestSilence = Duration.seconds(10)

    init(_ client: KafkaClient, _ topics: TopicSelection) {
        self.client = client
        self.topics = topics
    }

    /// - Parameter committed: The offsets in the database.
    /// - Returns: Nil if the brokers have not said for a while where the logs end.
    func lag(_ committed: [TopicPartition: Int64]) -> Int64? {
        guard let ends = ends.withLock({ $0 }), .now - ends.at < Self.longestSilence else { return nil }
        return ends.offsets.reduce(0) { sum, end in
            let position = committed[end.key] ?? ends.beginnings[end.key] ?? 0
            return sum.addingSaturated(max(0, end.value.subtractingSaturated(position)))
        }
    }

    /// Looks up the logs' ends until the task is cancelled.
    ///
    /// - Parameter isNeeded: Whether anybody wants to know.
    func follow(while isNeeded: @Sendable () -> Bool) async {
        var next = ContinuousClock.now
        var beginnings: [TopicPartition: Int64] = [:]
        while !Task.isCancelled {
            if isNeeded() {
                do {
                    if .now >= next {
                        let (logs, _) = try await IngestStart.lookUpEach(
                            try await topics.resolve(client), client: client)
                        beginnings = [:]
                        for log in logs { for (key, begin) in log.earliest { beginnings[key] = begin.offset } }
                        next = .now + Self.validity
                    }
                    let offsets = try await client.admin.listOffsets(beginnings.mapValues { _ in .latest })
                    let found = Ends(at: .now, offsets: offsets.mapValues(\.offset), beginnings: beginnings)
                    ends.withLock { $0 = found }
                } catch {
                    // The client says what it retries. A topic may be gone, so that all of them are looked up again.
                    next = .now
                }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }
}
