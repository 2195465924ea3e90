/// What the assignors do, by the strategies of `PartitionAssignor`: pure functions, compatible with the Java client's.
enum PartitionAssignment {
    /// Divides the partitions.
    ///
    /// - Parameters:
    ///   - members: All members of the group.
    ///   - partitionCounts: How many partitions each topic has. Topics that don't exist are left out.
    /// - Returns: For each member its partitions in ascending order, empty for one that gets none.
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

    /// What the assignor wants to be told of a member by itself.
    ///
    /// - Parameters:
    ///   - previous: What the member was assigned last.
    ///   - generation: In which generation that was; -1 for none.
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
