import Concurrency
import Dispatch

// Resolving the subscription's topics, and computing the assignment as the group's leader.
extension ClassicGroup {
    /// The topics that the subscription names or matches.
    ///
    /// - Throws: INVALID_REGULAR_EXPRESSION if the pattern is invalid.
    func currentTopics() async throws -> [String] {
        switch subscription {
        case .topics(let names): return Set(names).sorted()
        case .pattern(let pattern):
            guard let matcher = TopicPattern(pattern) else {
                throw KafkaError(
                    .invalidRegularExpression,
                    "'\(pattern)' is not a regular expression, or has more than \(TopicPattern.maximumGroups) groups")
            }
            return try await cluster.listTopics().map(\.name).filter { matcher.matches($0) }
        }
    }

    /// Assigns the partitions of all topics that any member reads.
    ///
    /// The computation runs on a Dispatch thread, so heartbeats continue meanwhile.
    func divide(_ joined: JoinGroupResponse) async throws -> [SyncGroupRequest.SyncGroupRequestAssignment] {
        guard let assignor = PartitionAssignor.allKnown.first(where: { $0.rawValue == joined.protocolName }) else {
            throw KafkaError(
                .inconsistentGroupProtocol,
                "the group chose the assignor '\(joined.protocolName ?? "")', which this client does not support")
        }
        let division = await DispatchQueue.global().value(of: { GroupDivision(joined, by: assignor) })
        for (member, error) in division.unreadable.sorted(by: { $0.key < $1.key }) {
            cluster.observer?.leftOut(member: member, ofGroup: partitions.offsets.groupID, error)
        }
        let counts = try await partitionCounts(division.topics)
        dividedCounts = counts
        return try await DispatchQueue.global().value(of: { division.assignments(partitionCounts: counts) }).get()
    }

    /// The number of partitions of each topic; 0 for a topic that does not exist.
    private func partitionCounts(_ names: Set<String>) async throws -> [String: Int32] {
        let names = names.sorted()
        try await cluster.refresh(topics: names)
        var counts: [String: Int32] = [:]
        for name in names { counts[name] = Int32(clamping: await cluster.topic(name)?.partitions.count ?? 0) }
        return counts
    }

    /// Rejoins the group when the topics or partition counts differ from those of the last assignment.
    func watchTopics() async {
        let operation = "look for new topics and partitions of group \(partitions.offsets.groupID)"
        var retry = Retry(operation, in: cluster)
        while (try? await cluster.timing.sleep(watchInterval)) != nil {
            guard case .stable = machine.state else { continue }
            do {
                if try await isOutdated() { handle(.outdated) }
                retry.succeeded(in: cluster)
            } catch let error as KafkaError {
                retry.failed(error, repeatedAfter: watchInterval, in: cluster)
            } catch {
                // Cancelled: the loop ends.
            }
        }
    }

    /// Whether the topics or partition counts differ from those of the last assignment.
    private func isOutdated() async throws -> Bool {
        if case .pattern = subscription, try await currentTopics() != topics { return true }
        guard let divided = dividedCounts else { return false }
        let counts = try await partitionCounts(Set(divided.keys))
        // Another generation may have begun meanwhile.
        return dividedCounts == divided && counts != divided
    }

    // MARK: Requests that the coordinator holds back

    /// The time after which a request that the coordinator holds back is reported.
    private static let quietHold = Duration.seconds(5)

    /// Performs a call and reports every 5 s that the coordinator still holds it back.
    ///
    /// The coordinator answers JoinGroup and SyncGroup only after the other members have sent theirs, which may take as
    /// long as their `max.poll.interval.ms`.
    func reportingHold<Response: Sendable>(
        _ operation: String, _ call: () async throws -> Response
    ) async throws -> Response {
        // Connect first: time spent on finding the coordinator must not be reported as a hold.
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
        retries[operation, default: Retry(operation, in: cluster)].waits(
            KafkaError(
                .rebalanceInProgress,
                "the coordinator holds the request back: it waits for other members of the group, for at most "
                    + "max.poll.interval.ms (\(configuration.maximumPollInterval))"),
            since: began, in: cluster)
    }

    private var watchInterval: Duration {
        // A missing topic is usually about to be created.
        let isWaiting = dividedCounts?.values.contains(0) == true
        let interval =
            isWaiting
            ? min(cluster.configuration.maximumRetryBackoff, cluster.configuration.maximumMetadataAge)
            : cluster.configuration.maximumMetadataAge
        return max(interval, .milliseconds(20))
    }
}
