import KafkaFake
import TestSupport
import Testing

/// Errors do not repeat a connection URI or password that is misplaced on the command line.
@Suite("Secrets on the command line", .timeLimit(.minutes(2)))
struct SecretTests {
    private static let uri = "postgresql://u:s3cret@h/db"
    private static let word = "s3cret-pw"

    private func expectSilence(_ program: String, _ arguments: [String], mustFail: Bool = true) async throws {
        let result = try await run(try Repository.program(program), arguments)
        #expect(!(result.out + result.err).contains("s3cret"), "\(arguments): \(result.out)\(result.err)")
        if mustFail { #expect(result.status != 0, "\(arguments): \(result.out)") }
    }

    private static let messageModes: [[String]] = [
        [uri], ["-L", uri], ["-L", "-t", uri], ["-C", "-t", uri], ["-P", "-t", uri], ["-Q", "-t", uri],
        ["-Q", "-t", "\(uri):0:5"], ["-Q", "-t", "t:0:\(uri)"], ["-G", uri, "t"], ["-G", "g", uri],
        ["-G", "g", "^\(uri)"],
        ["-G", "g", "^(\(uri)"], ["-C", "-t", "t", uri], ["-C", "-t", "t", "-p", uri], ["-C", "-t", "t", "-o", uri],
        ["-C", "-t", "t", "-c", uri], ["-L", "-F", uri], ["-L", "-X", uri], ["-L", "-X", "\(uri)=1"],
        ["-L", "-X", "acks=\(uri)"], ["-L", "-b", uri], ["-P", "-t", "t", "-z", uri], ["-P", "-t", "t", "-l", uri],
        ["-P", "-t", "t", uri], ["-P", "-t", "t", "-H", "=\(uri)"], ["-P", "-t", "t", "-K", "\\q\(uri)"],
        ["-L", "--\(uri)"], ["-L", "--nope=\(uri)"], ["-L", "-\(uri)"],
        ["-L", "-X", "security.protocol=SSL", "-X", "ssl.truststore.type=PEM", "-X", "ssl.truststore.location=\(uri)"],
        ["-L", "-X", "security.protocol=SSL", "-X", "ssl.keystore.type=PEM", "-X", "ssl.keystore.location=\(uri)"],
        ["-L", "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=\(uri)"],
        ["-C", "-t", "t", "-X", "sasl.password=my", word], ["-L", "-b", "alice:s3cret"], ["-L", "-X", "acks=\(word)"],
        ["-L", "-X", "linger.ms=\(word)"], ["-L", "-X", "partition.assignment.strategy=\(word)"],
        ["-C", "-t", "t", "-c", word], ["-C", "-t", "t", "-p", word], ["-C", "-t", "t", "-o", word],
        ["-L", "-X", "security.protocol=\(word)"], ["-P", "-t", "t", "-z", word], ["-L", word],
    ]

    @Test(arguments: messageModes) func kafkawireDoesNotRepeatSecrets(arguments: [String]) async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        try await expectSilence("kafkawire", ["-b", fake.bootstrapServers] + arguments)
        await fake.close()
    }

    private static let administration: [[String]] = [
        ["topics", uri], ["topics", word], ["topics", "list", uri], ["topics", "list", word],
        ["topics", "describe", uri],
        ["topics", "create", uri], ["topics", "create", "n", "--partitions", uri],
        ["topics", "create", "n", "--partitions", word], ["topics", "create", "n", "--config", uri],
        ["topics", "create", "n", "--config", "retention.ms=\(uri)"],
        ["topics", "create", "n", "--config", "\(uri)=1"],
        ["topics", "add-partitions", uri, "3"], ["topics", "add-partitions", "t", uri], ["topics", "delete", uri],
        ["topics", "list", "--\(uri)"], ["configs", "describe", uri], ["configs", "describe", word],
        ["configs", "describe", "topic:\(uri)"], ["configs", "describe", "group:\(uri)"],
        ["configs", "describe", "broker:\(uri)"], ["configs", "alter", uri, "--set", "a=1"],
        ["configs", "alter", "topic:t", "--set", "retention.ms=\(uri)"], ["configs", "alter", "topic:t", "--set", uri],
        ["configs", "alter", "topic:t", "--delete", uri], ["configs", "alter", "topic:t", "--append", "\(uri)=1"],
        ["groups", "describe", uri], ["groups", "offsets", uri], ["groups", "delete", uri],
        ["groups", "set-offsets", uri, "t:0:0"], ["groups", "set-offsets", "g", uri],
        ["groups", "set-offsets", "g", "\(uri):0:0"], ["groups", "set-offsets", "g", "a@s3cret:0:0"],
        ["groups", "set-offsets", "g", "t:0:\(uri)"], ["groups", "set-offsets", "g", word],
        ["groups", "delete-offsets", uri, "t:0"], ["groups", "delete-offsets", "g", uri],
        ["groups", "delete-offsets", "g", word], ["records", "offsets", uri], ["records", "delete", uri],
        ["records", "delete", "t:0:\(uri)"], ["records", "delete", word], ["cluster", "describe", uri],
        ["cluster", "describe", word], ["topics", "list", "-F", uri], ["topics", "list", "-X", "acks=\(word)"],
    ]

    @Test(arguments: administration) func administrationDoesNotRepeatSecrets(arguments: [String]) async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        try await expectSilence("kafkawire", arguments + ["-b", fake.bootstrapServers])
        await fake.close()
    }

    private static let silentSecurity = [
        "--property", "security.protocol=SSL", "--property", "ssl.truststore.type=PEM",
    ]
    private static let plant: [[String]] = [
        ["tfi-consumer", uri], ["tfi-consumer", word], ["tfi-consumer", "help", uri], ["tfi-consumer", "run", uri],
        ["tfi-consumer", "run", word], ["tfi-consumer", "run", "--\(uri)"], ["tfi-consumer", "run", "--topic", uri],
        ["tfi-consumer", "run", "--group", uri], ["tfi-consumer", "run", "--schema", uri],
        ["tfi-consumer", "run", "--config", uri], ["tfi-consumer", "run", "--property", uri],
        ["tfi-consumer", "run", "--property", "acks=\(uri)"], ["tfi-consumer", "run", "--property", "acks=\(word)"],
        ["tfi-consumer", "run", "--bootstrap-servers", uri],
        ["tfi-consumer", "run", "--bootstrap-servers", "alice-s3cret"],
        ["tfi-consumer", "run", "--bootstrap-servers", "h:1", "--database", "s3cret@h/db"],
        ["tfi-consumer", "run", "--bootstrap-servers", "h:1", "--database", "postgresql://u:s3cret@127.0.0.1:1/db"],
        ["tfi-consumer", "init", "--schema", uri],
        ["tfi-consumer", "init", "--database", "postgresql://u:s3cret@127.0.0.1:1/db"],
        ["tfi-consumer", "console", "--topic", uri],
        ["tfi-consumer", "mapping", "--schema", uri], ["tfi-consumer", "infer", "--table", uri],
        ["tfi-consumer", "infer", "--format", uri], ["tfi-consumer", "check", "--mapping", uri],
        ["tfi-consumer", "check", "--table", uri], ["tfi-consumer", "check", "--from", word],
        ["tfi-consumer", "console", "--property", "ssl.truststore.location=\(uri)"] + silentSecurity,
        ["tfi-producer", uri], ["tfi-producer", "replay", uri],
        ["tfi-producer", "replay", "--units", uri, "--concerns", uri],
        ["tfi-producer", "replay", "--interval", uri], ["tfi-producer", "replay", "--interval", word],
        ["tfi-producer", "generate", "--records", uri], ["tfi-producer", "generate", "--records", "1", "--topic", uri],
        ["tfi-producer", "generate", "--records", "1", "--config", uri],
        ["tfi-producer", "fake-broker", "--port", uri],
    ]

    @Test(arguments: plant) func tfiProgramsDoNotRepeatSecrets(arguments: [String]) async throws {
        try await expectSilence(arguments[0], Array(arguments.dropFirst()))
    }

    @Test(arguments: ["TFI_TOPIC", "TFI_GROUP", "TFI_CONFIG", "TFI_PROPERTY", "TFI_BOOTSTRAP_SERVERS", "TFI_SCHEMA"])
    func errorsDoNotRepeatEnvironmentVariables(variable: String) async throws {
        let result = try await run(
            try Repository.program("tfi-consumer"), ["run"], environment: [variable: Self.uri])
        #expect(result.status != 0)
        #expect(!(result.out + result.err).contains("s3cret"), "\(result.err)")
    }
}
