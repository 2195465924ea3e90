import CommandLineSupport
import KafkaWire

@main
struct Main {
    static func main() async {
        await runMain(
            Program(
                name: "tfi-consumer", version: KafkaWireVersion.current,
                abstract: "Brings a plant's messages from Kafka into Postgres, each exactly once.",
                commands: [
                    InitCommand.command, RunCommand.command, StatusCommand.command, ConsoleCommand.command,
                    MappingCommand.command, InferCommand.command, CheckCommand.command,
                ] + DeadLetterCommands.all + OffsetCommands.all))
    }
}
