/// What the leader of a classic group computes: from the members' subscriptions to their assignments.
struct GroupDivision: Sendable {
    private let assignor: PartitionAssignor
    private let members: [GroupMember]
    /// Members whose subscription can't be decoded. They get no partitions; the others are assigned as usual.
    let unreadable: [String: ProtocolError]
    /// The topics that any member reads.
    let topics: Set<String>

    init(_ joined: JoinGroupResponse, by assignor: PartitionAssignor) {
        var members: [GroupMember] = []
        var unreadable: [String: ProtocolError] = [:]
        for member in joined.members {
            do throws(ProtocolError) {
                members.append(
                    GroupMember(
                        id: member.memberId, instanceID: member.groupInstanceId,
                        subscription: try ConsumerProtocolSubscription.decode(member.metadata)))
            } catch {
                unreadable[member.memberId] = error
            }
        }
        self.assignor = assignor
        self.members = members
        self.unreadable = unreadable
        topics = Set(members.flatMap(\.subscription.topics))
    }

    /// - Parameter partitionCounts: How many partitions each topic has.
    func assignments(
        partitionCounts: [String: Int32]
    ) -> Result<[SyncGroupRequest.SyncGroupRequestAssignment], ProtocolError> {
        var assigned = PartitionAssignment.assign(members, partitionCounts: partitionCounts, by: assignor)
        for member in unreadable.keys { assigned[member] = [] }
        do throws(ProtocolError) {
            var assignments: [SyncGroupRequest.SyncGroupRequestAssignment] = []
            for (member, partitions) in assigned.sorted(by: { $0.key < $1.key }) {
                let assignment = ConsumerProtocolAssignment(
                    assignedPartitions: [ConsumerProtocolTopicPartition](partitions))
                assignments.append(
                    SyncGroupRequest.SyncGroupRequestAssignment(
                        memberId: member, assignment: try assignment.encoded()))
            }
            return .success(assignments)
        } catch {
            return .failure(error)
        }
    }
}
