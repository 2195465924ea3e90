import CommandLineSupport
import KafkaWire

/// Decides when `-G -e` exits if the member has no partition, and therefore no end to reach.
struct Absence {
    /// The maximum wait of a member for its partitions: two heartbeats of a KIP-848 group with the broker's defaults.
    /// The first returns the member's epoch, the second the partitions that other members have released by then.
    private static let limit = Duration.seconds(10)

    let group: String
    let subscription: Subscription
    let admin: KafkaAdmin
    private var since: ContinuousClock.Instant?

    init(group: String, subscription: Subscription, admin: KafkaAdmin) {
        self.group = group
        self.subscription = subscription
        self.admin = admin
    }

    /// Checks whether to exit. Call it while no batch arrives.
    ///
    /// - Parameter member: The consumer's member id if it is a member without partitions; otherwise nil.
    /// - Returns: The reason to exit; nil to continue.
    /// - Throws: A failure of status `configuration` if no topic of the subscription exists.
    mutating func end(ofMember member: String?, now: ContinuousClock.Instant = .now) async throws -> String? {
        guard let member else {
            since = nil
            return nil
        }
        guard let began = since else {
            since = now
            guard let anyExists = try? await anyTopicExists(), !anyExists else { return nil }
            throw Failure(
                "no topic exists that group \(group) could read, so -e has nothing to wait for",
                status: .configuration)
        }
        guard now - began >= Self.limit else { return nil }
        since = now
        // The member may not have taken over its assignment yet, so ask the coordinator.
        guard let assignment = try? await assignment(of: member), assignment.isEmpty else { return nil }
        return "Group \(group) has no partition for this member: exiting"
    }

    private func assignment(of member: String) async throws -> [TopicPartition]? {
        let described = try await admin.describeGroups([group])[group]?.get()
        return described?.members.first { $0.memberID == member }.map { Array($0.assignment) }
    }

    private func anyTopicExists() async throws -> Bool {
        let existing = try await admin.listTopics(includingInternal: true)
        switch subscription {
        case .topics(let names): return existing.contains { names.contains($0.name) }
        case .pattern(let pattern):
            // Can't fail: `TopicArguments` has checked the pattern.
            guard let matcher = TopicPattern(pattern) else { return true }
            return existing.contains { !$0.isInternal && matcher.matches($0.name) }
        @unknown default: return true
        }
    }
}
