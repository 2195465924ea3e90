import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

@testable import KafkaWireTool

/// kcat's options, against the fake cluster.
@Suite("kcat's options", .timeLimit(.minutes(2)))
struct KcatOptionTests {
    private func kafkawire(
        _ fake: FakeCluster, _ arguments: String..., input: String = ""
    ) async throws -> ProgramResult {
        try await run(
            try Repository.program("kafkawire"), ["-b", fake.bootstrapServers] + arguments, input: input)
    }

    @Test func sentMessagesAreCopiedToTheOutput() async throws {
        try await withFake(topics: ["t"]) { fake in
            let lines = (0..<30_000).map { "k:\($0)\n" }.joined()
            let sent = try await kafkawire(fake, "-P", "-T", "-K:", "-t", "t", input: lines + "last")
            #expect(sent.status == 0, "\(sent.err)")
            #expect(sent.out == lines + "last\n")
            let few = try await kafkawire(fake, "-P", "-T", "-t", "t", "-D", ";", "-c", "2", input: "a;b;c;")
            #expect(few.out == "a;b;")
            let json = try await kafkawire(
                fake, "-P", "-T", "-E", "-J", "-t", "t", input: "{\"payload\":\"x\"}\n{}\n\n{\"payload\":\"y\"}\n")
            #expect(json.out == "{\"payload\":\"x\"}\n{\"payload\":\"y\"}\n")
        }
    }

    @Test func noMessageIsLostIfTheReaderOfTheCopyHasGone() async throws {
        try await withFake(topics: ["t"]) { fake in
            let sent = try await run(
                "/bin/bash",
                [
                    "-c", "seq 1 200000 | \"$0\" -b $1 -P -T -t t | head -n 3; exit ${PIPESTATUS[1]}",
                    try Repository.program("kafkawire"), fake.bootstrapServers,
                ])
            #expect(sent.status == 0, "\(sent.err)")
            #expect(sent.out == "1\n2\n3\n")
            let read = try await kafkawire(fake, "-Ceq", "-t", "t", "-c", "3")
            #expect(read.out == "1\n2\n3\n")
        }
    }

    @Test func withEAMessageThatIsTooLargeIsSkipped() async throws {
        try await withFake(topics: ["t"]) { fake in
            let input = "a\n" + String(repeating: "x", count: 3000) + "\nb\n"
            let limit = "max.request.size=2000"
            let ended = try await kafkawire(fake, "-P", "-t", "t", "-X", limit, input: input)
            #expect(ended.status == 69)
            #expect(ended.err.contains("standard input, line 2: "), "\(ended.err)")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t").out == "a\n")
            let skipped = try await kafkawire(fake, "-P", "-E", "-t", "t", "-X", limit, input: input)
            #expect(skipped.status == 69)
            #expect(skipped.err.contains("% skipped: standard input, line 2: "), "\(skipped.err)")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t").out == "a\na\nb\n")
        }
    }

    @Test func withEAFailedDeliveryIsReported() async throws {
        try await withFake { fake in
            fake.createTopic("narrow", maximumMessageBytes: 1500)
            let input = "a\n" + String(repeating: "x", count: 2000) + "\n" + "b\n"
            let sent = try await kafkawire(
                fake, "-P", "-E", "-t", "narrow", "-X", "linger.ms=0", "-X", "batch.size=0", input: input)
            #expect(sent.status == 69, "\(sent.err)")
            #expect(sent.err.contains("% messages were not delivered: "), "\(sent.err)")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "narrow").out == "a\nb\n")
        }
    }

    @Test func withEAMissingFileIsSkipped() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            for name in ["one", "two"] {
                try name.write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8)
            }
            let sent = try await kafkawire(
                fake, "-P", "-E", "-T", "-t", "t", folder.path + "/one", folder.path + "/none", folder.path + "/two")
            #expect(sent.status == 66, "\(sent.err)")
            #expect(sent.out == "one\ntwo\n")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t").out == "one\ntwo\n")
        }
    }

    @Test func withEMessagesThatDoNotFitTheirPackingAreReported() async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await kafkawire(fake, "-P", "-t", "t", "-K:", input: "a:1234\nb:12\n:5678\n")
            let ended = try await kafkawire(fake, "-Cq", "-e", "-t", "t", "-s", "value=i", "-f", "%k=%s\\n")
            #expect(ended.status == 65)
            #expect(ended.out == "a=825373492\nb=")
            #expect(ended.err.contains("the message at offset 1 of t [0] does not fit -s: the value is too short"))
            let all = try await kafkawire(fake, "-Cqe", "-E", "-t", "t", "-s", "value=i", "-f", "%k=%s\\n")
            #expect(all.status == 0)
            #expect(all.out == "a=825373492\nb==892745528\n")
            let both = try await kafkawire(fake, "-Cqe", "-t", "t", "-s", "key=B", "-s", "value=>h", "-K:", "-Z")
            #expect(both.out == "97:12594\n98:12594\n:13622\n")
            let group = try await kafkawire(
                fake, "-G", "g", "t", "-qo", "beginning", "-c", "3", "-s", "value=c", "-f", "%s")
            #expect(group.out == "115")
            let json = try await kafkawire(fake, "-CeJ", "-t", "t", "-s", "value=i")
            #expect(json.status == 0)
            #expect(json.err.contains("% -s has no effect with -J"), "\(json.err)")
            #expect(json.out.contains(#""payload":"1234""#))
        }
    }

    @Test func readingResumesAtStoredOffsetsAndCommits() async throws {
        try await withFake(topics: ["t"]) { fake in
            let place = TopicPartition(topic: "t", partition: 0)
            _ = try await kafkawire(fake, "-P", "-t", "t", input: "1\n2\n3\n")
            func read(_ options: String...) async throws -> ProgramResult {
                try await run(
                    try Repository.program("kafkawire"),
                    ["-b", fake.bootstrapServers, "-Cq", "-t", "t", "-o", "stored"] + options)
            }
            let group = ["-X", "group.id=g", "-X", "auto.offset.reset=smallest"]
            let without = try await read("-e")
            #expect(without.status == 64)
            #expect(without.err.contains("-X group.id=GROUP"))
            #expect(try await read("-c", "2", group[0], group[1], group[2], group[3]).out == "1\n2\n")
            #expect(fake.committedOffset(group: "g", of: place) == 2)
            #expect(try await read("-e", group[0], group[1]).out == "3\n")
            #expect(fake.committedOffset(group: "g", of: place) == 3)
            // Without a stored offset kcat begins at the end.
            #expect(try await read("-e", "-X", "group.id=new").out.isEmpty)
            #expect(fake.committedOffset(group: "new", of: place) == 3)
            let kept = try await read(
                "-e", group[0], "group.id=x", group[2], group[3], "-X", "enable.auto.commit=false")
            #expect(kept.out == "1\n2\n3\n")
            #expect(fake.committedOffset(group: "x", of: place) == nil)
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers, "-Cq", "-t", "t", "-o", "stored", "-X", "group.id=s"] + group.suffix(2))
            try await eventually("all is printed") { try running.output() == "1\n2\n3\n" }
            running.signal(SIGINT)
            #expect(try await running.result().status == 0)
            #expect(fake.committedOffset(group: "s", of: place) == 3)
            let member = try await kafkawire(fake, "-G", "g", "t", "-qe", "-o", "stored")
            #expect(member.status == 0, "\(member.err)")
            #expect(member.out.isEmpty)
        }
    }

    @Test func debugContextsChooseWhatIsPrinted() async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await kafkawire(fake, "-P", "-t", "t", input: "1\n")
            func contexts(_ names: String) async throws -> Set<String> {
                let read = try await kafkawire(fake, "-Ceq", "-t", "t", "-d", names)
                #expect(read.status == 0)
                #expect(read.out == "1\n")
                return Set(
                    read.err.split(separator: "\n").map { $0.split(separator: "|").dropFirst(2).first ?? "" }.map(
                        String.init))
            }
            #expect(try await contexts("broker") == ["broker"])
            #expect(try await contexts("fetch,metadata") == ["fetch", "metadata"])
            #expect(try await contexts("all").count > 2)
            #expect(try await contexts("plugin").isEmpty)
            let set = try await kafkawire(fake, "-L", "-X", "debug=protocol")
            #expect(set.err.contains("|protocol| "))
            let wrong = try await kafkawire(fake, "-L", "-d", "brokers")
            #expect(wrong.status == 64)
            #expect(wrong.err.contains("-d expects a list of contexts"))
        }
    }

    @Test func theSettingsCanBeListedAndDumped() async throws {
        let program = try Repository.program("kafkawire")
        let list = try await run(program, ["-X", "list"])
        #expect(list.status == 0)
        #expect(list.out.contains("\nssl.truststore.location "))
        #expect(list.out.contains(" ssl.ca.location\n"))
        let secrets = ["sasl.password", "ssl.key.password", "ssl.keystore.key", "ssl.keystore.certificate.chain"]
        let dump = try await run(
            program,
            ["-X", "dump", "-X", "security.protocol=sasl_ssl", "-X", "sasl.mechanisms=PLAIN", "-X", "sasl.username=u"]
                + [
                    "-G", "g", "-o", "end", "-X", "topic.acks=1", "-X", "partitioner=consistent", "-b", "h", "-z",
                    "lz4",
                ]
                + secrets.flatMap { ["-X", "\($0)=s3cret"] })
        #expect(dump.status == 0, "\(dump.err)")
        #expect(!(dump.out + dump.err).contains("s3cret"))
        for line in [
            "bootstrap.servers = h:9092", "security.protocol = SASL_SSL", "acks = 1", "auto.offset.reset = latest",
            "group.id = g", "isolation.level = read_committed", "compression.type = lz4", "partitioner = consistent",
            "client.id = kafkawire",
        ] + secrets.map({ "# \($0) is set, but not shown" }) {
            #expect(dump.out.split(separator: "\n").contains(line[...]), "\(line)")
        }
        let folder = try TemporaryFolder()
        let plain = try await run(program, ["-X", "dump", "-b", "h:1", "-X", "linger.ms=77"])
        try plain.out.write(toFile: folder.path + "/dump", atomically: true, encoding: .utf8)
        #expect(try await run(program, ["-X", "dump", "-F", folder.path + "/dump"]).out == plain.out)
        let topics = try await run(program, ["topics", "list", "-X", "dump", "-b", "h:1"])
        #expect(topics.status == 0)
        #expect(topics.out.contains("bootstrap.servers = h:1\n"))
    }

    @Test func linesOfAFile() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            try "a:1\nb:2".write(toFile: folder.path + "/lines", atomically: true, encoding: .utf8)
            for arguments in [
                ["-P", "-l", "-K:", "-t", "t", folder.path + "/lines"],
                ["-Pt", "t", "-K:", "-l", folder.path + "/lines"],
            ] {
                let sent = try await run(
                    try Repository.program("kafkawire"), ["-b", fake.bootstrapServers] + arguments)
                #expect(sent.status == 0, "\(sent.err)")
            }
            #expect(try await kafkawire(fake, "-Ceq", "-t", "t", "-f", "%k%s").out == "a1b2a1b2")
            let two = try await kafkawire(fake, "-P", "-l", "-t", "t", "x", "y")
            #expect(two.status == 64)
        }
    }

    @Test func withETheProgramWaitsForAClusterThatIsDown() async throws {
        try await withFake(topics: ["t"]) { fake in
            await fake.stop(broker: 1)
            let program = try Repository.program("kafkawire")
            let limit = ["-m", "1"]
            let ended = try await run(program, ["-b", fake.bootstrapServers, "-C", "-t", "t"] + limit)
            #expect(ended.status == 69)
            let running = try await RunningProgram.start(
                program, ["-b", fake.bootstrapServers, "-P", "-E", "-t", "t"] + limit, input: "1\n")
            try await eventually("the failures are reported") { try running.errors().contains("cannot connect") }
            try fake.start(broker: 1)
            #expect(try await running.result().status == 0)
        }
    }
}
