import CommandLineSupport
import Testing

/// A program with one option of each kind.
enum Sample {
    static let topic = Option("topic", .string, default: "TFI", help: "The topic.")
    static let partitions = Option("partitions", .int(1...1000), default: 4, help: "How many.")
    static let rate = Option(optional: "rate", .double(upTo: 1e7), help: "Messages a second.")
    static let interval = Option("batch-age", .duration(), default: .milliseconds(50), help: "The time between.")
    static let properties = Option(repeated: "property", .property, help: "A setting.")
    static let verbose = Option(flag: "verbose", help: "Says more.")

    static let run = Command(
        name: "run", abstract: "runs", discussion: ["A paragraph that describes it."],
        options: [topic, partitions, rate, interval, properties, verbose]
    ) { _ in }
    static let status = Command(name: "status", abstract: "shows", options: [topic]) { _ in }
    static let program = Program(
        name: "sample", version: "1.2.3", abstract: "A sample.", commands: [run, status])

    static func options(_ arguments: [String], environment: [String: String] = [:]) throws -> ParsedOptions {
        switch try program.parse(["run"] + arguments, environment: environment) {
        case .run(_, let options): return options
        case .text: throw Failure("a text was asked for", status: .internalError)
        }
    }
}

@Suite struct OptionTests {
    @Test func defaultsApplyIfNothingIsGiven() throws {
        let options = try Sample.options([])
        #expect(options[Sample.topic] == "TFI")
        #expect(options[Sample.partitions] == 4)
        #expect(options[Sample.rate] == nil)
        #expect(options[Sample.interval] == .milliseconds(50))
        #expect(options[Sample.properties].isEmpty)
        #expect(!options[Sample.verbose])
        #expect(!options.isGiven(Sample.topic))
    }

    @Test func valuesFollowAnOptionOrAnEqualsSign() throws {
        let options = try Sample.options(["--topic", "a", "--partitions=7", "--rate", "2.5", "--verbose"])
        #expect(options[Sample.topic] == "a")
        #expect(options[Sample.partitions] == 7)
        #expect(options[Sample.rate] == 2.5)
        #expect(options[Sample.verbose])
        #expect(options.isGiven(Sample.topic))
    }

    @Test func theLastOfSeveralCounts() throws {
        #expect(try Sample.options(["--topic", "a", "--topic=b"])[Sample.topic] == "b")
    }

    @Test func propertiesRepeat() throws {
        let options = try Sample.options([
            "--property", "client.id=a", "--property=sasl.config=x=y;z", "--property", "e=",
        ])
        #expect(options[Sample.properties].map(\.name) == ["client.id", "sasl.config", "e"])
        #expect(options[Sample.properties].byName == ["client.id": "a", "sasl.config": "x=y;z", "e": ""])
    }

    @Test(arguments: [
        ("50ms", Duration.milliseconds(50)), ("2s", .seconds(2)), ("1m", .seconds(60)), ("1.5h", .seconds(5400)),
        ("0.2ms", .microseconds(200)),
    ])
    func durations(text: String, duration: Duration) throws {
        #expect(try Sample.options(["--batch-age", text])[Sample.interval] == duration)
    }

    @Test func environmentReplacesTheCommandLine() throws {
        let environment = [
            "TFI_TOPIC": "from-environment", "TFI_BATCH_AGE": "3s", "TFI_VERBOSE": "true", "TFI_PARTITIONS": "",
            "TFI_PROPERTY": "a=1\nb=2", "TOPIC": "other",
        ]
        let options = try Sample.options(["--topic", "given"], environment: environment)
        #expect(options[Sample.topic] == "given")
        #expect(options[Sample.interval] == .seconds(3))
        #expect(options[Sample.verbose])
        #expect(options[Sample.partitions] == 4)
        #expect(options[Sample.properties].byName == ["a": "1", "b": "2"])
        #expect(try Sample.options([], environment: environment)[Sample.topic] == "from-environment")
        #expect(try !Sample.options([], environment: ["TFI_VERBOSE": "false"])[Sample.verbose])
    }

    @Test func requiredAndExclusiveOptions() throws {
        let none = try Sample.options([])
        #expect(throws: Failure("--rate is missing: give it, or TFI_RATE in the environment", status: .usage)) {
            try none.required(Sample.rate)
        }
        let both = try Sample.options(["--rate", "1", "--batch-age", "1s"])
        #expect(try both.required(Sample.rate) == 1)
        try none.checkExclusive(Sample.rate, Sample.interval)
        #expect(throws: Failure("--rate and --batch-age exclude each other: give one of them", status: .usage)) {
            try both.checkExclusive(Sample.rate, Sample.interval)
        }
    }
}

@Suite struct WrongUseTests {
    private func failure(_ arguments: [String], environment: [String: String] = [:]) -> Failure? {
        do throws(Failure) {
            _ = try Sample.program.parse(arguments, environment: environment)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        (["--topi", "a"], "there is no option --topi: did you mean --topic?"),
        (["--tpoic", "a"], "there is no option --tpoic: did you mean --topic?"),
        (["--batch", "1s"], "there is no option --batch: did you mean --batch-age?"),
        (["-topic", "a"], "there is no option -topic: did you mean --topic?"),
        (["--xyzzy=secret"], "there is no option --xyzzy"),
        (["--topic"], "--topic expects a value that isn't empty, and nothing follows"),
        (["--topic", "--verbose"], "--topic expects a value that isn't empty, and nothing follows"),
        (["--topic="], "--topic expects a value that isn't empty"),
        (["--verbose=true"], "--verbose takes no value"),
        (["--partitions", "0"], "--partitions expects a whole number from 1 to 1000"),
        (["--partitions", "4x"], "--partitions expects a whole number from 1 to 1000"),
        (["--rate", "-1"], "--rate expects a number above 0, up to 10000000"),
        (["--rate", "nan"], "--rate expects a number above 0, up to 10000000"),
        (["--property", "password"], "--property expects name=value, such as client.id=press-3"),
        (["--property", "=x"], "--property expects name=value, such as client.id=press-3"),
        (
            ["--rate", "1", "--verbose", "a.csv"],
            "the 5th argument is unexpected (not shown, it may hold a secret); options begin with --"
        ),
        (["a.csv"], "the 2nd argument is unexpected (not shown, it may hold a secret); options begin with --"),
    ])
    func isToldInOneSentence(arguments: [String], sentence: String) {
        let failure = failure(["run"] + arguments)
        #expect(failure == Failure(sentence, status: .usage, hint: "see 'sample run --help'"))
    }

    @Test(arguments: [
        ["run", "postgresql://u:sesame@h/db"], ["postgresql://u:sesame@h/db"], ["run", "-postgresql://u:sesame@h/db"],
        ["run", "--postgresql://u:sesame@h/db"], ["run", "--rate", "postgresql://u:sesame@h/db"],
        ["run", "--partitions=host=h password=sesame"], ["run", "sesame"], ["sesame"], ["run", "--rate", "sesame"],
        ["-b\u{301}:sesame@h"], ["run", "sesame\u{301}"],
    ])
    func possiblePasswordsAreNeverRepeated(arguments: [String]) {
        let failure = failure(arguments)
        #expect(failure?.status == .usage)
        #expect(failure?.sentence.contains("sesame") == false, "\(failure?.sentence ?? "")")
        #expect(failure?.sentence.utf8.contains("@".utf8.first ?? 0) == false)
    }

    @Test(arguments: ["50", "1 s", "ms", "-1s", "1d", "0s", "1e3s", "25h", "infs"])
    func invalidDurations(text: String) {
        #expect(
            failure(["run", "--batch-age", text])?.sentence.contains("such as 50ms, 2s or 1m") == true)
    }

    @Test func namesTheWrongEnvironmentVariable() {
        let sentence = "TFI_PARTITIONS in the environment expects a whole number from 1 to 1000"
        #expect(failure(["run"], environment: ["TFI_PARTITIONS": "many"])?.sentence == sentence)
    }

    @Test func commands() {
        #expect(failure([])?.sentence == "a command is missing: one of run, status")
        #expect(failure(["statsu"])?.sentence == "the first argument is not a command; did you mean 'status'?")
        #expect(failure(["fly"])?.sentence == "the first argument is not a command; use one of run, status")
        #expect(failure(["--topic", "a"])?.sentence.contains("command must come first") == true)
        #expect(failure(["fly"])?.hint == "see 'sample --help'")
    }
}
