import Concurrency
import IngestEngine
import KafkaWire

/// The group's lag: how many records of all partitions are not in the database. It looks up the logs' ends in a task of
/// its own, so that the rows never wait for a broker.
final class GroupLag: Sendable {
    private let client: KafkaClient
    private let topics: TopicSelection

    private struct Ends {
        var at: ContinuousClock.Instant
        var offsets: [TopicPartition: Int64]
        /// The start offsets of the logs.
        var beginnings: [TopicPartition: Int64]
    }

    private let ends = Lock<Ends?>(nil)

    private static let interval = Duration.seconds(1)
    /// How long the list of partitions is used before it is looked up again.
    private static let validity = Duration.seconds(60)
    /// How long the looked-up ends are used.
    private static let longestSilence = Duration.seconds(10)

    init(_ client: KafkaClient, _ topics: TopicSelection) {
        self.client = client
        self.topics = topics
    }

    /// Computes the lag from committed offsets.
    ///
    /// - Parameter committed: The offsets in the database.
    /// - Returns: Nil if the last lookup of the logs' ends is older than `longestSilence`.
    func lag(_ committed: [TopicPartition: Int64]) -> Int64? {
        guard let ends = ends.withLock({ $0 }), .now - ends.at < Self.longestSilence else { return nil }
        return ends.offsets.reduce(0) { sum, end in
            let position = committed[end.key] ?? ends.beginnings[end.key] ?? 0
            return sum.addingSaturated(max(0, end.value.subtractingSaturated(position)))
        }
    }

    /// Looks up the logs' ends until the task is cancelled.
    ///
    /// - Parameter isNeeded: Whether the lag is needed at the moment.
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
                    // The client reports what it retries. A topic may have been deleted, so look up all of them again.
                    next = .now
                }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }
}
