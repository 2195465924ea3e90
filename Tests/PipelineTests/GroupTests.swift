import CommandLineSupport
import Foundation
import KafkaWire
import TestSupport
import Testing

extension PipelineTests {
    /// Several runs of one group, with KIP-848 (Kafka 4) and in classic groups (Kafka 3). Each record must be in the
    /// table exactly once.
    @Suite(.timeLimit(.minutes(3))) struct GroupTests {
        @Test("members join, leave, and are killed", arguments: KafkaHome.all)
        func membersComeAndGo(home: KafkaHome) async throws {
            let pipeline = try await GroupPipeline.make(home, partitions: 6)
            let stop = StopSignal()
            let producing = Task { try await pipeline.send(partitions: 6, until: stop) }
            let first = try await pipeline.start()
            try await eventually("the first rows") { try await pipeline.rows() > 0 }
            let second = try await pipeline.start()
            let third = try await pipeline.start(["--workers", "2"])
            try await pipeline.expectMembers(4)
            let before = try await pipeline.rows()
            try await eventually("rows by all members") { try await pipeline.rows() > before + 2_000 }
            third.signal(SIGKILL)
            _ = try await third.result()
            try await pipeline.expectMembers(2)
            let atKill = try await pipeline.rows()
            try await eventually("rows after a kill") { try await pipeline.rows() > atKill + 2_000 }
            let bySecond = try await pipeline.end(second)
            stop.request()
            let sent = try await producing.value
            try await pipeline.expectExact(members: [first])
            let byFirst = try await pipeline.end(first)
            #expect(bySecond > 0 && byFirst > 0)
            #expect(try await pipeline.rows() == sent)
        }

        @Test("a member that was suspended for longer than its session resumes", arguments: KafkaHome.all)
        func aSuspendedMemberResumes(home: KafkaHome) async throws {
            let pipeline = try await GroupPipeline.make(home)
            let members = [try await pipeline.start(), try await pipeline.start()]
            let producing = Task { try await pipeline.send(0..<40_000, waves: 200, pause: .milliseconds(50)) }
            for round in 0..<2 {
                let before = try await pipeline.rows()
                try await eventually("rows") { try await pipeline.rows() > before + 2_000 }
                members[round].signal(SIGSTOP)
                // The other member has all partitions once everything sent so far is committed.
                let ends = try await Self.ends(pipeline)
                try await eventually("the other member has taken over", timeout: .seconds(60)) {
                    try await Self.committed(pipeline).allSatisfy { $0.value >= ends[$0.key] ?? 0 }
                }
                members[round].signal(SIGCONT)
            }
            try await producing.value
            try await pipeline.expectExact(members: members)
            for member in members { try await pipeline.end(member) }
            try await pipeline.expectExact()
        }

        private static func ends(_ pipeline: GroupPipeline) async throws -> [Int32: Int64] {
            let places = (0..<4).map { (TopicPartition(topic: pipeline.topic("a"), partition: $0), OffsetSpec.latest) }
            let listed = try await pipeline.client.admin.listOffsets(Dictionary(uniqueKeysWithValues: places))
            return Dictionary(uniqueKeysWithValues: listed.map { ($0.key.partition, $0.value.offset) })
        }

        private static func committed(_ pipeline: GroupPipeline) async throws -> [Int32: Int64] {
            let rows = try await pipeline.sql("SELECT partition, next_offset FROM kafka_offset")
            return Dictionary(uniqueKeysWithValues: rows.map { (Int32($0[0]) ?? -1, Int64($0[1]) ?? -1) })
        }

        @Test("a crash of Postgres", arguments: KafkaHome.all.prefix(1))
        func aCrashOfPostgres(home: KafkaHome) async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await GroupPipeline.make(home, postgres: postgres)
            let members = [try await pipeline.start(), try await pipeline.start(["--workers", "2"])]
            let producing = Task { try await pipeline.send(0..<40_000, waves: 150, pause: .milliseconds(50)) }
            for _ in 0..<2 {
                let before = try await pipeline.rows()
                try await eventually("rows") { try await pipeline.rows() > before + 3_000 }
                try await postgres.kill()
                try await postgres.startAgain()
            }
            try await producing.value
            try await pipeline.expectExact(members: members)
            for member in members { try await pipeline.end(member) }
            #expect(try await pipeline.rows() == 40_000)
            try await postgres.shutDown()
        }

        @Test("new topics and partitions are read from their beginning", arguments: KafkaHome.all)
        func addedTopicsAndPartitionsAreRead(home: KafkaHome) async throws {
            let pipeline = try await GroupPipeline.make(home, partitions: 1)
            // Only records from before the group's start may be skipped.
            let latest = ["--property", "auto.offset.reset=latest"]
            let members = [try await pipeline.start(latest), try await pipeline.start(latest)]
            try await eventually("all members have started reading") {
                try members.allSatisfy { try $0.errors().contains(" info started ") }
            }
            try await pipeline.send(0..<100, partitions: 1)
            try await pipeline.expectExact(members: members)
            try await pipeline.client.admin.createTopic(pipeline.topic("b"), partitions: 2)
            try await pipeline.send(0..<200, to: "b", partitions: 2)
            let altered = try await pipeline.kafka.tool(
                "topics",
                [
                    "--bootstrap-server", pipeline.kafka.bootstrap, "--alter", "--topic", pipeline.topic("a"),
                    "--partitions", "3",
                ])
            try #require(altered.status == 0, "\(altered.out)\(altered.err)")
            try await eventually("the client knows the new partitions") {
                try await pipeline.client.admin.describe(topics: [pipeline.topic("a")])[0].partitions.count == 3
            }
            try await pipeline.send(100..<400, partitions: 3)
            try await pipeline.expectExact("b", members: members)
            try await pipeline.expectExact("a", members: members)
            #expect(try members[0].errors().contains("found the new topic \(pipeline.topic("b"))"))
            for member in members { try await pipeline.end(member) }
        }

        @Test("a recreated topic stops, and the others continue", arguments: KafkaHome.all)
        func aRecreatedTopicStops(home: KafkaHome) async throws {
            let pipeline = try await GroupPipeline.make(home, partitions: 2)
            try await pipeline.client.admin.createTopic(pipeline.topic("b"), partitions: 2)
            let members = [try await pipeline.start(), try await pipeline.start()]
            try await pipeline.send(0..<100, partitions: 2)
            try await pipeline.send(0..<100, to: "b", partitions: 2)
            try await pipeline.expectExact("a", members: members)
            try await pipeline.expectExact("b", members: members)
            try await pipeline.client.admin.deleteTopic(pipeline.topic("b"))
            try await eventually("the topic is recreated") {
                do {
                    try await pipeline.client.admin.createTopic(pipeline.topic("b"), partitions: 2)
                    return true
                } catch let error as KafkaError where error.code == .topicAlreadyExists {
                    return false
                }
            }
            try await pipeline.send(100..<150, to: "b", partitions: 2)
            try await pipeline.send(100..<300, partitions: 2)
            try await pipeline.expectExact("a", members: members)
            try await eventually("the log reports it", timeout: .seconds(40)) {
                try members.contains { try $0.errors().contains("of topic \(pipeline.topic("b")) is stopped") }
            }
            try await pipeline.send(300..<400, partitions: 2)
            try await pipeline.expectExact("a", members: members)
            let ofTheFirst = try await pipeline.sql("SELECT count(*) FROM item WHERE topic = '\(pipeline.topic("b"))'")
            #expect(ofTheFirst == [["100"]])
            for member in members { try await pipeline.end(member) }
        }

        @Test("static members get their partitions back", arguments: KafkaHome.all)
        func staticMembers(home: KafkaHome) async throws {
            let pipeline = try await GroupPipeline.make(home)
            let instance = ["--workers", "2", "--property", "group.instance.id=press"]
            for round in 0..<2 {
                let member = try await pipeline.start(instance)
                try await pipeline.send(round * 1_000..<(round + 1) * 1_000)
                try await pipeline.expectExact(members: [member])
                try await pipeline.end(member)
            }
            // A killed member is waited for, or in a classic group replaced at once.
            let killed = try await pipeline.start(instance)
            try await pipeline.send(2_000..<3_000)
            try await pipeline.expectExact(members: [killed])
            killed.signal(SIGKILL)
            let next = try await pipeline.start(instance)
            try await pipeline.send(3_000..<4_000)
            try await pipeline.expectExact(members: [next])
            try await pipeline.end(next)
        }

        @Test("runs that end when they are caught up share the work", arguments: KafkaHome.all)
        func untilCaughtUp(home: KafkaHome) async throws {
            let pipeline = try await GroupPipeline.make(home)
            try await pipeline.send(0..<50_000)
            async let first = pipeline.catchUp()
            async let second = pipeline.catchUp(["--workers", "2"])
            let results = try await [first, second]
            for result in results { #expect(result.status == 0, "\(result.err)") }
            #expect(try results.map { try pipeline.records($0) }.reduce(0, +) == 50_000)
            try await pipeline.expectExact()
            // A member that never gets a partition ends, too, as does one that finds everything done.
            let more = try await pipeline.catchUp(["--workers", "6"])
            #expect(more.status == 0, "\(more.err)")
        }
    }
}
