/// Assigns partitions as evenly as the subscriptions allow, and moves as few as necessary.
///
/// First each member keeps the partitions that it has. Then each unowned partition goes to the reader with the fewest
/// partitions. Then partitions move along chains of members, as long as the last member of a chain has at least two
/// fewer than the first. Each move makes the assignment more even, so this ends. When no chain is left, no assignment
/// is more even.
///
/// Partitions are numbered consecutively, topic by topic. The time is linear in the number of partitions times the
/// number of members.
struct StickyAssignment {
    private struct Topic {
        let name: String
        /// The number of its first partition.
        let first: Int
        let count: Int
        /// The indices of the members that read it, ascending.
        var readers: [Int] = []
    }

    private let members: [GroupMember]
    /// Sorted by name.
    private var topics: [Topic] = []
    private var topicIndices: [String: Int] = [:]
    /// The partitions that each member has, by topic index.
    private var held: [[Int: Holding]]
    /// The number of partitions that each member has.
    private var counts: [Int]
    /// The previous owner of each partition; -1 if there was none.
    private var owners: [Int]

    /// - Parameters:
    ///   - members: Sorted by `precedes`.
    ///   - claims: The partitions that each member had, in the order of `members`.
    init(_ members: [GroupMember], _ partitionCounts: [String: Int32], claims: [Claim]) {
        self.members = members
        held = Array(repeating: [:], count: members.count)
        counts = Array(repeating: 0, count: members.count)
        var first = 0
        for (name, count) in partitionCounts.sorted(by: { $0.key < $1.key }) where count > 0 {
            topicIndices[name] = topics.count
            topics.append(Topic(name: name, first: first, count: Int(count)))
            first += Int(count)
        }
        owners = Array(repeating: -1, count: first)
        for (index, member) in members.enumerated() {
            for name in Set(member.subscription.topics) {
                if let topic = topicIndices[name] { topics[topic].readers.append(index) }
            }
        }
        keep(claims)
        fill()
        for component in components() { balance(component) }
    }

    /// The partitions of each member, by member id.
    var assigned: [String: [TopicPartition]] {
        var assigned: [String: [TopicPartition]] = [:]
        for (member, holdings) in zip(members, held) {
            var partitions: [TopicPartition] = []
            for (topic, holding) in holdings.sorted(by: { $0.key < $1.key }) {
                let name = topics[topic].name
                partitions += holding.all.map { TopicPartition(topic: name, partition: Int32($0)) }
            }
            assigned[member.id] = partitions
        }
        return assigned
    }

    /// Gives each partition to the member that claims it with the latest generation. If two members claim it with the
    /// same generation, neither gets it.
    private mutating func keep(_ claims: [Claim]) {
        struct Best {
            var generation: Int32
            var claimant: Int
            var isContested = false
        }
        var best: [Best?] = Array(repeating: nil, count: owners.count)
        for (index, claim) in claims.enumerated() {
            for partition in claim.partitions {
                guard let topic = topicIndices[partition.topic].map({ topics[$0] }),
                    let number = Int(exactly: partition.partition), (0..<topic.count).contains(number)
                else { continue }
                if let known = best[topic.first + number] {
                    // A member may name a partition twice.
                    if known.claimant == index || known.generation > claim.generation { continue }
                    let isContested = known.generation == claim.generation
                    best[topic.first + number] = Best(
                        generation: claim.generation, claimant: index, isContested: isContested)
                } else {
                    best[topic.first + number] = Best(generation: claim.generation, claimant: index)
                }
            }
        }
        for (topic, description) in topics.enumerated() {
            let readers = Set(description.readers)
            for number in 0..<description.count {
                guard let claim = best[description.first + number], !claim.isContested,
                    readers.contains(claim.claimant)
                else { continue }
                owners[description.first + number] = claim.claimant
                give(number, of: topic, to: claim.claimant)
            }
        }
    }

    private mutating func give(_ number: Int, of topic: Int, to member: Int) {
        held[member][topic, default: Holding()].insert(number, ownedBy: owners[topics[topic].first + number])
        counts[member] += 1
    }

    /// Gives each unowned partition to the reader with the fewest partitions, topics with few readers first.
    private mutating func fill() {
        let order = topics.indices.filter { !topics[$0].readers.isEmpty }
            .sorted { (topics[$0].readers.count, $0) < (topics[$1].readers.count, $1) }
        for topic in order {
            let description = topics[topic]
            for number in 0..<description.count where owners[description.first + number] < 0 {
                guard let poorest = description.readers.min(by: { counts[$0] < counts[$1] }) else { continue }
                give(number, of: topic, to: poorest)
            }
        }
    }

    // MARK: Balance

    /// Groups of members that share topics, directly or through others. No partition can move between two groups.
    private func components() -> [[Int]] {
        var parents = Array(members.indices)
        func root(_ member: Int) -> Int {
            var member = member
            while parents[member] != member {
                parents[member] = parents[parents[member]]
                member = parents[member]
            }
            return member
        }
        for topic in topics {
            guard let first = topic.readers.first else { continue }
            for reader in topic.readers.dropFirst() { parents[root(reader)] = root(first) }
        }
        return Dictionary(grouping: members.indices, by: root).values.map { $0.sorted() }
    }

    private mutating func balance(_ component: [Int]) {
        var settled: Set<Int> = []
        // Members without a chain stay settled until a partition moves, since only that can open a new chain.
        while let richest = component.filter({ !settled.contains($0) }).max(by: { counts[$0] < counts[$1] }),
            let least = component.map({ counts[$0] }).min(), counts[richest] >= least + 2
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
        let topic: Int
        let from: Int
        let to: Int
    }

    /// The shortest chain of moves to a member that has at least two partitions fewer; nil if there is none.
    private func chain(from start: Int) -> [Step]? {
        var arrivals: [Int: Step] = [:]
        var queue = [start]
        var seenTopics: Set<Int> = []
        var next = 0
        while next < queue.count {
            let member = queue[next]
            next += 1
            for topic in held[member].keys.sorted() where held[member][topic]?.isEmpty == false {
                guard seenTopics.insert(topic).inserted else { continue }
                let reachable = topics[topic].readers.filter { $0 != start && arrivals[$0] == nil }
                guard let poorest = reachable.min(by: { (counts[$0], $0) < (counts[$1], $1) }) else { continue }
                if counts[poorest] + 2 <= counts[start] {
                    arrivals[poorest] = Step(topic: topic, from: member, to: poorest)
                    return way(to: poorest, arrivals)
                }
                for reader in reachable.sorted(by: { (counts[$0], $0) < (counts[$1], $1) }) {
                    arrivals[reader] = Step(topic: topic, from: member, to: reader)
                    queue.append(reader)
                }
            }
        }
        return nil
    }

    private func way(to end: Int, _ arrivals: [Int: Step]) -> [Step] {
        var steps: [Step] = []
        var place = end
        while let step = arrivals[place] {
            steps.append(step)
            place = step.from
        }
        return steps.reversed()
    }

    /// Moves one partition. Prefers one that returns to its previous owner, then one that is new to its holder.
    private mutating func move(_ step: Step) {
        guard let number = held[step.from][step.topic]?.remove(from: step.from, to: step.to) else { return }
        counts[step.from] -= 1
        give(number, of: step.topic, to: step.to)
    }
}

/// The partitions of one topic that a member has, grouped by previous owner.
private struct Holding {
    private var byOwner: [Int: MaxHeap] = [:]

    var isEmpty: Bool { byOwner.isEmpty }

    /// Ascending.
    var all: [Int] { byOwner.values.flatMap(\.elements).sorted() }

    mutating func insert(_ number: Int, ownedBy owner: Int) {
        byOwner[owner, default: MaxHeap()].insert(number)
    }

    /// Removes the best partition to move from one member to another; the highest number if several are equally good.
    mutating func remove(from holder: Int, to receiver: Int) -> Int? {
        var owner = holder
        if byOwner[receiver] != nil {
            owner = receiver
        } else {
            var highest = -1
            for (other, numbers) in byOwner where other != holder {
                guard let number = numbers.max, number > highest else { continue }
                (owner, highest) = (other, number)
            }
        }
        guard let number = byOwner[owner]?.removeMax() else { return nil }
        if byOwner[owner]?.elements.isEmpty == true { byOwner[owner] = nil }
        return number
    }
}

/// A binary heap with the largest number first.
private struct MaxHeap {
    private(set) var elements: [Int] = []

    var max: Int? { elements.first }

    mutating func insert(_ number: Int) {
        elements.append(number)
        var index = elements.count - 1
        while index > 0, elements[(index - 1) / 2] < elements[index] {
            elements.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeMax() -> Int? {
        guard let first = elements.first, let last = elements.popLast() else { return nil }
        guard !elements.isEmpty else { return first }
        elements[0] = last
        var index = 0
        while true {
            let (left, right) = (2 * index + 1, 2 * index + 2)
            var largest = index
            if left < elements.count, elements[left] > elements[largest] { largest = left }
            if right < elements.count, elements[right] > elements[largest] { largest = right }
            if largest == index { return first }
            elements.swapAt(index, largest)
            index = largest
        }
    }
}
