import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Values of a newer broker")
struct OpenValueWireTests {
    @Test("a group state without a name here is returned as it was sent")
    func groupState() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let admin = KafkaAdmin(cluster: cluster)
            try await admin.commitOffsets(group: "g", [TopicPartition("t"): 0])
            #expect(try await admin.listGroups().groups.first?.state == .empty)
            fake.changeAnswers { api, _, frame in
                guard api == .listGroups || api == .describeGroups else { return frame }
                var frame = frame
                let (old, new) = (Array("Empty".utf8), Array("Dream".utf8))
                for start in frame.indices where frame[start...].starts(with: old) {
                    frame.replaceSubrange(start..<start + old.count, with: new)
                }
                return frame
            }
            let listed = try #require(try await admin.listGroups().groups.first)
            #expect(listed.state?.rawValue == "Dream" && listed.state != .empty)
            let described = try await admin.describeGroups(["g"])["g"]?.get()
            #expect(described?.state == GroupState(rawValue: "Dream"))
        }
    }

    @Test("an ACL with numbers that have no name here goes back to the broker with the same numbers")
    func acl() {
        let response = DescribeAclsResponse(resources: [
            .init(
                resourceType: 70, resourceName: "r", patternType: 71,
                acls: [.init(principal: "User:a", host: "*", operation: 72, permissionType: 73)])
        ])
        let bindings = [AclBinding](response)
        #expect(bindings.map(\.operation.rawValue) == [72])
        let creation = bindings.map(\.creation).first
        #expect(creation?.resourceType == 70 && creation?.resourcePatternType == 71)
        #expect(creation?.operation == 72 && creation?.permissionType == 73)
    }

    @Test("a batch with a codec that has no name here is UNSUPPORTED_COMPRESSION_TYPE")
    func codec() {
        let error = #expect(throws: KafkaError.self) { _ = try Compression(codec: 6) }
        #expect(error?.code == .unsupportedCompressionType && error?.message.contains("codec 6") == true)
    }
}
