import KafkaWire

/// The strategies by which a broker assigns partitions in a KIP-848 group.
enum ServerAssignor: String, CaseIterable {
    /// Balanced, moving as few partitions as possible.
    case uniform
    /// A contiguous range of each topic's partitions per member.
    case range

    /// A partition, identified by its topic's id.
    struct Slot: Hashable, Comparable {
        let topicID: KafkaUUID
        let partition: Int32

        static func < (left: Slot, right: Slot) -> Bool {
            (left.topicID.high, left.topicID.low, left.partition)
                < (right.topicID.high, right.topicID.low, right.partition)
        }
    }

    /// Assigns the partitions of all topics.
    ///
    /// - Parameters:
    ///   - subscriptions: The ids of the topics to which each member subscribes.
    ///   - partitions: The number of partitions of each topic.
    ///   - present: The current partitions of each member.
    func assign(
        _ subscriptions: [String: Set<KafkaUUID>], partitions: [KafkaUUID: Int], present: [String: Set<Slot>]
    ) -> [String: Set<Slot>] {
        switch self {
        case .uniform: Self.uniform(subscriptions, partitions, present)
        case .range: Self.range(subscriptions, partitions)
        }
    }

    private static func slots(_ topic: KafkaUUID, _ partitions: [KafkaUUID: Int]) -> [Slot] {
        (0..<(partitions[topic] ?? 0)).map { Slot(topicID: topic, partition: Int32(clamping: $0)) }
    }

    private static func range(
        _ subscriptions: [String: Set<KafkaUUID>], _ partitions: [KafkaUUID: Int]
    ) -> [String: Set<Slot>] {
        var assignment = subscriptions.mapValues { _ in Set<Slot>() }
        for topic in partitions.keys {
            let members = subscriptions.filter { $0.value.contains(topic) }.keys.sorted()
            guard !members.isEmpty else { continue }
            let all = slots(topic, partitions)
            var start = 0
            for (index, member) in members.enumerated() {
                let count = all.count / members.count + (index < all.count % members.count ? 1 : 0)
                assignment[member]?.formUnion(all[start..<start + count])
                start += count
            }
        }
        return assignment
    }

    private static func uniform(
        _ subscriptions: [String: Set<KafkaUUID>], _ partitions: [KafkaUUID: Int], _ present: [String: Set<Slot>]
    ) -> [String: Set<Slot>] {
        let members = subscriptions.keys.sorted()
        func wants(_ member: String, _ slot: Slot) -> Bool { subscriptions[member]?.contains(slot.topicID) ?? false }
        let wanted = Set(subscriptions.values.joined())
        var free = Set(wanted.flatMap { slots($0, partitions) })
        var assignment: [String: Set<Slot>] = [:]
        for member in members {
            let kept = (present[member] ?? []).filter { wants(member, $0) && free.contains($0) }
            assignment[member] = kept
            free.subtract(kept)
        }
        func load(_ member: String) -> Int { assignment[member]?.count ?? 0 }
        for slot in free.sorted() {
            let least = members.filter { wants($0, slot) }.min { load($0) < load($1) }
            if let least { assignment[least]?.insert(slot) }
        }
        // Move partitions from a member to one that wants them and has at least two fewer.
        var hasMoved = true
        while hasMoved {
            hasMoved = false
            for giver in members.sorted(by: { load($0) > load($1) }) {
                guard
                    let taker = members.filter({ load($0) + 1 < load(giver) }).min(by: { load($0) < load($1) }),
                    let slot = (assignment[giver] ?? []).sorted().last(where: { wants(taker, $0) })
                else { continue }
                assignment[giver]?.remove(slot)
                assignment[taker]?.insert(slot)
                hasMoved = true
            }
        }
        return assignment
    }
}
