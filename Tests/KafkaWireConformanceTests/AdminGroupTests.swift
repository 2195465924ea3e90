import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Group administration.
    @Suite(needsKafka) struct AdminGroups {
        @Test(arguments: KafkaHome.all) func offsetsOfAGroup(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 3)
            let admin = fixture.client.admin
            let group = uniqueName()
            #expect(try await admin.listGroupOffsets(group).isEmpty)
            let nowhere = TopicPartition(topic: fixture.topic, partition: 9)
            let altered = try await admin.alterGroupOffsets(
                group,
                [
                    fixture.partition(0): OffsetAndMetadata(5, leaderEpoch: 0, metadata: "five"),
                    fixture.partition(1): OffsetAndMetadata(7), nowhere: OffsetAndMetadata(1),
                ])
            #expect(throws: Never.self) { try altered[fixture.partition(0)]?.get() }
            let missing = #expect(throws: KafkaError.self) { try altered[nowhere]?.get() }
            #expect(missing?.code == .unknownTopicOrPartition)

            let all = try await admin.listGroupOffsets(group)
            #expect(Set(all.keys) == [fixture.partition(0), fixture.partition(1)])
            #expect(
                try all[fixture.partition(0)]?.get() == OffsetAndMetadata(5, leaderEpoch: 0, metadata: "five"))
            #expect(try all[fixture.partition(1)]?.get() == OffsetAndMetadata(7))
            let some = try await admin.listGroupOffsets(
                group, of: [fixture.partition(1), fixture.partition(2)], requiresStable: true)
            #expect(Set(some.keys) == [fixture.partition(1)])

            let forgotten = try await admin.deleteGroupOffsets(group, of: [fixture.partition(0)])
            #expect(throws: Never.self) { try forgotten[fixture.partition(0)]?.get() }
            #expect(try await Set(admin.listGroupOffsets(group).keys) == [fixture.partition(1)])

            let listed = try await admin.listGroups(states: [.empty], types: [.classic])
            #expect(listed.failures.isEmpty)
            #expect(listed.groups.contains { $0.groupID == group && $0.state == .empty && $0.type == .classic })
            #expect(try await !admin.listGroups(states: [.stable]).groups.contains { $0.groupID == group })

            let deleted = try await admin.deleteGroups([group, "no-such-group"])
            #expect(throws: Never.self) { try deleted[group]?.get() }
            let unknown = #expect(throws: KafkaError.self) { try deleted["no-such-group"]?.get() }
            #expect(unknown?.code == .groupIdNotFound)
            #expect(unknown?.message == "the group no-such-group does not exist")
            #expect(try await admin.listGroupOffsets(group).isEmpty)
        }

        /// In Kafka 3.9 the protocol of KIP-848 is a preview that is off by default.
        private static let protocols = KafkaHome.all.flatMap { home in
            (home.version.hasPrefix("3.") ? ["classic"] : ["classic", "consumer"]).map { (home, $0) }
        }

        @Test(arguments: protocols) func racksOfMembers(_ home: KafkaHome, _ protocolName: String) async throws {
            let fixture = try await TopicFixture(home)
            let group = uniqueName()
            let member = try GroupMember(
                fixture, ["group.id": group, "group.protocol": protocolName, "client.rack": "north"])
            try await member.start(.topics([fixture.topic]), Ledger())
            var racks: [String?] = []
            try await eventually("the member is described") {
                let found = try? await fixture.client.admin.describeGroups([group])[group]?.get()
                racks = found?.state == .stable ? found?.members.map(\.rack) ?? [] : []
                return !racks.isEmpty
            }
            #expect(racks == ["north"])
            try await member.stop()
        }

        /// Describes a group whose member is Java's console consumer, with each protocol that the broker supports.
        @Test(arguments: protocols) func membersOfAGroup(_ home: KafkaHome, _ protocolName: String) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let admin = fixture.client.admin
            let group = uniqueName()
            let consumer = try await RunningProgram.start(
                Repository.script("kafka.sh"),
                [
                    "tool", "console-consumer", "--bootstrap-server", fixture.cluster.bootstrap, "--topic",
                    fixture.topic, "--group", group, "--consumer-property", "group.protocol=\(protocolName)",
                ], environment: ["KAFKA_HOME": home.path])
            defer { consumer.signal(15) }
            var description: GroupDescription?
            try await eventually("the member has both partitions") {
                description = try? await admin.describeGroups([group])[group]?.get()
                return description?.members.first?.assignment.count == 2
            }
            let found = try #require(description)
            #expect(found.type.rawValue == protocolName)
            #expect(found.state == .stable)
            #expect(found.members.count == 1)
            #expect(found.members[0].assignment == [fixture.partition(0), fixture.partition(1)])
            #expect(found.members[0].subscribedTopics == [fixture.topic])
            #expect(!found.members[0].clientID.isEmpty)
            #expect(!found.assignor.isEmpty)
            #expect((found.groupEpoch != nil) == (protocolName == "consumer"))
            #expect(found.coordinator.description == fixture.cluster.bootstrap)

            let refused = try await admin.deleteGroups([group])
            let error = #expect(throws: KafkaError.self) { try refused[group]?.get() }
            #expect(error?.code == .nonEmptyGroup)
            let both = try await admin.describeGroups([group, "no-such-group"])
            #expect(throws: Never.self) { try both[group]?.get() }
            let unknown = #expect(throws: KafkaError.self) { try both["no-such-group"]?.get() }
            #expect(unknown?.code == .groupIdNotFound)
        }
    }
}
