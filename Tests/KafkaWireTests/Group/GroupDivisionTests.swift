import Testing

@testable import KafkaWire

@Suite("The leader's assignment in a classic group")
struct GroupDivisionTests {
    private typealias Member = JoinGroupResponse.JoinGroupResponseMember

    private func member(_ id: String) throws -> Member {
        Member(memberId: id, metadata: try ConsumerProtocolSubscription(topics: ["t"]).encoded())
    }

    @Test(
        "a member whose subscription can't be decoded gets no partitions; the others share all of them",
        arguments: PartitionAssignor.allKnown,
        [[], [0], [0, 1, 0x7f, 0xff, 0xff, 0xff], [UInt8](repeating: 0xff, count: 40)] as [[UInt8]])
    func unreadable(assignor: PartitionAssignor, metadata: [UInt8]) throws {
        let joined = JoinGroupResponse(
            members: [try member("a"), Member(memberId: "bad", metadata: ByteSlice(metadata)), try member("b")])
        let division = GroupDivision(joined, by: assignor)
        #expect(division.unreadable.keys.sorted() == ["bad"])
        #expect(division.topics == ["t"])
        let assignments = try division.assignments(partitionCounts: ["t": 4]).get()
        var counts: [String: Int] = [:]
        for each in assignments {
            let assignment = try ConsumerProtocolAssignment.decode(each.assignment)
            counts[each.memberId] = assignment.assignedPartitions.reduce(0) { $0 + $1.partitions.count }
        }
        #expect(counts == ["a": 2, "b": 2, "bad": 0])
    }
}
