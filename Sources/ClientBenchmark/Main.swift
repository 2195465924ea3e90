import KafkaWire
import CommandLineSupport

/// What KafkaWire costs its users: `scripts/bench-client.sh` runs it beside the same program in C on librdkafka
/// (`Benchmarks/librdkafka`).
@main
struct Main {
    static let program = Program(
        name: "ClientBenchmark", version: KafkaWireVersion.current,
        abstract: "Reads or writes records with KafkaWire and tells what that costs.",
        commands: [FetchCommand.command, PaceCommand.command, ProduceCommand.command])

    static func main() async {
        await runMain(program)
    }
}

enum BenchmarkOptions {
    static let records = Option("records", .int(1...1_000_000_000), default: 5_000_000, help: "How many records.")
    static let decode = Option(
        flag: "decode", help: "Goes through each value, a flat JSON object, instead of counting.")

    static let common: [any OptionDeclaration] = [
        CommonOptions.bootstrapServers, CommonOptions.topic, records, CommonOptions.properties,
    ]
}

extension ParsedOptions {
    /// The settings that all benchmarks share.
    func properties(_ defaults: [String: String]) -> [String: String] {
        defaults.merging(self[CommonOptions.properties].byName) { _, given in given }
    }
}
