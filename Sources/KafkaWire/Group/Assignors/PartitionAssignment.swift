/// The assignors that `PartitionAssignor` names, as pure functions compatible with the Java client's.
enum PartitionAssignment {
    /// Assigns the partitions to the members.
    ///
    /// - Parameters:
    ///   - members: All members of the group.
    ///   - partitionCounts: The number of partitions of each topic. Topics with 0 are ignored.
    /// - Returns: The partitions of each member in ascending order; empty if it gets none.
    static func assign(
        _ members: [GroupMember], partitionCounts: [String: Int32], by assignor: PartitionAssignor
    ) -> [String: [TopicPartition]] {
        let members = members.sorted { $0.precedes($1) }
        let counts = partitionCounts.filter { $0.value > 0 }
        switch assignor {
        case .roundRobin: return RoundRobinAssignment.assign(members, counts)
        case .sticky:
            let claims = members.map(StickyUserData.claim)
            return StickyAssignment(members, counts, claims: claims).assigned
        case .cooperativeSticky:
            let claims = members.map(CooperativeUserData.claim)
            let assigned = StickyAssignment(members, counts, claims: claims).assigned
            return CooperativeUserData.withoutMoving(assigned, members)
        default: return RangeAssignment.assign(members, counts)
        }
    }

    /// The user data that a member sends to the assignor with its subscription; nil if there is none.
    ///
    /// - Parameters:
    ///   - previous: The member's last assignment.
    ///   - generation: The generation of that assignment; -1 if there was none.
    static func userData(
        of assignor: PartitionAssignor, previous: [TopicPartition], generation: Int32
    ) throws(ProtocolError) -> ByteSlice? {
        switch assignor {
        case .sticky: try StickyUserData(previous: previous, generation: generation).encoded()
        case .cooperativeSticky: try CooperativeUserData.encoded(generation: generation)
        default: nil
        }
    }
}
