import Testing

@testable import KafkaWire

@Suite("The division of a group by its leader")
struct GroupDivisionTests {
    @Test(
        "a member whose metadata are malformed gets nothing, and the others share all",
        arguments: PartitionAssignor.allCases)
    func malformedMetadata(assignor: PartitionAssignor) throws {
        let metadata = try ConsumerProtocolSubscription(topics: ["t"]).encoded()
        let broken: [(String, ByteSlice)] = [
            ("empty", ByteSlice([])), ("short", ByteSlice([0])), ("counts", ByteSlice([0, 0, 0x7f, 0xff, 0xff, 0xff])),
        ]
        let division = GroupDivision(
            JoinGroupResponse(
                members: (broken + [("a", metadata), ("b", metadata)]).map {
                    JoinGroupResponse.JoinGroupResponseMember(memberId: $0.0, metadata: $0.1)
                }), by: assignor)
        #expect(division.topics == ["t"])
        #expect(division.unreadable.keys.sorted() == ["counts", "empty", "short"])
        var shares: [String: [TopicPartition]] = [:]
        for share in try division.assignments(partitionCounts: ["t": 4]).get() {
            let assignment = try ConsumerProtocolAssignment.decode(share.assignment)
            shares[share.memberId] = assignment.assignedPartitions.topicPartitions
        }
        #expect(shares.keys.sorted() == ["a", "b", "counts", "empty", "short"])
        for (name, _) in broken { #expect(shares[name] == []) }
        #expect(shares["a"]?.count == 2)
        #expect(shares["b"]?.count == 2)
        #expect(Set(shares.values.joined()).count == 4)
    }
}
