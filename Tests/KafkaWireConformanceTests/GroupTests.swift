import Foundation
import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// Group members that join and leave.
    @Suite(needsKafka, .timeLimit(.minutes(3))) struct Groups {
        struct Case: Sendable, CustomTestStringConvertible {
            let home: KafkaHome
            let properties: [String: String]
            var testDescription: String { "\(home), \(properties.values.sorted().joined(separator: " "))" }
        }

        static let cases =
            KafkaHome.all.flatMap { home in
                ["range", "roundrobin", "sticky", "cooperative-sticky"].map {
                    Case(home: home, properties: ["partition.assignment.strategy": $0])
                }
            }
            + KafkaHome.withConsumerProtocol.map { home in
                // Members of such groups send a heartbeat every five seconds, so one run takes as long as all others.
                Case(home: home, properties: ["group.protocol": "consumer", "group.remote.assignor": "uniform"])
            }

        /// Whether all partitions are assigned and each member has at least one.
        private func isShared(_ members: [GroupMember], _ partitions: Int) -> Bool {
            let all = members.flatMap(\.assignment)
            return all.count == partitions && Set(all).count == partitions
                && members.allSatisfy { !$0.assignment.isEmpty }
        }

        @Test("each record is processed once, in order, while members join and leave", arguments: cases)
        func comeAndGo(_ each: Case) async throws {
            let fixture = try await TopicFixture(each.home, partitions: 6)
            let ledger = Ledger()
            let properties = each.properties.merging(["group.id": uniqueName()]) { $1 }
            let isEnding = Mutex(false)
            let producing = Task {
                let producer = fixture.client.producer()
                var counts: [Int32: Int64] = [:]
                var number = 0
                while !isEnding.withLock({ $0 }) {
                    let partition = Int32(number % 6)
                    _ = try await producer.enqueue(
                        ProducerRecord(topic: fixture.topic, partition: partition, value: Array("\(number)".utf8)))
                    counts[partition, default: 0] += 1
                    number += 1
                    if number % 20 == 0 { try await Task.sleep(for: .milliseconds(5)) }
                }
                #expect(await producer.close().undeliveredRecords == 0)
                return counts
            }
            defer { producing.cancel() }
            var members: [GroupMember] = []
            for count in 1...3 {
                let member = try GroupMember(fixture, properties)
                try await member.start(.topics([fixture.topic]), ledger)
                members.append(member)
                try await eventually("\(count) members share the partitions") { isShared(members, 6) }
                let seen = ledger.count
                try await eventually("records are read") { ledger.count > seen + 100 }
            }
            try await members.removeFirst().stop()
            try await eventually("two members share the partitions") { isShared(members, 6) }
            // Don't cancel the task: a producer that is closed in a cancelled task drops its unsent records.
            isEnding.withLock { $0 = true }
            let counts = try await producing.value
            let total = Int(counts.values.reduce(0, +))
            try await eventually("everything is read") { ledger.count >= total }
            for member in members { try await member.stop() }
            for (partition, count) in counts { #expect(ledger[fixture.partition(partition)] == Array(0..<count)) }
            let group = try #require(properties["group.id"])
            let committed = try await fixture.client(["group.id": group]).consumer().committed(
                counts.keys.map { fixture.partition($0) })
            for (partition, count) in counts { #expect(committed[fixture.partition(partition)]?.offset == count) }
        }

        @Test("a cooperative rebalance only revokes partitions that move", arguments: KafkaHome.all)
        func cooperative(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 4)
            let (ledger, subscription) = (Ledger(), Subscription.topics([fixture.topic]))
            let properties = ["group.id": uniqueName(), "partition.assignment.strategy": "cooperative-sticky"]
            let first = try GroupMember(fixture, properties)
            try await first.start(subscription, ledger)
            try await eventually("one member has all partitions") { isShared([first], 4) }
            let second = try GroupMember(fixture, properties)
            try await second.start(subscription, ledger)
            try await eventually("two share") { isShared([first, second], 4) }
            let all = Set((0..<4).map { fixture.partition($0) })
            #expect(first.rebalances == [.assigned(all), .revoked(second.assignment)])
            #expect(second.rebalances == [.assigned(second.assignment)])
            #expect(second.assignment.count == 2)
            try await first.stop()
            try await second.stop()
        }

        @Test("a static member gets its partitions back without a rebalance", arguments: KafkaHome.all)
        func staticMembers(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 4)
            let (ledger, subscription) = (Ledger(), Subscription.topics([fixture.topic]))
            let properties = ["group.id": uniqueName()]
            func member(_ name: String) async throws -> GroupMember {
                let member = try GroupMember(fixture, properties.merging(["group.instance.id": name]) { $1 })
                try await member.start(subscription, ledger)
                return member
            }
            let first = try await member("a")
            let second = try await member("b")
            try await eventually("two share") { isShared([first, second], 4) }
            let (before, rebalanceCount) = (second.assignment, first.rebalances.count)
            try await second.stop()
            let again = try await member("b")
            try await eventually("the second is back") { again.assignment == before }
            #expect(first.rebalances.count == rebalanceCount)

            // Another member with the same instance id fences it permanently.
            let usurper = try await member("b")
            #expect(try await again.failure().code == .fencedInstanceId)
            for member in [first, usurper, again] { await member.close() }
        }

        @Test("a pattern also reads topics that are created later", arguments: KafkaHome.all)
        func pattern(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let ledger = Ledger()
            let member = try GroupMember(fixture, ["group.id": uniqueName(), "metadata.max.age.ms": "200"])
            try await member.start(.pattern("\(fixture.topic).*"), ledger)
            try await eventually("the first topic is assigned") { isShared([member], 2) }
            try await fixture.client.admin.createTopic(fixture.topic + "-later", partitions: 3)
            try await eventually("the second is too") { isShared([member], 5) }
            try await member.stop()
        }

        @Test("a broker-side pattern selects topics", arguments: KafkaHome.withConsumerProtocol)
        func brokersPattern(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 2)
            let member = try GroupMember(fixture, ["group.id": uniqueName(), "group.protocol": "consumer"])
            try await member.start(.pattern("\(fixture.topic).*"), Ledger())
            try await eventually("the topic is assigned") { isShared([member], 2) }
            try await member.stop()
        }

        @Test("a slow member loses its partitions, and gets some after rejoining", arguments: cases.filter(\.isSlowOne))
        func stuck(_ each: Case) async throws {
            let fixture = try await TopicFixture(each.home, partitions: 2)
            try await fixture.produce(0..<10)
            let properties = each.properties.merging(["group.id": uniqueName()]) { $1 }
            let slow = try GroupMember(fixture, properties.merging(["max.poll.interval.ms": "700"]) { $1 })
            try await slow.subscribe(.topics([fixture.topic]))
            var iterator = slow.consumer.makeAsyncIterator()
            _ = try #require(try await iterator.next())
            let ledger = Ledger()
            let quick = try GroupMember(fixture, properties)
            try await quick.start(.topics([fixture.topic]), ledger)
            try await eventually("the other member gets all partitions") { isShared([quick], 2) && ledger.count == 10 }
            await #expect(throws: KafkaError.self) { try await slow.consumer.commit() }
            // It rejoins, and the partitions are shared again.
            let waiting = Task { try await iterator.next() }
            try await eventually("both share") { isShared([quick, slow], 2) }
            #expect(slow.rebalances.contains(.lost(Set((0..<2).map { fixture.partition($0) }))))
            waiting.cancel()
            _ = try? await waiting.value
            await slow.close()
            try await quick.stop()
        }

        @Test("explicit commits, and the error of a consumer without a group", arguments: KafkaHome.all)
        func commits(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<10)
            let client = try fixture.client(["group.id": uniqueName(), "enable.auto.commit": "false"])
            let consumer = client.consumer()
            #expect(try await consumer.committed([fixture.partition()]).isEmpty)
            let offset = OffsetAndMetadata(4, leaderEpoch: 0, metadata: "half way")
            try await consumer.commit([fixture.partition(): offset])
            #expect(try await consumer.committed([fixture.partition()]) == [fixture.partition(): offset])
            #expect(consumer.groupMetadata?.generationID == -1)

            try await consumer.subscribe(to: .topics([fixture.topic]))
            var iterator = consumer.makeAsyncIterator()
            var batch = try await iterator.next()
            let read = Ledger()
            if let batch { try read.note(batch) }
            #expect(read[fixture.partition()].first == 4)
            while let last = batch, last.nextOffset < 10 { batch = try await iterator.next() }
            try await consumer.commit()
            #expect(try await consumer.committed([fixture.partition()])[fixture.partition()]?.offset == 10)
            #expect((consumer.groupMetadata?.generationID ?? -1) >= 0)
            await consumer.close()

            let error = try await kafkaError { try await fixture.client.consumer().commit() }
            #expect(error.code == .invalidGroupId)
        }
    }
}

extension RealKafka.Groups.Case {
    /// Selects one case of each protocol for slow tests.
    fileprivate var isSlowOne: Bool {
        ["cooperative-sticky", "uniform"].contains { properties.values.contains($0) }
    }
}

extension KafkaHome {
    /// The distributions whose brokers support KIP-848 groups by default.
    static var withConsumerProtocol: [KafkaHome] {
        all.filter { $0.version.compare("4.0", options: .numeric) != .orderedAscending }
    }
}
