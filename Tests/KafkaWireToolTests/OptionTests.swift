import CommandLineSupport
import KafkaWire
import Testing

@testable import KafkaWireTool

@Suite("Options")
struct OptionTests {
    private func parse(_ arguments: String..., isInputTerminal: Bool = false) throws -> MessageOptions {
        try MessageOptions(arguments, isInputTerminal: isInputTerminal)
    }

    @Test func bundledAndAttachedOptionsAreTheSameAsApart() throws {
        let apart = try parse("-C", "-J", "-e", "-t", "TFI", "-o", "-5", "-b", "localhost:9092", "-p", "3")
        #expect(try parse("-CJetTFI", "-o-5", "-blocalhost:9092", "-p3") == apart)
        #expect(
            try parse("-CJe", "--topic=TFI", "--offset", "-5", "--bootstrap-servers=localhost:9092", "-p3") == apart)
        #expect(apart.mode == .consume)
        #expect(apart.isJSON)
        #expect(apart.exitsAtEnd)
        #expect(apart.topics == ["TFI"])
        #expect(apart.begin == .last(5))
        #expect(apart.partition == 3)
        #expect(apart.connection.brokers == "localhost:9092")
    }

    @Test func withoutAModeATerminalReadsAndAPipeSends() throws {
        #expect(try parse("-t", "t", isInputTerminal: true).mode == .consume)
        #expect(try parse("-t", "t", isInputTerminal: false).mode == .produce)
        #expect(try parse("-L", isInputTerminal: false).mode == .list)
    }

    @Test(arguments: [
        ("beginning", ReadBegin.beginning), ("end", .end), ("0", .offset(0)), ("17", .offset(17)), ("-3", .last(3)),
        ("s@1700000000000", .timestamp(1_700_000_000_000)),
    ])
    func places(text: String, place: ReadBegin) throws {
        #expect(try parse("-C", "-t", "t", "-o", text).begin == place)
    }

    @Test func beginAndEndByTime() throws {
        let options = try parse("-C", "-t", "t", "-o", "s@100", "-o", "e@200")
        #expect(options.begin == .timestamp(100))
        #expect(options.endTimestamp == 200)
    }

    @Test func whatIsSent() throws {
        let options = try parse(
            "-P", "-t", "t", "-K", "\\t", "-H", "a=b=c", "-H", "none", "-H", "empty=", "-z", "zstd", "-Z", "-D",
            "\\x00",
            "-X", "transactional.id=x", "-X", "linger.ms=")
        #expect(options.keySeparator == [9])
        #expect(options.delimiter == [0])
        #expect(options.codec == "zstd")
        #expect(options.emptyIsNull)
        #expect(options.headers.map(\.name) == ["a", "none", "empty"])
        #expect(options.headers.map(\.value) == [Array("b=c".utf8), nil, []])
        #expect(options.connection.properties == ["transactional.id": "x", "linger.ms": ""])
    }

    @Test func aGroupHasItsTopicsBehindIt() throws {
        let options = try parse("-G", "g", "-b", "h:1", "t", "u", "-q")
        #expect(options.mode == .group("g"))
        #expect(options.operands == ["t", "u"])
        #expect(options.isQuiet)
    }

    @Test func operandsAfterTwoDashes() throws {
        #expect(try parse("-P", "-t", "t", "--", "-file").operands == ["-file"])
    }

    @Test(arguments: [
        (["-C"], "one topic is wanted: -t TOPIC"),
        (["-C", "-P", "-t", "t"], "-L, -P, -C, -G and -Q exclude each other: give one of them"),
        (["-C", "-t", "t", "-o", "soon"], "-o expects"), (["-C", "-t", "t", "-c", "0"], "-c expects"),
        (["-C", "-t", "t", "-p", "x"], "-p expects"), (["-C", "-t"], "-t expects a value, and nothing follows"),
        (["-C", "-t", "t", "-y"], "there is no option -y"), (["-C", "-t", "t", "--nope"], "there is no option --nope"),
        (["-C", "-t", "t", "-X", "name"], "-X expects NAME=VALUE"), (["-G", "g"], "-G wants the topics"),
        (["-Q"], "-Q wants to know"), (["-C", "-t", "t", "-J", "-f", "%s"], "-f and -J exclude each other"),
        (["-C", "-t", "t", "u"], "'u' is unexpected"), (["-P", "-t", "t", "-H", "=x"], "-H expects"),
        (["-C", "-t", "t", "-K", "\\q"], "-K knows"), (["-C", "-t", "t", "-o", "s@-1"], "-o expects"),
        (["-C", "-t", "t", "-o", "e@-1"], "-o expects"),
        (["-G", "g", "t", "-o", "5"], "-o can be beginning or end alone"),
        (["-G", "g", "t", "-o", "e@5"], "-o can be beginning or end alone"),
        (["-G", "g", "t", "-p", "1"], "-p has no place there"),
    ])
    func refusals(arguments: [String], sentence: String) {
        let failure = #expect(throws: Failure.self) { try MessageOptions(arguments, isInputTerminal: true) }
        #expect(failure?.status == .usage)
        #expect(failure?.sentence.contains(sentence) == true, "\(failure?.sentence ?? "")")
    }

    @Test func aPasswordIsNotRepeated() {
        let failure = #expect(throws: Failure.self) {
            try MessageOptions(["-C", "-t", "t", "-X", "=secret"], isInputTerminal: true)
        }
        #expect(failure?.sentence.contains("secret") == false)
    }

    @Test(arguments: [
        ("t:0:5", "t", Int32(0), "5"), ("a.b-c:12:@99", "a.b-c", 12, "@99"), ("t:1:x:y", "t", 1, "x:y"),
    ])
    func placesInPartitions(text: String, topic: String, partition: Int32, rest: String) throws {
        let parsed = try #require(PartitionText.parse(text))
        #expect(parsed.0.topic == topic)
        #expect(parsed.0.partition == partition)
        #expect(parsed.rest == rest)
    }

    @Test func placesOfGroupsAndRecords() {
        #expect(GroupCommands.place("beginning") == .earliest)
        #expect(GroupCommands.place("end") == .latest)
        #expect(GroupCommands.place("5") == .offset(5))
        #expect(GroupCommands.place("@5") == .timestamp(5))
        for text in ["-1", "@-1", "@-2", "@", "", "soon"] { #expect(GroupCommands.place(text) == nil, "\(text)") }
    }

    @Test(arguments: ["t", "t:0", ":0:5", "t:-1:5", "t:x:5"])
    func noPlaces(text: String) {
        #expect(PartitionText.parse(text) == nil)
    }
}
