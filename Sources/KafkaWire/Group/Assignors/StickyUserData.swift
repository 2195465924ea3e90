/// The partitions that a member claims to own, and the generation of that assignment.
struct Claim: Sendable, Equatable {
    var partitions: [TopicPartition] = []
    /// -1 if unknown. If two members claim the same partition, the later generation wins.
    var generation: Int32 = -1
}

/// The user data of the Java client's sticky assignor: the last assignment and, in version 1, its generation.
///
/// A member of an eager group has revoked all partitions before it joins, so the subscription itself does not list
/// them.
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

    /// The partitions that a member claims; none if the data can't be decoded, as in the Java client.
    static func claim(_ member: GroupMember) -> Claim {
        guard let data = member.subscription.userData, !data.isEmpty else { return Claim() }
        var reader = WireReader(data, isFlexible: false)
        let partitions = reader.array { ConsumerProtocolTopicPartition(from: &$0, version: 0) }
        // Version 0 ends here. Only the length distinguishes the two versions.
        let generation = reader.remaining >= 4 ? reader.int32() : -1
        return reader.hasFailed ? Claim() : Claim(partitions: partitions.topicPartitions, generation: generation)
    }
}

/// The user data of the Java client's cooperative sticky assignor: the generation.
///
/// Version 2 of the subscription has the generation as a field; the user data serves leaders without that version.
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
            let decoded = reader.int32()
            if !reader.hasFailed { generation = decoded }
        }
        return Claim(partitions: subscription.ownedPartitions.topicPartitions, generation: generation)
    }

    /// Removes partitions that another member still owns from an assignment.
    ///
    /// The owner revokes them first, and the next rebalance assigns them (KIP-429).
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
