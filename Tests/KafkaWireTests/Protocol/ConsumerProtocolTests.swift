import KafkaWire
import Testing

@Suite("Messages between members of a classic group")
struct ConsumerProtocolTests {
    /// The version, then the fields in the definition's order: topics [t], user data null, owned t-[0, 2], generation
    /// 5, rack r.
    static let subscription: [[UInt8]] = {
        let topics: [UInt8] = [0, 0, 0, 1, 0, 1, 0x74]
        let userData: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        let owned: [UInt8] = [0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2]
        let (generation, rack): ([UInt8], [UInt8]) = ([0, 0, 0, 5], [0, 1, 0x72])
        return [
            [0, 0] + topics + userData,
            [0, 1] + topics + userData + owned,
            [0, 2] + topics + userData + owned + generation,
            [0, 3] + topics + userData + owned + generation + rack,
        ]
    }()

    @Test("A subscription, version by version", arguments: 0...3)
    func subscriptions(version: Int) throws {
        let value = ConsumerProtocolSubscription(
            topics: ["t"], ownedPartitions: [ConsumerProtocolTopicPartition(topic: "t", partitions: [0, 2])],
            generationId: 5, rackId: "r")
        let bytes = Self.subscription[version]
        #expect(Array(try value.encoded(version: Int16(version))) == bytes)
        let read = try ConsumerProtocolSubscription.decode(ByteSlice(bytes))
        #expect(read.topics == ["t"])
        #expect(read.userData == nil)
        #expect(read.ownedPartitions == (version >= 1 ? value.ownedPartitions : []))
        #expect(read.generationId == (version >= 2 ? 5 : -1))
        #expect(read.rackId == (version >= 3 ? "r" : nil))
    }

    @Test("An assignment is the same in all versions", arguments: 0...3)
    func assignments(version: Int16) throws {
        let value = ConsumerProtocolAssignment(
            assignedPartitions: [ConsumerProtocolTopicPartition(topic: "t", partitions: [1])],
            userData: ByteSlice([7]))
        let bytes: [UInt8] =
            [0, UInt8(version), 0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7]
        #expect(Array(try value.encoded(version: version)) == bytes)
        #expect(try ConsumerProtocolAssignment.decode(ByteSlice(bytes)) == value)
    }

    @Test("Unknown fields of a later version are skipped")
    func later() throws {
        var bytes = Self.subscription[3] + [1, 2, 3]
        bytes[1] = 9
        #expect(try ConsumerProtocolSubscription.decode(ByteSlice(bytes)).rackId == "r")
    }

    @Test("A missing version and truncated bytes are errors")
    func garbage() {
        let bytes = Self.subscription[3]
        for length in 0..<bytes.count {
            #expect(throws: ProtocolError.self) { try ConsumerProtocolSubscription.decode(ByteSlice(bytes[..<length])) }
        }
        #expect(throws: ProtocolError.self) {
            try ConsumerProtocolSubscription.decode(ByteSlice([0xff, 0xff] + bytes.dropFirst(2)))
        }
    }
}
