import CommandLineSupport

/// `tfi-producer generate`: a made-up plant of any size.
enum GenerateCommand {
    static let command = Command(
        name: "generate",
        abstract: "makes up a plant's messages, as many as wanted or without end, and sends them",
        discussion: [
            "Units pass the stations of a line from 08:00 to 17:00, day after day, and end at collection point 40; one "
                + "message in twenty is a concern. Without --rate it is as fast as the brokers take it.",
            "Without --records the plant is at work now, in three shifts with breaks, and sends one message a second, or as "
                + "many as --rate says, until it is stopped: for a demonstration.",
            "On SIGINT or SIGTERM what was taken so far is delivered first; a second one ends at once.",
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
