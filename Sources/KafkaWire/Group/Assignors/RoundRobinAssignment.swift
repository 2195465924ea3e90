/// All partitions in the order of topics and numbers, dealt out to the members in turn; one that doesn't read a topic is
/// passed over.
enum RoundRobinAssignment {
    /// - Parameter members: In order.
    static func assign(_ members: [GroupMember], _ partitionCounts: [String: Int32]) -> [String: [TopicPartition]] {
        var assigned = Dictionary(members.map { ($0.id, [TopicPartition]()) }) { first, _ in first }
        let topics = members.map { Set($0.subscription.topics) }
        var turn = 0
        for topic in Set(topics.joined()).sorted(by: { $0.precedesInJava($1) }) {
            for partition in 0..<(partitionCounts[topic] ?? 0) {
                // Somebody reads it: the topic is from one of the subscriptions.
                while !topics[turn].contains(topic) { turn = (turn + 1) % members.count }
                assigned[members[turn].id]?.append(TopicPartition(topic: topic, partition: partition))
                turn = (turn + 1) % members.count
            }
        }
        return assigned.mapValues { $0.sorted() }
    }
}
