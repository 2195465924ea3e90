import CommandLineSupport

@main
struct Main {
    static let program = Program(
        name: "tfi-producer", version: projectVersion,
        abstract: "Simulates the plant: sends units' passages and quality concerns to a Kafka topic.",
        commands: [ReplayCommand.command, GenerateCommand.command, FakeBrokerCommand.command])

    static func main() async {
        await runMain(program)
    }
}
