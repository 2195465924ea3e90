/// What a member says that it has, and since which generation.
struct Claim: Sendable, Equatable {
    var partitions: [TopicPartition] = []
    /// -1 where it isn't known. Of two who claim the same partition the one with the later generation is right.
    var generation: Int32 = -1
}

/// What the sticky assignor of the Java client puts into a subscription: the last assignment, since all partitions have
/// been given up when a member joins, and (version 1) its generation.
struct StickyUserData: Sendable, Equatable {
    var previous: [TopicPartition]
    var generation: Int32

    func encoded() throws(ProtocolError) -> ByteSlice? {
        guard !previous.isEmpty else { return nil }
        var writer = WireWriter(isFlexible: false)
        writer.array([ConsumerProtocolTopicPartition](previous)) { $1.encode(to: &$0, version: 0) }
        writer.int32(generation)
        return ByteSlice(try writer.finish())
    }

    /// Data that can't be read claims nothing, as with the Java client.
    static func claim(_ member: GroupMember) -> Claim {
        guard let data = member.subscription.userData, !data.isEmpty else { return Claim() }
        var reader = WireReader(data, isFlexible: false)
        let partitions = reader.array { ConsumerProtocolTopicPartition(from: &$0, version: 0) }
        // Version 0 ends here, and nothing but the length tells the two apart.
        let generation = reader.remaining >= 4 ? reader.int32() : -1
        return reader.hasFailed ? Claim() : Claim(partitions: partitions.topicPartitions, generation: generation)
    }
}

/// What the cooperative sticky assignor of the Java client puts into a subscription: the generation, for leaders that
/// don't know version 2 of the subscription, which has it as a field.
enum CooperativeUserData {
    static func encoded(generation: Int32) throws(ProtocolError) -> ByteSlice? {
        var writer = WireWriter(isFlexible: false)
        writer.int32(generation)
        return ByteSlice(try writer.finish())
    }

    static func claim(_ member: GroupMember) -> Claim {
        let subscription = member.subscription
        var generation = subscription.generationId
        if generation < 0, let data = subscription.userData {
            var reader = WireReader(data, isFlexible: false)
            let told = reader.int32()
            if !reader.hasFailed { generation = told }
        }
        return Claim(partitions: subscription.ownedPartitions.topicPartitions, generation: generation)
    }

    /// Takes out of an assignment what somebody else still has: it is given up first, and assigned in the rebalance that
    /// follows (KIP-429).
    static func withoutMoving(
        _ assigned: [String: [TopicPartition]], _ members: [GroupMember]
    ) -> [String: [TopicPartition]] {
        var owners: [TopicPartition: Set<String>] = [:]
        for member in members {
            for partition in member.subscription.ownedPartitions.topicPartitions {
                owners[partition, default: []].insert(member.id)
            }
        }
        var kept: [String: [TopicPartition]] = [:]
        for (member, partitions) in assigned {
            kept[member] = partitions.filter { owners[$0].map { $0.contains(member) } ?? true }
        }
        return kept
    }
}
