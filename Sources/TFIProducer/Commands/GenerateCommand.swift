import CommandLineSupport

/// `tfi-producer generate`: a synthetic plant of any size.
enum GenerateCommand {
    static let command = Command(
        name: "generate",
        abstract: "generates a plant's messages, a given number or without end, and sends them",
        discussion: [
            "Units pass the stations of a line from 08:00 to 17:00, day after day, and end at collection point 40; one "
                + "message in twenty is a concern. Without --rate it sends as fast as the brokers accept.",
            "Without --records the plant works in real time, in three shifts with breaks, and sends one message per "
                + "second, or as many as --rate says, until you stop it: for a demonstration.",
            "On SIGINT or SIGTERM it first delivers the messages that it has accepted; a second signal ends it at "
                + "once.",
        ],
        options: [ProducerOptions.records, ProducerOptions.rate, ProducerOptions.seed] + ProducerOptions.common,
        statuses: [.success, .usage, .noInput, .unavailable, .configuration],
        run: run)

    private static func run(_ options: ParsedOptions) async throws {
        let seed = UInt64(options[ProducerOptions.seed])
        let interval = options[ProducerOptions.rate].map { Duration.seconds(1 / $0) }
        if let count = options[ProducerOptions.records] {
            let source = PlantGenerator(count: count, seed: seed)
            try await sendToKafka(source, encoder: MessageEncoder(), interval: interval, options: options)
        } else {
            let interval = interval ?? .seconds(1)
            let source = LivePlant(seed: seed, interval: interval)
            try await sendToKafka(source, encoder: MessageEncoder(), interval: interval, options: options)
        }
    }
}
