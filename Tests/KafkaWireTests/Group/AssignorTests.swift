import Testing

@testable import KafkaWire

/// A member that reads these topics.
func member(
    _ id: String, _ topics: [String], instance: String? = nil, owned: [TopicPartition] = [], generation: Int32 = -1,
    userData: ByteSlice? = nil
) -> GroupMember {
    GroupMember(
        id: id, instanceID: instance,
        subscription: ConsumerProtocolSubscription(
            topics: topics, userData: userData, ownedPartitions: [ConsumerProtocolTopicPartition](owned),
            generationId: generation))
}

/// `a-0 a-1` for the partitions 0 and 1 of the topic a.
func partitions(_ text: String) -> [TopicPartition] {
    text.split(separator: " ").compactMap { word in
        let parts = word.split(separator: "-")
        return parts.count == 2 ? Int32(parts[1]).map { TopicPartition(String(parts[0]), $0) } : nil
    }
}

@Suite("Range and round robin assign as the Java client does")
struct AssignorTests {
    struct Division: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let members: [GroupMember]
        let counts: [String: Int32]
        let range: [String: String]
        let roundRobin: [String: String]
    }

    // The examples in the Java client's documentation of its assignors, and cases derived from its rules.
    static let divisions = [
        Division(
            testDescription: "two topics of three partitions, two readers",
            members: [member("C0", ["t0", "t1"]), member("C1", ["t0", "t1"])], counts: ["t0": 3, "t1": 3],
            range: ["C0": "t0-0 t0-1 t1-0 t1-1", "C1": "t0-2 t1-2"],
            roundRobin: ["C0": "t0-0 t0-2 t1-1", "C1": "t0-1 t1-0 t1-2"]),
        Division(
            testDescription: "different subscriptions",
            members: [member("C0", ["t0"]), member("C1", ["t0", "t1"]), member("C2", ["t0", "t1", "t2"])],
            counts: ["t0": 1, "t1": 2, "t2": 3],
            range: ["C0": "t0-0", "C1": "t1-0", "C2": "t1-1 t2-0 t2-1 t2-2"],
            roundRobin: ["C0": "t0-0", "C1": "t1-0", "C2": "t1-1 t2-0 t2-1 t2-2"]),
        Division(
            testDescription: "more readers than partitions, out of order",
            members: [member("c", ["t"]), member("a", ["t"]), member("b", ["t"])], counts: ["t": 2],
            range: ["a": "t-0", "b": "t-1", "c": ""], roundRobin: ["a": "t-0", "b": "t-1", "c": ""]),
        Division(
            testDescription: "static members first, by their names",
            members: [
                member("a", ["t"]), member("z", ["t"], instance: "2"), member("y", ["t"], instance: "1"),
            ], counts: ["t": 5],
            range: ["y": "t-0 t-1", "z": "t-2 t-3", "a": "t-4"],
            roundRobin: ["y": "t-0 t-3", "z": "t-1 t-4", "a": "t-2"]),
        Division(
            testDescription: "a topic that does not exist, and one without readers",
            members: [member("a", ["t", "gone"])], counts: ["t": 1, "other": 4],
            range: ["a": "t-0"], roundRobin: ["a": "t-0"]),
        Division(
            testDescription: "a topic that is named twice counts once",
            members: [member("a", ["t", "t"]), member("b", ["t"])], counts: ["t": 3],
            range: ["a": "t-0 t-1", "b": "t-2"], roundRobin: ["a": "t-0 t-2", "b": "t-1"]),
    ]

    @Test("range", arguments: divisions)
    func range(_ division: Division) {
        let assigned = PartitionAssignment.assign(division.members, partitionCounts: division.counts, by: .range)
        #expect(assigned == division.range.mapValues(partitions))
    }

    @Test("round robin", arguments: divisions)
    func roundRobin(_ division: Division) {
        let assigned = PartitionAssignment.assign(division.members, partitionCounts: division.counts, by: .roundRobin)
        #expect(assigned == division.roundRobin.mapValues(partitions))
    }

    @Test("members are sorted by UTF-16 units, as in Java")
    func order() {
        // U+FF21 comes before U+1F600 by its number, and after it by the latter's surrogate.
        #expect("😀".precedesInJava("Ａ"))
        #expect(!"Ａ".precedesInJava("😀"))
    }

    @Test("no members and no partitions", arguments: PartitionAssignor.allKnown)
    func nothing(_ assignor: PartitionAssignor) {
        #expect(PartitionAssignment.assign([], partitionCounts: ["t": 3], by: assignor).isEmpty)
        #expect(PartitionAssignment.assign([member("a", ["t"])], partitionCounts: [:], by: assignor) == ["a": []])
        #expect(PartitionAssignment.assign([member("a", [])], partitionCounts: ["t": 3], by: assignor) == ["a": []])
    }
}
