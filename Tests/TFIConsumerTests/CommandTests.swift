import CommandLineSupport
import Foundation
import IngestEngine
import KafkaWire
import PGWire
import Testing

@testable import TFIConsumer

@Suite("Summary")
struct SummaryTests {
    private func totals() -> IngestTotals.Snapshot {
        var totals = IngestTotals.Snapshot()
        totals.records = 3
        totals.tables = ["ucp", "uc"]
        totals.rowsByTable = ["ucp": 2]
        totals.deadLetters = 1
        totals.messageBytes = 400
        totals.batches = 1
        return totals
    }

    @Test func jsonHasTheDocumentedFields() throws {
        let summary = RunSummary(totals(), seconds: 0.5)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(summary.json.text.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "records", "rows", "dead_letters", "suppressed_rows", "bytes", "seconds", "batches", "rows_per_second",
                "max_rss_mb",
            ])
        #expect(object["records"] as? Int == 3)
        #expect(object["rows"] as? [String: Int] == ["ucp": 2, "uc": 0])
        #expect(object["dead_letters"] as? Int == 1)
        #expect(object["bytes"] as? Int == 400)
        #expect(object["seconds"] as? Double == 0.5)
        #expect(object["batches"] as? Int == 1)
        #expect(object["rows_per_second"] as? Double == 4)
        #expect(try #require(object["max_rss_mb"] as? Double) > 1)
        #expect(!summary.json.text.contains("\n"))
    }

    @Test func sentenceCountsRowsByTable() {
        let sentence = RunSummary(totals(), seconds: 0.5).sentence
        #expect(sentence.contains("3 records: 2 rows (2 in ucp, 0 in uc), 1 dead letters"))
    }

    @Test func emptyRunHasNoRate() {
        let text = RunSummary(IngestTotals.Snapshot(), seconds: 0).json.text
        #expect(text.contains("\"rows_per_second\":0"))
    }
}

@Suite("Command line")
struct CommandLineTests {
    static let program = Program(
        name: "tfi-consumer", version: "0", abstract: "",
        commands: [InitCommand.command, RunCommand.command, StatusCommand.command, ConsoleCommand.command])

    private func options(_ arguments: [String], environment: [String: String] = [:]) throws -> ParsedOptions {
        guard case .run(_, let options) = try Self.program.parse(arguments, environment: environment) else {
            throw Failure("no command", status: .internalError)
        }
        return options
    }

    @Test func defaults() throws {
        let options = try options(["run"])
        #expect(options[CommonOptions.bootstrapServers] == "localhost:9092")
        #expect(options[CommonOptions.topic] == "TFI")
        #expect(options[ConsumerOptions.group] == "tfi-consumer")
        #expect(options[ConsumerOptions.schema] == "workshop")
        #expect(options[ConsumerOptions.database] == nil)
        #expect(!options[ConsumerOptions.untilCaughtUp])
    }

    @Test func environmentSetsOptionsMissingOnTheCommandLine() throws {
        let environment = [
            "TFI_BOOTSTRAP_SERVERS": "a:1", "TFI_TOPIC": "other", "TFI_GROUP": "g", "TFI_SCHEMA": "s",
            "TFI_DATABASE": "postgresql://h/d", "TFI_UNTIL_CAUGHT_UP": "1", "TFI_SUMMARY_JSON": "1",
        ]
        let options = try options(["run", "--topic", "mine"], environment: environment)
        #expect(options[CommonOptions.bootstrapServers] == "a:1")
        #expect(options[CommonOptions.topic] == "mine")
        #expect(options[ConsumerOptions.group] == "g")
        #expect(options[ConsumerOptions.schema] == "s")
        #expect(options[ConsumerOptions.database] == "postgresql://h/d")
        #expect(options[ConsumerOptions.untilCaughtUp])
        #expect(options[CommonOptions.summaryJSON])
    }

    @Test(arguments: [
        ["run", "--tpoic", "x"], ["run", "--topic"], ["run", "extra"], ["walk"], [], ["status", "--until-caught-up"],
        ["init", "--bootstrap-servers", "a:1"], ["run", "--property", "no value"], ["run", "--database", ""],
    ])
    func wrongUseFailsWithStatus64(arguments: [String]) {
        do {
            _ = try options(arguments)
            Issue.record("\(arguments) were taken")
        } catch let failure as Failure {
            #expect(failure.status == .usage)
            #expect(!failure.sentence.contains("\n"))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test(arguments: ["client.idd=x", "fetch.max.bytes=many", "auto.offset.reset=sometimes", "fetch.max.bytes=0"])
    func invalidPropertyIsWrongUse(property: String) async throws {
        let options = try options(["run", "--property", property])
        await #expect {
            try await options.client(.none)
        } throws: { error in
            (error as? Failure)?.status == .usage
        }
    }

    @Test func optionsOverrideTheSettingsFile() async throws {
        let folder = try SettingsFolder()
        let file = try folder.file(
            "client.properties",
            """
            # a comment
            bootstrap.servers=127.0.0.1:1,127.0.0.1:2
            client.id=of the file
            fetch.max.bytes=1000
            request.timeout.ms=77
            """)
        let alone = try await options(["run", "--config", file]).client(.none).configuration
        #expect(alone.bootstrapServers.map(\.port) == [1, 2])
        #expect(alone.clientID == "of the file")
        #expect(alone.requestTimeout == .milliseconds(77))
        // The program's defaults apply if the file does not contain the setting.
        #expect(alone.defaultAPITimeout == .seconds(10))
        let beaten = try await options([
            "status", "--config", file, "--bootstrap-servers", "127.0.0.1:3", "--property", "client.id=given",
        ]).client(.none).configuration
        #expect(beaten.bootstrapServers.map(\.port) == [3])
        #expect(beaten.clientID == "given")
        #expect(beaten.consumer.maximumFetchBytes == 1000)
    }

    @Test func wrongOrMissingSettingsFile() async throws {
        let folder = try SettingsFolder()
        let file = try folder.file("client.properties", "client.id=x\nsasl.jaas.confg=hush\n")
        func failure(_ path: String) async throws -> Failure? {
            let options = try options(["run", "--config", path])
            return await #expect(throws: Failure.self) { try await options.client(.none) }
        }
        let wrong = try await failure(file)
        #expect(wrong?.status == .usage)
        #expect(wrong?.sentence.hasPrefix("\(file), line 2: there is no property sasl.jaas.confg") == true)
        #expect(wrong?.sentence.contains("hush") == false)
        let missing = try await failure(file + ".missing")
        #expect(missing?.status == .noInput)
        #expect(missing?.sentence == "the settings file \(file).missing can't be read: No such file or directory")
    }

    @Test func clusterErrorsHaveAnExitStatus() {
        func status(_ code: KafkaWire.ErrorCode) -> CommandLineSupport.ExitStatus {
            Failure(KafkaError(code, "x"), topic: "t", bootstrapServers: "b:1").status
        }
        #expect(status(.unknownTopicOrPartition) == .configuration)
        #expect(status(.inconsistentTopicId) == .configuration)
        #expect(status(.offsetOutOfRange) == .configuration)
        #expect(status(.networkException) == .unavailable)
        #expect(status(.requestTimedOut) == .unavailable)
        #expect(status(.topicAuthorizationFailed) == .unavailable)
        let sentence = Failure(KafkaError(.networkException, "x"), topic: "t", bootstrapServers: "b:1").sentence
        #expect(sentence.contains("b:1"))
    }
}

/// A folder for settings files, removed with this object.
private final class SettingsFolder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String, _ content: String) throws -> String {
        let file = url.appending(path: name)
        try Data(content.utf8).write(to: file)
        return file.path
    }
}
