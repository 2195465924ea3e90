/// Divides partitions as evenly as the subscriptions allow, and moves as few as that takes.
///
/// First everybody keeps what it has, then what nobody has goes to who has least, and then partitions move along chains
/// of members as long as the one at the end has at least two fewer than the one at the beginning. Each such move makes
/// the division more even, so it ends; and where no chain is left, there is no more even one.
struct StickyAssignment {
    private let members: [GroupMember]
    /// Indices of the members that read a topic.
    private var readers: [String: [Int]] = [:]
    /// For each member what it has, by topics.
    private var held: [[String: Set<Int32>]]
    private var counts: [Int]
    /// Who had a partition before.
    private var owners: [TopicPartition: Int] = [:]

    /// - Parameters:
    ///   - members: In order.
    ///   - claims: What each of them had.
    init(_ members: [GroupMember], _ partitionCounts: [String: Int32], claims: [Claim]) {
        self.members = members
        held = Array(repeating: [:], count: members.count)
        counts = Array(repeating: 0, count: members.count)
        for (index, member) in members.enumerated() {
            for topic in Set(member.subscription.topics) where partitionCounts[topic] != nil {
                readers[topic, default: []].append(index)
            }
        }
        keep(claims, partitionCounts)
        fill(partitionCounts)
        balance()
    }

    /// By member ids.
    var assigned: [String: [TopicPartition]] {
        var assigned: [String: [TopicPartition]] = [:]
        for (member, topics) in zip(members, held) {
            let partitions = topics.flatMap { topic, partitions in
                partitions.map { TopicPartition(topic: topic, partition: $0) }
            }
            assigned[member.id] = partitions.sorted()
        }
        return assigned
    }

    /// Gives each partition to whoever claims it by the latest generation. Two who do so by the same one are both
    /// wrong.
    private mutating func keep(_ claims: [Claim], _ partitionCounts: [String: Int32]) {
        var best: [TopicPartition: (generation: Int32, member: Int?)] = [:]
        for (index, claim) in claims.enumerated() {
            let topics = Set(members[index].subscription.topics)
            for partition in Set(claim.partitions) {
                guard let count = partitionCounts[partition.topic], (0..<count).contains(partition.partition) else {
                    continue
                }
                let known = best[partition]
                if let known, known.generation > claim.generation { continue }
                let isContested = known?.generation == claim.generation
                best[partition] = (
                    claim.generation, isContested || !topics.contains(partition.topic) ? nil : index
                )
            }
        }
        for (partition, claim) in best {
            guard let member = claim.member else { continue }
            owners[partition] = member
            give(partition, to: member)
        }
    }

    private mutating func give(_ partition: TopicPartition, to member: Int) {
        held[member][partition.topic, default: []].insert(partition.partition)
        counts[member] += 1
    }

    /// Gives what nobody has to who has least, topics with few readers first.
    private mutating func fill(_ partitionCounts: [String: Int32]) {
        let topics = readers.sorted { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
        for (topic, readers) in topics {
            let taken = Set(readers.flatMap { held[$0][topic] ?? [] })
            for partition in 0..<(partitionCounts[topic] ?? 0) where !taken.contains(partition) {
                guard let poorest = readers.min(by: { counts[$0] < counts[$1] }) else { continue }
                give(TopicPartition(topic: topic, partition: partition), to: poorest)
            }
        }
    }

    // MARK: Balance

    private mutating func balance() {
        var settled: Set<Int> = []
        // Only a move can open a way for those that had none.
        while let richest = counts.indices.filter({ !settled.contains($0) }).max(by: { counts[$0] < counts[$1] }),
            let least = counts.min(), counts[richest] >= least + 2
        {
            if let chain = chain(from: richest) {
                for step in chain { move(step) }
                settled = []
            } else {
                settled.insert(richest)
            }
        }
    }

    private struct Step {
        let topic: String
        let from: Int
        let to: Int
    }

    /// The shortest way by which partitions can move to a member that has at least two fewer.
    private func chain(from start: Int) -> [Step]? {
        var arrivals: [Int: Step] = [:]
        var queue = [start]
        var seenTopics: Set<String> = []
        var next = 0
        while next < queue.count {
            let member = queue[next]
            next += 1
            if counts[member] + 2 <= counts[start] {
                var steps: [Step] = []
                var place = member
                while let step = arrivals[place] {
                    steps.append(step)
                    place = step.from
                }
                return steps.reversed()
            }
            for topic in held[member].keys.sorted() where held[member][topic]?.isEmpty == false {
                guard seenTopics.insert(topic).inserted else { continue }
                let reachable = (readers[topic] ?? []).filter { $0 != start && arrivals[$0] == nil }
                for reader in reachable.sorted(by: { (counts[$0], $0) < (counts[$1], $1) }) {
                    arrivals[reader] = Step(topic: topic, from: member, to: reader)
                    queue.append(reader)
                }
            }
        }
        return nil
    }

    /// Moves one partition: rather one that goes back to who had it, and rather one that wasn't its holder's before.
    private mutating func move(_ step: Step) {
        func cost(_ partition: Int32) -> Int {
            switch owners[TopicPartition(topic: step.topic, partition: partition)] {
            case step.to: 0
            case step.from: 2
            default: 1
            }
        }
        let candidates = held[step.from][step.topic] ?? []
        guard let partition = candidates.min(by: { (cost($0), -$0) < (cost($1), -$1) }) else { return }
        held[step.from][step.topic]?.remove(partition)
        held[step.to][step.topic, default: []].insert(partition)
        counts[step.from] -= 1
        counts[step.to] += 1
    }
}
