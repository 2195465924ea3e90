import CommandLineSupport
import Testing

@Suite struct ShownArgumentTests {
    @Test(arguments: [
        ("orders", "orders"), ("/data/day.csv", "/data/day.csv"), ("a b", "a b"),
        ("postgresql://u:sesame@h/db", "(not shown, it may hold a secret)"),
        ("sesame@\u{301}h", "(not shown, it may hold a secret)"),
        ("host=h PASSWORD=sesame", "(not shown, it may hold a secret)"),
    ])
    func aNameIsShownUnlessItMayHoldASecret(text: String, shown: String) {
        #expect(ShownArgument.name(text) == shown)
    }

    @Test func aGroupMayHaveAnyNameButAnAddress() {
        for name in ["g", "it's another", "alice@team", "a:b"] { #expect(KafkaName.isGroup(name)) }
        for name in ["", "postgresql://u:sesame@h/db", "u:sesame@h", "u:\u{301}sesame@\u{301}h"] {
            #expect(!KafkaName.isGroup(name), "\(name)")
        }
    }

    @Test func topicsHaveTheNamesThatBrokersAccept() {
        for name in ["TFI", "a.b_c-1", String(repeating: "x", count: 249)] { #expect(KafkaName.isTopic(name)) }
        for name in ["", ".", "..", "a b", "a/b", "é", String(repeating: "x", count: 250)] {
            #expect(!KafkaName.isTopic(name), "\(name)")
        }
    }

    @Test func ordinals() {
        #expect(
            [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(Numbers.ordinal) == [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
            ])
    }
}

@Suite struct SecretFilterTests {
    private func filtered(_ text: String, _ arguments: [String], environment: [String: String] = [:]) -> String {
        let filter = SecretFilter()
        filter.hide(arguments, environment: environment)
        return filter.removed(from: text)
    }

    @Test(arguments: [
        (["--topic", "postgresql://u:sesame@h/db"], "sesame"), (["--topic=postgresql://u:sesame@h/db"], "sesame"),
        (["-X", "a=u:sesame@h"], "u:sesame@h"), (["-X", "sasl.password=sesame"], "sesame"),
        (["--property=sasl.password=sesame"], "sesame"), (["-b", "h:1,u:sesame@h:2"], "sesame"),
        (["-X", "sasl.jaas.config=a sesame b"], "a sesame b"),
        (["run", "postgresql://u:sesame@h/db"], "postgresql://u:sesame@h/db"),
    ])
    func repeatedSecretsAreRemoved(arguments: [String], repeated: String) {
        #expect(filtered("invalid: \(repeated)!", arguments) == "invalid: (not shown, it may hold a secret)!")
    }

    @Test func theEnvironmentOfOptionsCountsToo() {
        let environment = ["TFI_DATABASE": "postgresql://u:sesame@h/db", "OTHER": "u:open@h"]
        #expect(!filtered("about sesame", [], environment: environment).contains("sesame"))
        #expect(filtered("about open", [], environment: environment) == "about open")
    }

    @Test func otherArgumentsStay() {
        let text = "the topic orders of h:9092 does not exist at s@1700000000000"
        #expect(filtered(text, ["-C", "-t", "orders", "-b", "h:9092", "-X", "client.id=orders", "-p", "1"]) == text)
    }
}

@Suite struct WaitReporterTests {
    @Test func aReasonIsRepeatedAtGrowingIntervals() {
        var reporter = WaitReporter()
        let start = ContinuousClock.now
        let due = (0...200).filter { reporter.isDue("refused", at: start + .seconds($0)) }
        #expect(due == [0, 1, 3, 7, 15, 31, 63, 123, 183])
    }

    @Test func aNewReasonIsReportedAtOnceAndOnlyOnce() {
        var reporter = WaitReporter()
        let now = ContinuousClock.now
        let due = ["refused", "starting up", "refused", "starting up"].map { reporter.isDue($0, at: now) }
        #expect(due == [true, true, false, false])
        // Reasons with a number that changes each time don't flood the terminal.
        let reported = (0..<100).count { reporter.isDue("attempt \($0)", at: now) }
        #expect(reported == 6)
    }

    @Test func aReasonThatComesBackIsReportedAgain() {
        var reporter = WaitReporter()
        let start = ContinuousClock.now
        for second in 0...100 { _ = reporter.isDue("refused", at: start + .seconds(second)) }
        let due = [("starting up", 101), ("refused", 124), ("starting up", 125)].map {
            reporter.isDue($0.0, at: start + .seconds($0.1))
        }
        #expect(due == [true, true, true])
        // Two alternating reasons don't flood the terminal.
        let count = (200..<800).count { second in
            ["refused", "starting up"].contains { reporter.isDue($0, at: start + .seconds(second)) }
        }
        #expect(count < 40)
    }

    @Test func aSuccessIsReportedAfterAReportOnly() {
        var reporter = WaitReporter()
        let first = reporter.succeeded()
        #expect(!first)
        _ = reporter.isDue("refused", at: .now)
        let after = [reporter.succeeded(), reporter.succeeded(), reporter.isDue("refused", at: .now)]
        #expect(after == [true, false, true])
    }
}
