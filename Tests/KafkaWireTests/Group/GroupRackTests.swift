import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Racks of group members (KIP-848, KIP-881)", .timeLimit(.minutes(1)))
struct GroupRackTests {
    @Test("client.rack is sent to the coordinator or the group's leader", arguments: GroupKind.all)
    func rackIsSent(kind: GroupKind) async throws {
        try await withGroup(kind) { group in
            let near = try await group.start(["client.rack": "north", "client.id": "near"])
            let nowhere = try await group.start(["client.id": "nowhere"])
            try await group.shared(near, nowhere)
            try await eventually("the group is settled") { group.fake.state(ofGroup: GroupFixture.group) == "Stable" }
            let admin = KafkaAdmin(cluster: near.cluster)
            let found = try #require(
                try await admin.describeGroups([GroupFixture.group])[GroupFixture.group]?.get())
            #expect(found.members.first { $0.clientID == "near" }?.rack == "north")
            #expect(found.members.contains { $0.clientID == "nowhere" && $0.rack == nil })
        }
    }
}
