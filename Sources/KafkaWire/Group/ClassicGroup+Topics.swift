import Concurrency
import Dispatch

// The topics of the subscription, and the assignment that the group's leader makes.
extension ClassicGroup {
    /// The topics that the subscription stands for.
    ///
    /// - Throws: INVALID_REGULAR_EXPRESSION for a pattern that is none.
    func currentTopics() async throws -> [String] {
        switch subscription {
        case .topics(let names): return Set(names).sorted()
        case .pattern(let pattern):
            guard let matcher = TopicPattern(pattern) else {
                throw KafkaError(
                    .invalidRegularExpression,
                    "'\(pattern)' is no regular expression, or has more than \(TopicPattern.maximumGroups) groups")
            }
            return try await cluster.allTopicNames().filter { matcher.matches($0) }
        }
    }

    /// Divides the partitions of all topics that any member reads.
    ///
    /// The computation runs on a thread of its own, so heartbeats continue meanwhile.
    func divide(_ joined: JoinGroupResponse) async throws -> [SyncGroupRequest.SyncGroupRequestAssignment] {
        guard let assignor = PartitionAssignor.allKnown.first(where: { $0.rawValue == joined.protocolName }) else {
            throw KafkaError(
                .inconsistentGroupProtocol,
                "the group is divided by '\(joined.protocolName ?? "")', which this client doesn't know")
        }
        let division = await DispatchQueue.global().value(of: { GroupDivision(joined, by: assignor) })
        for (member, error) in division.unreadable.sorted(by: { $0.key < $1.key }) {
            cluster.observer?.leftOut(member: member, ofGroup: partitions.offsets.groupID, error)
        }
        let counts = try await partitionCounts(division.topics)
        dividedCounts = counts
        return try await DispatchQueue.global().value(of: { division.assignments(partitionCounts: counts) }).get()
    }

    /// How many partitions each topic has; 0 for one that doesn't exist.
    private func partitionCounts(_ names: Set<String>) async throws -> [String: Int32] {
        let names = names.sorted()
        try await cluster.refresh(topics: names)
        var counts: [String: Int32] = [:]
        for name in names { counts[name] = Int32(clamping: await cluster.topic(name)?.partitions.count ?? 0) }
        return counts
    }

    /// Has the group joined again when there are other topics or partitions than it was divided for.
    func watchTopics() async {
        var reporter = RetryReporter("look for new topics and partitions of group \(partitions.offsets.groupID)")
        while (try? await cluster.timing.sleep(watchInterval)) != nil {
            guard case .stable = machine.state else { continue }
            do {
                if try await isOutdated() { handle(.outdated) }
                reporter.succeeded(at: cluster.timing.now(), observer: cluster.observer)
            } catch let error as KafkaError {
                reporter.failed(
                    error, at: cluster.timing.now(), retryingAfter: watchInterval, observer: cluster.observer)
            } catch {
                // Cancelled: the loop ends.
            }
        }
    }

    /// Whether there are other topics or partitions than the group was divided for.
    private func isOutdated() async throws -> Bool {
        if case .pattern = subscription, try await currentTopics() != topics { return true }
        guard let divided = dividedCounts else { return false }
        let counts = try await partitionCounts(Set(divided.keys))
        // Another generation may have begun meanwhile.
        return dividedCounts == divided && counts != divided
    }

    // MARK: Requests that the coordinator holds back

    /// How long the coordinator may hold a request back without a report.
    private static let quietHold = Duration.seconds(5)

    /// Reports from time to time that the coordinator holds a request back: JoinGroup and SyncGroup are answered when the
    /// other members have answered, which may take as long as their `max.poll.interval.ms`.
    func reportingHold<Response: Sendable>(
        _ operation: String, _ call: () async throws -> Response
    ) async throws -> Response {
        // Finding the coordinator may take long, too, but then it holds nothing back.
        do {
            _ = try await partitions.coordinator.connection(role: .group)
        } catch let error as KafkaError {
            await partitions.coordinator.forget(after: error.code)
            throw error
        }
        let (began, timing) = (cluster.timing.now(), cluster.timing)
        let watch = Task { [weak self] in
            while true {
                try await timing.timeout(Self.quietHold)
                await self?.reportHold(operation, since: began)
            }
        }
        defer { watch.cancel() }
        return try await call()
    }

    private func reportHold(_ operation: String, since began: ContinuousClock.Instant) {
        reporters[operation, default: RetryReporter(operation)].waits(
            KafkaError(
                .rebalanceInProgress,
                "the coordinator holds the request back: it waits for other members of the group, for at most "
                    + "max.poll.interval.ms (\(configuration.maximumPollInterval))"),
            at: cluster.timing.now(), since: began, observer: cluster.observer)
    }

    private var watchInterval: Duration {
        // A topic that is waited for is usually about to be made.
        let isWaiting = dividedCounts?.values.contains(0) == true
        let interval =
            isWaiting
            ? min(cluster.configuration.maximumRetryBackoff, cluster.configuration.maximumMetadataAge)
            : cluster.configuration.maximumMetadataAge
        return max(interval, .milliseconds(20))
    }
}
