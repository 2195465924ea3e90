/// The range assignor: splits each topic's partitions into one contiguous range per reader.
///
/// The Java client prefers partitions with a replica in the member's rack if brokers and members have racks (KIP-881).
/// This client sends its rack, so that a Java leader can do that. It ignores racks when it leads a group itself.
enum RangeAssignment {
    /// - Parameter members: Sorted by `precedes`.
    static func assign(_ members: [GroupMember], _ partitionCounts: [String: Int32]) -> [String: [TopicPartition]] {
        var assigned = Dictionary(members.map { ($0.id, [TopicPartition]()) }) { first, _ in first }
        var readers: [String: [String]] = [:]
        for member in members {
            for topic in Set(member.subscription.topics) { readers[topic, default: []].append(member.id) }
        }
        for (topic, count) in partitionCounts.sorted(by: { $0.key < $1.key }) {
            guard let readers = readers[topic] else { continue }
            let (each, more) = Int(count).quotientAndRemainder(dividingBy: readers.count)
            var next: Int32 = 0
            for (index, reader) in readers.enumerated() {
                let end = next + Int32(each + (index < more ? 1 : 0))
                assigned[reader]?.append(contentsOf: (next..<end).map { TopicPartition(topic: topic, partition: $0) })
                next = end
            }
        }
        return assigned
    }
}
