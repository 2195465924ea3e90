/// The round-robin assignor: deals all partitions, sorted by topic and number, to the members in turn.
///
/// A member that does not read a topic is skipped.
enum RoundRobinAssignment {
    /// - Parameter members: Sorted by `precedes`.
    static func assign(_ members: [GroupMember], _ partitionCounts: [String: Int32]) -> [String: [TopicPartition]] {
        var assigned = Dictionary(members.map { ($0.id, [TopicPartition]()) }) { first, _ in first }
        let topics = members.map { Set($0.subscription.topics) }
        var turn = 0
        for topic in Set(topics.joined()).sorted(by: { $0.precedesInJava($1) }) {
            for partition in 0..<(partitionCounts[topic] ?? 0) {
                // This ends: the topic comes from a subscription, so at least one member reads it.
                while !topics[turn].contains(topic) { turn = (turn + 1) % members.count }
                assigned[members[turn].id]?.append(TopicPartition(topic: topic, partition: partition))
                turn = (turn + 1) % members.count
            }
        }
        return assigned.mapValues { $0.sorted() }
    }
}
