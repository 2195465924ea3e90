import CommandLineSupport
import Foundation
import KafkaWire
import Testing

@testable import TFIProducer

@Suite struct CommandTests {
    private func options(_ arguments: String...) throws -> ParsedOptions {
        switch try Main.program.parse(arguments, environment: [:]) {
        case .run(_, let options): return options
        case .text: throw Failure("expected a run, not a text", status: .internalError)
        }
    }

    @Test func paceHasThreeExclusiveOptions() throws {
        #expect(try ReplayCommand.interval(options("replay")) == .milliseconds(50))
        #expect(try ReplayCommand.interval(options("replay", "--interval", "2s")) == .seconds(2))
        #expect(try ReplayCommand.interval(options("replay", "--rate", "1000")) == .milliseconds(1))
        #expect(try ReplayCommand.interval(options("replay", "--as-fast-as-possible")) == nil)
        let failure = #expect(throws: Failure.self) {
            try ReplayCommand.interval(options("replay", "--rate", "10", "--interval", "50ms"))
        }
        #expect(failure?.status == .usage)
    }

    /// Both are found without a broker.
    @Test func findsWrongUseAndMissingFilesBeforeConnecting() async throws {
        func status(_ arguments: String...) async -> CommandLineSupport.ExitStatus {
            let line = StatusLine(isTerminal: false, columns: { 80 }, now: { .now }, write: { _ in })
            return await Main.program.run(arguments, environment: [:], statusLine: line)
        }
        #expect(await status("generate", "--records", "0") == .usage)
        #expect(await status("replay", "--units", "u.csv") == .usage)
        #expect(await status("replay", "--units", "/nowhere/u.csv", "--concerns", "/nowhere/c.csv") == .noInput)
        let folder = try TestFolder()
        let file = try folder.file("u.csv", "no,header\n")
        #expect(await status("replay", "--units", file, "--concerns", file) == .badData)
        #expect(await status("generate", "--records", "1", "--bootstrap-servers", "nonsense") == .usage)
        #expect(await status("generate", "--records", "1", "--property", "no.such.setting=1") == .usage)
        let settings = try folder.file("client.properties", "linger.msec=1\n")
        #expect(await status("generate", "--records", "1", "--config", settings) == .usage)
        #expect(await status("generate", "--records", "1", "--config", "/nowhere/c.properties") == .noInput)
    }

    @Test func helpListsEveryOption() throws {
        for command in Main.program.commands {
            let help = Main.program.helpText(of: command)
            for option in command.options { #expect(help.contains("--\(option.name)")) }
        }
    }

    @Test func totals() throws {
        let totals = Totals(
            passages: 5606, concerns: 295, bytes: 696_814, seconds: 2,
            usage: ResourceUsage(maxResidentMB: 20.04, userSeconds: 0.5, systemSeconds: 0.25))
        #expect(
            totals.line == "5,901 messages (5,606 unit_collection_point, 295 unit_concern), 697 kB in 2.00 s: 2.95 k/s")
        #expect(
            totals.summary.text
                == #"{"records":5901,"records_by_key":{"unit_collection_point":5606,"unit_concern":295},"#
                + #""bytes":696814,"seconds":2,"records_per_second":2950.5,"cpu_seconds":0.75,"max_rss_mb":20}"#)
    }

    @Test func progressLineShowsTheRateSinceTheLastCall() {
        var line = ProgressLine(count: 4000)
        #expect(line.text(records: 1000, time: .seconds(1)) == "1,000 of 4,000 messages, 25 %, 1.00 k/s")
        #expect(line.text(records: 2000, time: .seconds(3)) == "2,000 of 4,000 messages, 50 %, 500/s")
    }

    @Test func partitionIsThatOfTheUnitsDecimalNumber() {
        for unit in [0, 7, -7, 71_206_360, Int32.max, Int32.min] {
            for count: Int32 in [1, 4, 7] {
                let key = Array("\(unit)".utf8)
                // The bytes live as long as the array.
                let expected = unsafe Murmur2.partition(forKey: key.span.bytes, count: count)
                #expect(UnitPartitioner.partition(of: unit, count: count) == expected)
            }
        }
        let used = Set((0..<100).map { UnitPartitioner.partition(of: 71_204_310 + 10 * $0, count: 4) })
        #expect(used == [0, 1, 2, 3])
    }
}
