import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// Runs the program as a child process against the fake cluster.
@Suite("kafkawire", .timeLimit(.minutes(2)))
struct ProgramTests {
    private let partition = TopicPartition(topic: "t", partition: 0)

    /// Runs the program until it exits.
    private func kafkawire(
        _ fake: FakeCluster, _ arguments: String..., input: String = ""
    ) async throws -> ProgramResult {
        try await run(
            try Repository.program("kafkawire"), ["-b", fake.bootstrapServers] + arguments, input: input)
    }

    @Test func linesAreSentAndRead() async throws {
        try await withFake(topics: ["t"]) { fake in
            let sent = try await kafkawire(fake, "-P", "-t", "t", "-K:", "-Z", input: "a:1\nb:\nc\nlast:x")
            #expect(sent.status == 0, "\(sent.err)")
            #expect(sent.out.isEmpty)
            let read = try await kafkawire(fake, "-Ce", "-tt", "-f", "%o %k=%s %K %S\\n", "-Z")
            #expect(read.status == 0, "\(read.err)")
            #expect(read.out == "0 a=1 1 1\n1 b=NULL 1 -1\n2 NULL=c -1 1\n3 last=x 4 1\n")
            #expect(read.err == "% Reached end of topic t [0] at offset 4: exiting\n")
        }
    }

    @Test func aTooLargeLineFailsAlthoughTheRestOfItsBatchIsSent() async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.createTopic("narrow", maximumMessageBytes: 1500)
            let sent = try await kafkawire(
                fake, "-P", "-t", "narrow", "-X", "linger.ms=100",
                input: "small\n" + String(repeating: "x", count: 2000) + "\n")
            #expect(sent.status == 69, "\(sent.err)")
            #expect(sent.err.contains("MESSAGE_TOO_LARGE"), "\(sent.err)")
            #expect(try await kafkawire(fake, "-Ceq", "-t", "narrow").out == "small\n")
        }
    }

    @Test func manyLinesKeepTheirOrder() async throws {
        try await withFake(topics: ["t"]) { fake in
            let lines = (0..<20_000).map { "line \($0)\n" }.joined()
            #expect(try await kafkawire(fake, "-P", "-tt", input: lines).status == 0)
            let read = try await kafkawire(fake, "-Ceq", "-tt")
            #expect(read.out == lines)
            #expect(read.err.isEmpty)
            #expect(try await kafkawire(fake, "-Ceq", "-tt", "-o", "-2").out == "line 19998\nline 19999\n")
            #expect(try await kafkawire(fake, "-Cq", "-tt", "-o", "7", "-c", "2").out == "line 7\nline 8\n")
            #expect(try await kafkawire(fake, "-Ceq", "-tt", "-o", "end").out.isEmpty)
        }
    }

    @Test func offsetsByTime() async throws {
        try await withFake(topics: ["t"]) { fake in
            let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
            let producer = client.producer()
            for number in 0..<10 {
                _ = try await producer.send(
                    ProducerRecord(
                        topic: "t", value: Array("\(number)".utf8),
                        timestamp: KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000 + Int64(number))))
            }
            await producer.close()
            await client.close()
            let read = try await kafkawire(
                fake, "-Cq", "-tt", "-o", "s@1700000000003", "-o", "e@1700000000006", "-f", "%s,")
            #expect(read.out == "3,4,5,")
            #expect(read.status == 0)
            let asked = try await kafkawire(fake, "-Q", "-t", "t:0:1700000000004", "-t", "t:0:-1")
            #expect(asked.status == 0)
            #expect(asked.out.contains("t [0] offset "))
            func readWithReset(_ reset: String) async throws -> String {
                try await kafkawire(fake, "-Ceq", "-tt", "-f", "%s", "-X", "auto.offset.reset=\(reset)").out
            }
            #expect(try await readWithReset("by_duration:PT1H").isEmpty)
            #expect(try await readWithReset("none") == "0123456789")
        }
    }

    @Test func aListAsTextAndJSON() async throws {
        try await withFake(topics: ["t"]) { fake in
            let text = try await kafkawire(fake, "-L")
            #expect(text.status == 0)
            #expect(
                text.out.contains("  topic \"t\" with 1 partitions:\n    partition 0, leader 1, replicas: 1, isrs: 1\n")
            )
            let json = try await kafkawire(fake, "-LJ", "-t", "t")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any])
            #expect((object["topics"] as? [[String: Any]])?.first?["topic"] as? String == "t")
        }
    }

    @Test func errorsAndExitStatuses() async throws {
        try await withFake(topics: ["t"]) { fake in
            let missing = try await kafkawire(fake, "-C", "-t", "nope")
            #expect(missing.status == 78)
            #expect(missing.err.contains("the topic nope does not exist"))
            #expect(try await kafkawire(fake, "-P", "-t", "nope", input: "x\n").status == 78)
            let usage = try await kafkawire(fake, "-C")
            #expect(usage.status == 64)
            #expect(usage.err == "kafkawire: exactly one topic is expected: -t TOPIC\nsee 'kafkawire --help'\n")
            let file = try await kafkawire(fake, "-P", "-t", "t", "/no/such/file")
            #expect(file.status == 66)
            let setting = try await kafkawire(fake, "-C", "-t", "t", "-X", "fetch.max.byte=1")
            #expect(setting.status == 64)
            #expect(setting.err.contains("did you mean fetch.max.bytes?"))
            let partition = try await kafkawire(fake, "-C", "-t", "t", "-p", "7")
            #expect(partition.status == 78)
            #expect(partition.err.contains("the topic t has no partition 7: it has 1"))
            for result in [
                try await kafkawire(fake, "-Q", "-t", "t:7:-1"),
                try await run(
                    try Repository.program("kafkawire"),
                    ["groups", "set-offsets", "-b", fake.bootstrapServers, "g", "t:7:end"]),
                try await run(
                    try Repository.program("kafkawire"),
                    ["records", "delete", "-b", fake.bootstrapServers, "t:7:@5"]),
            ] {
                #expect(result.status == 78)
                #expect(result.err.contains("the topic t has no partition 7: it has 1"), "\(result.err)")
            }
        }
        let unreachable = try await run(
            try Repository.program("kafkawire"),
            ["-b", "127.0.0.1:1", "-L", "-X", "default.api.timeout.ms=300"])
        #expect(unreachable.status == 69)
        #expect(unreachable.err.contains("127.0.0.1:1"))
        let withoutBroker = try await run(try Repository.program("kafkawire"), ["-L"])
        #expect(withoutBroker.status == 64)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalEndsItCleanly(signal: Int32) async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await kafkawire(fake, "-P", "-tt", input: "one\n")
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-C", "-t", "t"])
            try await eventually("the record is printed") { try running.output() == "one\n" }
            running.signal(signal)
            #expect(try await running.result().status == 0)
        }
    }

    @Test(arguments: ["-C", "-P"])
    func aSignalEndsItDuringTheTopicLookup(mode: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.inject(.error(.leaderNotAvailable), into: .metadata, times: 100_000)
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, mode, "-t", "t"])
            try await eventually("the topic is asked for again") {
                fake.requests.count { $0.api == .metadata } > 1
            }
            running.signal(SIGINT)
            #expect(try await running.result().status == 0)
        }
    }

    @Test func moreFilesAreSentThanCanBeOpenAtOnce() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            let path = folder.path + "/one"
            try Data("one".utf8).write(to: URL(filePath: path))
            let arguments = ["-b", fake.bootstrapServers, "-P", "-tt"] + Array(repeating: path, count: 300)
            let sent = try await run(
                "/bin/bash",
                ["-c", "ulimit -n 100; exec \"$0\" \"$@\"", try Repository.program("kafkawire")] + arguments)
            #expect(sent.status == 0, "\(sent.err)")
            #expect(fake.offsets(of: partition)?.upperBound == 300)
        }
    }

    @Test func theReaderClosesThePipeEarly() async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await kafkawire(fake, "-P", "-tt", input: (0..<30_000).map { "line \($0)\n" }.joined())
            let program = try Repository.program("kafkawire")
            let result = try await run(
                "/bin/bash",
                ["-c", "\"$0\" -b \"$1\" -C -t t | head -n 1; echo ${PIPESTATUS[0]}", program, fake.bootstrapServers])
            #expect(result.out == "line 0\n0\n")
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func aGroupResumesAtItsCommittedOffsets(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await kafkawire(fake, "-P", "-tt", input: (0..<10).map { "\($0)\n" }.joined())
            func read(_ count: Int) async throws -> ProgramResult {
                try await kafkawire(
                    fake, "-G", "g", "t", "-o", "beginning", "-c", "\(count)", "-X", "group.protocol=\(protocolName)")
            }
            let first = try await read(4)
            #expect(first.status == 0, "\(first.err)")
            #expect(first.out == "0\n1\n2\n3\n")
            #expect(first.err.contains("% Group g rebalanced: assigned: t [0]\n"))
            #expect(fake.committedOffset(group: "g", of: partition) == 4)
            let second = try await read(6)
            #expect(second.out == "4\n5\n6\n7\n8\n9\n")
            #expect(fake.committedOffset(group: "g", of: partition) == 10)
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func theGroupIsLeftIfTheReaderClosesThePipe(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            let count = 25_000
            // Batches so small that several fit into a pipe.
            let sent = try await kafkawire(
                fake, "-P", "-tt", "-X", "batch.size=16384", input: (0..<count).map { "\($0)\n" }.joined())
            #expect(sent.status == 0, "\(sent.err)")
            let first = try await run(
                "/bin/bash",
                [
                    "-c",
                    "\"$0\" -b \"$1\" -G g t -o beginning -X group.protocol=$2 | head -n 1; echo ${PIPESTATUS[0]}",
                    try Repository.program("kafkawire"), fake.bootstrapServers, protocolName,
                ])
            #expect(first.out == "0\n0\n", "\(first.err)")
            #expect(fake.state(ofGroup: "g") == "Empty")
            let committed = try #require(fake.committedOffset(group: "g", of: partition))
            #expect((1..<Int64(count)).contains(committed), "what wasn't printed is committed, or nothing is")
            let second = try await kafkawire(
                fake, "-G", "g", "t", "-c", "1", "-X", "group.protocol=\(protocolName)")
            #expect(second.out == "\(committed)\n", "\(second.err)")
        }
    }

    /// Makes batches of one record each. The last one is corrupt.
    private func fillWithDamage(_ fake: FakeCluster, _ count: Int) async throws {
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers, properties: ["linger.ms": "0"])
        let producer = client.producer()
        for number in 0..<count {
            _ = try await producer.send(ProducerRecord(topic: "t", value: Array("\(number)".utf8)))
        }
        await producer.close()
        await client.close()
        #expect(fake.damage(partition, at: Int64(count - 1)))
    }

    @Test(arguments: ["classic", "consumer"])
    func printedRecordsAreCommittedAndTheGroupIsLeftAtACorruptRecord(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            try await fillWithDamage(fake, 5)
            let read = try await kafkawire(
                fake, "-G", "g", "t", "-o", "beginning", "-X", "group.protocol=\(protocolName)")
            #expect(read.status == 69)
            #expect(read.out == "0\n1\n2\n3\n")
            #expect(read.err.contains("CORRUPT_MESSAGE"), "\(read.err)")
            #expect(fake.committedOffset(group: "g", of: partition) == 4)
            #expect(fake.state(ofGroup: "g") == "Empty")
        }
    }

    @Test func recordsBeforeACorruptRecordArePrinted() async throws {
        try await withFake(topics: ["t"]) { fake in
            try await fillWithDamage(fake, 200)
            let read = try await kafkawire(fake, "-C", "-tt")
            #expect(read.status == 69)
            #expect(read.out == (0..<199).map { "\($0)\n" }.joined())
        }
    }

    @Test func aTransactionIsAbortedIfItsInputFails() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            try Data("one".utf8).write(to: URL(filePath: folder.path + "/one"))
            let sent = try await kafkawire(
                fake, "-P", "-tt", "-X", "transactional.id=x", folder.path + "/one", folder.path + "/none")
            #expect(sent.status == 66, "\(sent.err)")
            #expect(fake.offsets(of: partition)?.upperBound == 2, "the record and the transaction's end")
            let read = try await kafkawire(fake, "-Ceq", "-tt", "-X", "isolation.level=read_committed")
            #expect(read.status == 0, "\(read.err)")
            #expect(read.out.isEmpty)
            // A folder can be opened but not read.
            let unreadable = try await run(
                "/bin/bash",
                [
                    "-c", "\"$0\" -b \"$1\" -P -t t -X transactional.id=x < /", try Repository.program("kafkawire"),
                    fake.bootstrapServers,
                ])
            #expect(unreadable.status == 74, "\(unreadable.err)")
        }
    }

    @Test func aFailureIsReportedIfTheReaderHasGone() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            // The program starts after the only reader of its output has gone.
            let script = """
                mkfifo "$2"
                { read -r _ < "$2"; "$0" topics describe t nope -b "$1"; } | { exec 0<&-; echo gone > "$2"; }
                echo ${PIPESTATUS[0]}
                """
            let result = try await run(
                "/bin/bash",
                ["-c", script, try Repository.program("kafkawire"), fake.bootstrapServers, folder.path + "/gate"])
            #expect(result.out == "78\n")
            #expect(result.err.contains("the topic nope does not exist"), "\(result.err)")
        }
    }

    @Test func settingsFromAFile() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            let path = folder.path + "/client.properties"
            try Data("bootstrap.servers = \(fake.bootstrapServers)\nclient.id = a\n".utf8).write(
                to: URL(filePath: path))
            let listed = try await run(try Repository.program("kafkawire"), ["-F", path, "topics", "list"])
            #expect(listed.status == 64, "an area comes first")
            let listing = try await run(try Repository.program("kafkawire"), ["topics", "list", "-F", path])
            #expect(listing.status == 0, "\(listing.err)")
            #expect(listing.out == "t\n")
            #expect(try await run(try Repository.program("kafkawire"), ["-L", "-F", path]).status == 0)
            #expect(try await run(try Repository.program("kafkawire"), ["-L", "-F", path + "x"]).status == 66)
        }
    }

    @Test func helpAndVersion() async throws {
        let program = try Repository.program("kafkawire")
        #expect(try await run(program, ["--help"]).out.contains("Usage: kafkawire -L"))
        #expect(try await run(program, ["--version"]).out.hasPrefix("kafkawire "))
        for area in ["topics", "configs", "groups", "records", "cluster"] {
            let help = try await run(program, [area, "--help"])
            #expect(help.status == 0)
            #expect(help.out.hasPrefix("kafkawire \(area): "))
            #expect(try await run(program, [area]).status == 64)
        }
    }
}
