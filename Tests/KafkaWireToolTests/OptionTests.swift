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
        ("9223372036854775807", .offset(.max)), ("-9223372036854775807", .last(.max)),
        ("s@9223372036854775807", .timestamp(.max)),
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

    @Test func optionsOfProducedRecords() throws {
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
        #expect(
            options.connection.settings == [
                Setting(name: "transactional.id", value: "x"), Setting(name: "linger.ms", value: ""),
            ])
    }

    @Test func anEmptyFixedKeyIsNullWithZ() throws {
        #expect(MessageShape(try parse("-P", "-t", "t", "-k", "", "-Z")).fixedKey == nil)
        #expect(MessageShape(try parse("-P", "-t", "t", "-k", "")).fixedKey == [])
        #expect(MessageShape(try parse("-P", "-t", "t", "-k", "x", "-Z")).fixedKey == [UInt8(ascii: "x")])
    }

    @Test func aTopicThatBeginsWithACaretMatchesAnyPartOfAName() throws {
        func matching(_ topics: String...) throws -> [String] {
            guard case .pattern(let text) = try TopicArguments.subscription(topics) else { return [] }
            let regex = try Regex(text)
            let names = ["orders", "orders-eu", "old-orders", "a.b", "aXb", "ab"]
            return names.filter { $0.wholeMatch(of: regex) != nil }
        }
        #expect(try matching("^orders") == ["orders", "orders-eu"])
        #expect(try matching("^orders$") == ["orders"])
        #expect(try matching("^orders-|^old") == ["orders-eu", "old-orders"])
        #expect(try matching("^.*orders$", "a.b") == ["orders", "old-orders", "a.b"])
        #expect(try matching("^a", "^old") == ["old-orders", "a.b", "aXb", "ab"])
        #expect(try TopicArguments.subscription(["orders", "a.b"]) == .topics(["orders", "a.b"]))
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
        (["-C"], "exactly one topic is expected: -t TOPIC"),
        (["-C", "-P", "-t", "t"], "-L, -P, -C, -G and -Q exclude each other: give one of them"),
        (["-C", "-t", "t", "-o", "soon"], "-o expects"), (["-C", "-t", "t", "-c", "0"], "-c expects"),
        (["-C", "-t", "t", "-p", "x"], "-p expects"), (["-C", "-t"], "-t expects a value, and nothing follows"),
        (["-C", "-t", "t", "-y"], "there is no option -y"),
        (["-C", "-t", "t", "--nope"], "there is no option --nope"),
        (["-C", "-t", "t", "-X", "name"], "-X expects NAME=VALUE"), (["-G", "g"], "-G expects the topics"),
        (["-Q"], "-Q expects a partition and a time"),
        (["-C", "-t", "t", "-J", "-f", "%s"], "-f and -J exclude each other"),
        (["-C", "-t", "t", "u"], "the 4th argument is unexpected (not shown, it may hold a secret); give the topic"),
        (["-P", "-t", "t", "-H", "=x"], "-H expects"),
        (["-C", "-t", "t", "-K", "\\q"], "-K has an unknown escape"), (["-C", "-t", "t", "-o", "s@-1"], "-o expects"),
        (["-C", "-t", "t", "-o", "e@-1"], "-o expects"),
        (["-G", "g", "t", "-o", "5"], "-o can only be beginning, end or stored"),
        (["-G", "g", "t", "-o", "e@5"], "-o can only be beginning, end or stored"),
        (["-G", "g", "t", "-p", "1"], "-p can't be used with -G"),
        (["-C", "-t", "t", "-o", "-9223372036854775808"], "-o expects"),
        (["-C", "-t", "t", "-c", "9223372036854775808"], "-c expects"),
        (["-C", "-t", "t", "-p", "2147483648"], "-p expects"),
        (["-C", "-t", ""], "'' cannot be a topic's name"),
        (["-P", "-t", "a b"], "'a b' cannot be a topic's name"),
        (["-G", "", "t"], "-G expects a group's name"),
        (["-G", "g", "a/b"], "'a/b' cannot be a topic's name"),
        (["-G", "g", "^(a"], "'^(a' is not a valid regular expression"), (["-Q", "-t", "t:0"], "-t expects"),
        (["-Q", "-t", "t:0:5", "u"], "the 4th argument is unexpected"),
        (["-C", "-t", "t", "-f", "%x"], "-f has a percent sign"),
        (["-C", "-t", "t", "-k", "x"], "-k has no effect with -C: it belongs to -P"),
        (["-P", "-t", "t", "-e"], "-e has no effect with -P: it belongs to -C, -G"),
        (["-L", "-c", "5"], "-c has no effect with -L"), (["-Q", "-t", "t:0:5", "-J"], "-J has no effect with -Q"),
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
        #expect(GroupCommands.place("@5") == .timestamp(KafkaTimestamp(millisecondsSince1970: 5)))
        for text in ["-1", "@-1", "@-2", "@", "", "soon"] { #expect(GroupCommands.place(text) == nil, "\(text)") }
    }

    @Test(arguments: ["t", "t:0", ":0:5", "t:-1:5", "t:x:5"])
    func noPlaces(text: String) {
        #expect(PartitionText.parse(text) == nil)
    }
}
