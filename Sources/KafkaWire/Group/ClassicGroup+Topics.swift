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
            guard let regex = try? Regex(pattern) else {
                throw KafkaError(.invalidRegularExpression, "'\(pattern)' is no regular expression")
            }
            let all = try await KafkaAdmin(cluster: cluster).listTopics()
            return all.map(\.name).filter { (try? regex.wholeMatch(in: $0)) != nil }.sorted()
        }
    }

    /// Divides the partitions of all topics that any member reads.
    ///
    /// The computation runs on a thread of its own, so heartbeats continue meanwhile.
    func divide(_ joined: JoinGroupResponse) async throws -> [SyncGroupRequest.SyncGroupRequestAssignment] {
        guard let assignor = joined.protocolName.flatMap(PartitionAssignor.init(rawValue:)) else {
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
        while (try? await cluster.timing.sleep(watchInterval)) != nil {
            guard case .stable = machine.state else { continue }
            if case .pattern = subscription, let found = try? await currentTopics(), found != topics {
                handle(.outdated)
            }
            if let divided = dividedCounts, let counts = try? await partitionCounts(Set(divided.keys)),
                dividedCounts == divided, counts != divided
            {
                handle(.outdated)
            }
        }
    }

    private var watchInterval: Duration {
        // A topic that is waited for is usually about to be made.
        let isWaiting = dividedCounts?.values.contains(0) == true
        let interval =
            isWaiting
            ? min(cluster.configuration.retryBackoffMaximum, cluster.configuration.metadataMaximumAge)
            : cluster.configuration.metadataMaximumAge
        return max(interval, .milliseconds(20))
    }
}
