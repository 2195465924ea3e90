import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// kafkawire and Kafka's own tools read each other's records.
    @Suite(needsKafka) struct Tool {
        private func kafkawire(
            _ fixture: TopicFixture, _ arguments: [String], input: String = ""
        ) async throws -> ProgramResult {
            try await run(
                try Repository.program("kafkawire"), arguments + ["-b", fixture.cluster.bootstrap], input: input)
        }

        @Test(arguments: KafkaHome.all) func javaReadsWhatItSends(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let sent = try await kafkawire(
                fixture, ["-P", "-t", fixture.topic, "-K:", "-H", "h=1", "-z", "gzip"], input: "a:1\nb:2\nc:3\n")
            #expect(sent.status == 0, "\(sent.err)")
            let property = home.version.hasPrefix("3.") ? "--property" : "--formatter-property"
            let output = try await fixture.tool(
                "console-consumer",
                ["--topic", fixture.topic, "--from-beginning", "--max-messages", "3"]
                    + ["print.key=true", "print.headers=true", "key.separator=:", "headers.separator=,"]
                    .flatMap { [property, $0] })
            #expect(output == "h:1:a:1\nh:1:b:2\nh:1:c:3\n")
        }

        @Test(arguments: KafkaHome.all) func itReadsWhatJavaSends(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.tool(
                "console-producer",
                ["--topic", fixture.topic, "--property", "parse.key=true", "--property", "key.separator=:"],
                input: "a:1\nb:2\nc:3\n")
            let read = try await kafkawire(fixture, ["-Ceq", "-t", fixture.topic, "-f", "%k=%s;"])
            #expect(read.status == 0, "\(read.err)")
            #expect(read.out == "a=1;b=2;c=3;")
        }

        @Test(arguments: KafkaHome.all) func aGroupIsLeftAndItsOffsetsAreCommitted(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            try await fixture.produce(0..<5)
            let group = uniqueName()
            let member = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-G", group, fixture.topic, "-b", fixture.cluster.bootstrap, "-o", "beginning"])
            try await eventually("all is printed") { try member.output() == "0\n1\n2\n3\n4\n" }
            member.signal(15)
            let ended = try await member.result()
            #expect(ended.status == 0)
            #expect(ended.err.contains("% Group \(group) rebalanced: assigned: \(fixture.topic) [0]\n"))
            let described = try await fixture.client.admin.describeGroups([group])
            #expect(try described[group]?.get().state == .empty)
            let offsets = try await fixture.client.admin.listGroupOffsets(group)
            #expect(try offsets[fixture.partition()]?.get().offset == 5)
            let lag = try await kafkawire(fixture, ["groups", "offsets", group])
            #expect(lag.out.contains(" 5          5    0\n"), "\(lag.out)")
        }

        @Test(arguments: KafkaHome.all) func theGroupIsLeftIfTheReaderClosesThePipe(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home)
            let count = 40_000
            // Several batches fit into a pipe, but not all of them.
            try await fixture.produce(0..<count, with: try fixture.client(["batch.size": "16384"]))
            let group = uniqueName()
            let program = try Repository.program("kafkawire")
            let first = try await run(
                "/bin/bash",
                [
                    "-c", "\"$0\" -b \"$1\" -G \"$2\" \"$3\" -o beginning | head -n 1; echo ${PIPESTATUS[0]}", program,
                    fixture.cluster.bootstrap, group, fixture.topic,
                ])
            #expect(first.out == "0\n0\n", "\(first.err)")
            let described = try await fixture.client.admin.describeGroups([group])
            #expect(try described[group]?.get().state == .empty)
            let offsets = try await fixture.client.admin.listGroupOffsets(group)
            let committed = try #require(try offsets[fixture.partition()]?.get().offset)
            #expect((1..<Int64(count)).contains(committed), "what wasn't printed is committed, or nothing is")
            // If the first member had not left, the second would wait for its session timeout, 45 s.
            let second = try await run(
                program, ["-G", group, fixture.topic, "-c", "1", "-b", fixture.cluster.bootstrap],
                timeout: .seconds(30))
            #expect(second.out == "\(committed)\n", "\(second.err)")
        }

        @Test(arguments: KafkaHome.all) func administers(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            let topic = fixture.topic
            let made = try await kafkawire(
                fixture, ["topics", "create", topic, "--partitions", "2", "--config", "retention.ms=123456"])
            #expect(made.out == "created \(topic) with 2 partitions\n")
            #expect(try await kafkawire(fixture, ["topics", "create", topic]).status == 78)
            let configs = try await kafkawire(
                fixture, ["configs", "describe", "topic:\(topic)", "--name", "retention.ms"])
            #expect(configs.out.contains("retention.ms  DYNAMIC_TOPIC_CONFIG  123456\n"), "\(configs.out)")
            let altered = try await kafkawire(
                fixture, ["configs", "alter", "topic:\(topic)", "--delete", "retention.ms"])
            #expect(altered.status == 0, "\(altered.err)")
            #expect(try await kafkawire(fixture, ["topics", "add-partitions", topic, "3"]).status == 0)
            let deleted = try await kafkawire(fixture, ["topics", "delete", topic, "no-such-topic"])
            #expect(deleted.status == 78)
            #expect(deleted.out == "\(topic) is deleted\n")
            #expect(deleted.err.contains("the topic no-such-topic does not exist"))
        }
    }
}
