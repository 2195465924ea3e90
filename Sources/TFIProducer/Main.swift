import CommandLineSupport
import KafkaWire

@main
struct Main {
    static let program = Program(
        name: "tfi-producer", version: KafkaWireVersion.current,
        abstract: "Simulates the plant: sends units' passages and quality concerns to a Kafka topic.",
        commands: [ReplayCommand.command, GenerateCommand.command, FakeBrokerCommand.command])

    static func main() async {
        await runMain(program)
    }
}
