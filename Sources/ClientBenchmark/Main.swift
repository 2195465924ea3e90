import CommandLineSupport
import KafkaWire

/// Measures what KafkaWire costs its users. `scripts/bench-client.sh` runs it beside the same program in C on
/// librdkafka (`Benchmarks/librdkafka`).
@main
struct Main {
    static let program = Program(
        name: "ClientBenchmark", version: KafkaWireVersion.current,
        abstract: "Reads or writes records with KafkaWire, and reports time, CPU and memory.",
        commands: [FetchCommand.command, PaceCommand.command, ProduceCommand.command])

    static func main() async {
        await runMain(program)
    }
}

enum BenchmarkOptions {
    static let records = Option("records", .int(1...1_000_000_000), default: 5_000_000, help: "The number of records.")
    static let decode = Option(
        flag: "decode", help: "Decodes each value, a flat JSON object, instead of only counting.")
    static let byRecord = Option(
        flag: "by-record", help: "Reads record by record, as copies, instead of batch by batch.")

    static let common: [any OptionDeclaration] = [
        CommonOptions.bootstrapServers, CommonOptions.topic, records, CommonOptions.properties,
    ]
}

extension ParsedOptions {
    static let byRecord = Option(
        flag: "by-record", help: "Reads record by record, as copies, instead of batch by batch.")

    /// The client's settings: the given defaults, which `--property` overrides.
    func properties(_ defaults: [String: String]) -> [String: String] {
        defaults.merging(self[CommonOptions.properties].byName) { _, given in given }
    }
}
