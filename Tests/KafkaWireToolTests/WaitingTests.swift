import CommandLineSupport
import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

@testable import KafkaWireTool

/// How long the program waits, and what it prints meanwhile.
@Suite("Waiting", .timeLimit(.minutes(2)))
struct WaitingTests {
    private let partition = TopicPartition(topic: "t", partition: 0)

    private static let modes: [[String]] = [
        ["-L"], ["-C", "-t", "t"], ["-P", "-t", "t"], ["-G", "g", "t"], ["-Q", "-t", "t:0:5"], ["topics", "list"],
        ["configs", "describe", "topic:t"], ["groups", "list"], ["records", "offsets", "t"], ["cluster", "describe"],
    ]

    @Test(arguments: modes)
    func everyModeGivesUpOnABrokerThatRefuses(mode: [String]) async throws {
        let result = try await run(
            try Repository.program("kafkawire"), mode + ["-b", "127.0.0.1:1", "-X", "default.api.timeout.ms=400"])
        #expect(result.status == 69, "\(result.err)")
        #expect(result.err.hasPrefix("% cannot connect to 127.0.0.1:1: "), "the first failure at once: \(result.err)")
        #expect(result.err.contains("\nkafkawire: no broker "), "\(result.err)")
        #expect(result.err.localizedCaseInsensitiveContains("refused"), "\(result.err)")
    }

    /// The modes with an option of their own. The long tests add the administration commands.
    @Test(arguments: modes.prefix(LongTests.count(modes.count, quick: 4)))
    func everyModeGivesUpOnABrokerThatIsSilent(mode: [String]) async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.inject(.silence, into: .apiVersions, times: 1000)
            let result = try await run(
                try Repository.program("kafkawire"),
                mode + ["-b", fake.bootstrapServers, "-X", "default.api.timeout.ms=1500"])
            #expect(result.status == 69, "\(result.err)")
            #expect(result.err.hasPrefix("% "), "a warning comes first: \(result.err)")
            #expect(result.err.count(where: \.isNewline) < 6, "the warnings are few: \(result.err)")
            #expect(result.err.split(separator: "\n").last?.hasPrefix("kafkawire: ") == true, "\(result.err)")
            #expect(result.err.split(separator: "\n").last?.contains("127.0.0.1:") == true, "\(result.err)")
        }
    }

    @Test func theLimitIsTenSecondsUnlessTheUserSetsOne() async throws {
        let session = try await ConnectionOptions(brokers: "127.0.0.1:1").session()
        #expect(session.reachLimit == .seconds(10))
        await session.client.close()
        let given = try await ConnectionOptions(
            brokers: "127.0.0.1:1", settings: [Setting(name: "default.api.timeout.ms", value: "70000")]
        ).session()
        #expect(given.reachLimit == .seconds(70))
        await given.client.close()
    }

    @Test(arguments: [(["-L"], 10), (["-Q", "-t", "t:0:5"], 10), (["-C", "-t", "t"], 60), (["-P", "-t", "t"], 60)])
    func eachCallOfAShortModeIsLimitedToTenSeconds(mode: [String], seconds: Int) async throws {
        let options = try MessageOptions(mode + ["-b", "127.0.0.1:1"], isInputTerminal: true)
        let session = try await MessageProgram.session(options)
        #expect(session.client.configuration.defaultAPITimeout == .seconds(seconds))
        #expect(session.reachLimit == .seconds(10))
        await session.client.close()
    }

    @Test(arguments: [["-Q", "-t", "t:0:5"], ["records", "offsets", "t"], ["groups", "describe", "g"]])
    func aCallToABrokerAtAWrongAddressTimesOutWithAReport(mode: [String]) async throws {
        try await withFake(topics: ["t"]) { fake in
            // The metadata gives a port without a listener, as with wrong advertised listeners.
            fake.changeAnswers { api, _, frame in
                guard api == .metadata || api == .findCoordinator else { return frame }
                let number = fake.port(of: 1)
                let port = [0, 0, UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
                return frame.replacing(port, with: [0, 0, 0, 1])
            }
            let result = try await run(
                try Repository.program("kafkawire"),
                mode + ["-b", fake.bootstrapServers, "-X", "default.api.timeout.ms=1500"])
            #expect(result.status == 69, "\(result.err)")
            #expect(
                result.err.hasPrefix("% cannot connect to 127.0.0.1:1: "), "the first failure at once: \(result.err)")
            #expect(result.err.split(separator: "\n").last?.contains("127.0.0.1:1 ") == true, "\(result.err)")
        }
    }

    @Test func aConnectedConsumerKeepsRetryingAndReportsIt() async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await run(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-tt"], input: "one\n")
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers, "-Cq", "-t", "t", "-X", "default.api.timeout.ms=500"])
            try await eventually("the record is printed") { try running.output() == "one\n" }
            await fake.stop(broker: 1)
            try await eventually("the broker is reported lost") {
                try running.errors().contains("127.0.0.1:")
            }
            try fake.start(broker: 1)
            _ = try await run(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-tt"], input: "two\n")
            try await eventually("reading continues") { try running.output() == "one\ntwo\n" }
            running.signal(SIGINT)
            let result = try await running.result()
            #expect(result.status == 0, "\(result.err)")
            #expect(result.err.contains(" is back\n") || result.err.contains("% succeeded after "), "\(result.err)")
        }
    }

    @Test(arguments: ["-C", "-P", "-G"])
    func theFirstSignalEndsItAlthoughTheBrokerIsSilent(mode: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.inject(.silence, into: .apiVersions, times: 1000)
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers] + (mode == "-G" ? ["-G", "g", "t"] : [mode, "-t", "t"]))
            try await eventually("it waits") { try running.errors().hasPrefix("% ") }
            running.signal(SIGTERM)
            let result = try await running.result(timeout: .seconds(20))
            #expect(result.status == 0, "\(result.err)")
        }
    }

    @Test func theFirstSignalEndsTheWaitForATransactionToStart() async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.inject(.error(.coordinatorLoadInProgress), into: .initProducerID, times: 100_000)
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers, "-P", "-t", "t", "-X", "transactional.id=x"])
            try await eventually("the transaction is asked for") {
                fake.requests.contains { $0.api == .initProducerID }
            }
            running.signal(SIGINT)
            let result = try await running.result(timeout: .seconds(20))
            #expect(result.status == 74)
            #expect(result.err.contains("kafkawire: interrupted before the transaction began: nothing was sent\n"))
        }
    }

    @Test func workThatDoesNotEndAfterASignalIsAbandoned() async throws {
        try await withFake(topics: ["t"]) { fake in
            let session = try await ConnectionOptions(brokers: fake.bootstrapServers).session()
            let stop = StopSignal()
            let stubborn = StopSignal()
            stop.request()
            let failure = await #expect(throws: Failure.self) {
                try await session.run(until: stop, grace: .milliseconds(10), unfinished: "something is missing") {
                    await Task { await stubborn.wait() }.value
                }
            }
            #expect(failure?.status == .unavailable)
            #expect(failure?.sentence.hasSuffix("something is missing") == true)
            stubborn.request()
        }
    }

    @Test func aFailedDeliveryEndsItAlthoughTheInputStaysSilent() async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.createTopic("narrow", maximumMessageBytes: 1500)
            let folder = try TemporaryFolder()
            // The shell keeps the pipe open, so the program never sees its end.
            let script = """
                mkfifo "$2"; exec 3<> "$2"; { head -c 2000 /dev/zero; echo; } >&3
                exec "$0" -b "$1" -P -t narrow -l "$2"
                """
            let result = try await run(
                "/bin/bash",
                ["-c", script, try Repository.program("kafkawire"), fake.bootstrapServers, folder.path + "/pipe"])
            #expect(result.status == 69)
            #expect(result.err.contains("MESSAGE_TOO_LARGE"), "\(result.err)")
        }
    }

    @Test func aSignalEndsItWhileItOpensAPipeWithoutWriter() async throws {
        try await withFake(topics: ["t"]) { fake in
            let folder = try TemporaryFolder()
            let script = "mkfifo \"$2\"; exec \"$0\" -b \"$1\" -P -t t \"$2\""
            let running = try await RunningProgram.start(
                "/bin/bash",
                ["-c", script, try Repository.program("kafkawire"), fake.bootstrapServers, folder.path + "/pipe"])
            try await eventually("the topic is known") { fake.requests.contains { $0.api == .metadata } }
            running.signal(SIGINT)
            #expect(try await running.result(timeout: .seconds(20)).status == 0)
        }
    }

    @Test(arguments: ["<&-", ">&-", "2>&-"])
    func aClosedStandardStreamIsNotReplacedByAConnection(closed: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await run(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-tt"], input: "one\n")
            let result = try await run(
                "/bin/bash",
                ["-c", "\"$0\" -b $1 -C -e -t t \(closed)", try Repository.program("kafkawire"), fake.bootstrapServers])
            #expect(result.status == (closed == ">&-" ? 74 : 0), "\(result.err)")
            if closed != ">&-" { #expect(result.out == "one\n") }
        }
    }

    @Test func aFullDiskIsAnError() async throws {
        try await withFake(topics: ["t"]) { fake in
            _ = try await run(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-tt"], input: "one\n")
            for mode in ["-C -t t", "-C -e -u -t t", "-G g t -o beginning", "-L", "-Q -t t:0:5"] {
                let result = try await run(
                    "/bin/bash",
                    [
                        "-c", "\"$0\" -b $1 \(mode) > /dev/full", try Repository.program("kafkawire"),
                        fake.bootstrapServers,
                    ])
                #expect(result.status == 74, "\(mode): \(result.err)")
                #expect(result.err.contains("can't write to standard output: No space left on device"))
            }
            #expect((fake.committedOffset(group: "g", of: partition) ?? 0) == 0, "what isn't printed isn't committed")
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func aPatternReadsEveryTopicWithThePrefix(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            for topic in ["orders-a", "orders.b", "old-orders", "plain"] {
                fake.createTopic(topic)
                _ = try await run(
                    try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-t", topic],
                    input: "\(topic)\n")
            }
            let read = try await run(
                try Repository.program("kafkawire"),
                [
                    "-b", fake.bootstrapServers, "-G", "g", "^orders", "plain", "-qo", "beginning", "-e", "-X",
                    "group.protocol=\(protocolName)",
                ])
            #expect(read.status == 0, "\(read.err)")
            #expect(read.out.split(separator: "\n").sorted() == ["orders-a", "orders.b", "plain"])
        }
    }

    @Test func anOffsetBeyondTheEndWaitsForLaterRecords() async throws {
        try await withFake(topics: ["t"]) { fake in
            let program = try Repository.program("kafkawire")
            _ = try await run(program, ["-b", fake.bootstrapServers, "-P", "-tt"], input: "one\n")
            let running = try await RunningProgram.start(
                program, ["-b", fake.bootstrapServers, "-C", "-t", "t", "-o", "9223372036854775807", "-c", "1"])
            try await eventually("the end is found") {
                try running.errors().contains("% Reached end of topic t [0] at offset 1\n")
                    && fake.requests.contains { $0.api == .fetch }
            }
            try await eventually("records are sent until one is printed") {
                _ = try await run(program, ["-b", fake.bootstrapServers, "-P", "-tt"], input: "two\n")
                return try !running.output().isEmpty
            }
            #expect(try await running.result().out == "two\n")
        }
    }

    @Test func sendingCreatesAMissingTopicIfTheBrokerPermitsIt() async throws {
        try await withFake(topics: ["t"]) { fake in
            fake.setTopicCreation(true)
            let program = try Repository.program("kafkawire")
            let sent = try await run(program, ["-b", fake.bootstrapServers, "-P", "-t", "new"], input: "one\n")
            #expect(sent.status == 0, "\(sent.err)")
            #expect(try await run(program, ["-b", fake.bootstrapServers, "-Ceq", "-t", "new"]).out == "one\n")
            let read = try await run(program, ["-b", fake.bootstrapServers, "-Ceq", "-t", "newer"])
            #expect(read.status == 78)
            #expect(read.err.contains("kafkawire topics create newer"))
            let forbidden = try await run(
                program, ["-b", fake.bootstrapServers, "-P", "-t", "newest", "-X", "allow.auto.create.topics=false"],
                input: "one\n")
            #expect(forbidden.status == 78)
            #expect(try await run(program, ["topics", "list", "-b", fake.bootstrapServers]).out == "new\nt\n")
        }
    }

    @Test func sendingToAMissingTopicFailsIfTheBrokerDoesNotCreateIt() async throws {
        try await withFake(topics: ["t"]) { fake in
            let sent = try await run(
                try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-t", "new"], input: "one\n")
            #expect(sent.status == 78)
            #expect(sent.err.contains("kafkawire: the topic new does not exist"), "\(sent.err)")
            #expect(sent.err.contains("kafkawire topics create new"), "\(sent.err)")
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func aGroupReportsThatItWaitsForAMissingTopic(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers, "-qG", "g", "new", "-X", "group.protocol=\(protocolName)"])
            try await eventually("the missing topic is reported") { try running.errors().contains("topic new") }
            running.signal(SIGINT)
            #expect(try await running.result().status == 0)
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func aPatternThatMatchesNothingIsReported(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            let running = try await RunningProgram.start(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers, "-qG", "g", "^nomatch", "-X", "group.protocol=\(protocolName)"])
            try await eventually("the pattern is reported", timeout: .seconds(5)) {
                try running.errors().contains("no topic matches the pattern")
            }
            running.signal(SIGINT)
            #expect(try await running.result().status == 0)
        }
    }

    @Test(arguments: [["^nomatch"], ["missing"], ["^nomatch", "missing"]], ["classic", "consumer"])
    func withNothingToReadTheEndIsReachedImmediately(topics: [String], protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            let read = try await run(
                try Repository.program("kafkawire"),
                ["-b", fake.bootstrapServers, "-e", "-G", "g"] + topics + ["-X", "group.protocol=\(protocolName)"],
                timeout: .seconds(20))
            #expect(read.status == 78, "\(read.err)")
            #expect(read.err.contains("no topic exists that group g could read"), "\(read.err)")
            #expect(fake.state(ofGroup: "g") == "Empty", "the member has left")
        }
    }

    @Test(arguments: ["classic", "consumer"])
    func aMemberWithoutPartitionsHasNothingToWaitFor(protocolName: String) async throws {
        try await withFake(topics: ["t"]) { fake in
            let client = try KafkaClient(
                bootstrapServers: fake.bootstrapServers,
                properties: ["group.id": "g", "group.protocol": protocolName])
            let consumers = [client.consumer(), client.consumer()]
            var reading: [Task<Void, any Error>] = []
            for consumer in consumers {
                try await consumer.subscribe(to: .topics(["t"]))
                reading.append(Task { for try await _ in consumer {} })
            }
            try await eventually("both are members, and one has the partition") {
                var assigned = 0
                for consumer in consumers where !consumer.assignment.isEmpty { assigned += 1 }
                return consumers.allSatisfy { $0.state == .member } && assigned == 1
                    && fake.state(ofGroup: "g")?.lowercased() == "stable"
            }
            let now = ContinuousClock.now
            for consumer in consumers {
                let hasPartition = !consumer.assignment.isEmpty
                var absence = Absence(group: "g", subscription: .topics(["t"]), admin: client.admin)
                let member = consumer.groupMetadata?.memberID
                let first = try await absence.end(ofMember: member, now: now)
                let second = try await absence.end(ofMember: member, now: now + .seconds(9))
                #expect(first == nil && second == nil)
                let reason = try await absence.end(ofMember: member, now: now + .seconds(10))
                #expect((reason == nil) == hasPartition, "the coordinator assigns the partition to one member")
                // An assignment in between restarts the wait.
                let between = try await absence.end(ofMember: nil, now: now + .seconds(30))
                let anew = try await absence.end(ofMember: member, now: now + .seconds(31))
                #expect(between == nil && anew == nil)
            }
            for consumer in consumers { await consumer.close() }
            await client.close()
        }
    }
}
