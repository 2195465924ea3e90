/// The leader's computation in a classic group: decodes the members' subscriptions and encodes their assignments.
struct GroupDivision: Sendable {
    private let assignor: PartitionAssignor
    private let members: [GroupMember]
    /// Members whose subscription can't be decoded, with the errors. They get no partitions.
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

    /// - Parameter partitionCounts: The number of partitions of each topic.
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
