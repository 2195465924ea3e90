import KafkaWire
import CommandLineSupport

@main
struct Main {
    static let program = Program(
        name: "tfi-producer", version: KafkaWireVersion.current,
        abstract: "Plays the plant: sends what units pass, and what is found wrong with them, to a Kafka topic.",
        commands: [ReplayCommand.command, GenerateCommand.command, FakeBrokerCommand.command])

    static func main() async {
        await runMain(program)
    }
}
