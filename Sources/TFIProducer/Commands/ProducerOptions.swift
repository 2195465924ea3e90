import CommandLineSupport

/// The options of the producer's commands.
enum ProducerOptions {
    static let partitions = Option(
        "partitions", .int(1...10_000), default: 4,
        help: "The number of partitions if the topic has to be created. An existing topic stays as it is.")
    static let units = Option(
        optional: "units", .string, placeholder: "FILE",
        help: "The CSV file of the passages. Without it and --concerns the day in Fixtures/day is sent.")
    static let concerns = Option(
        optional: "concerns", .string, placeholder: "FILE", help: "The CSV file of the concerns.")
    static let interval = Option(
        "interval", .duration(), default: .milliseconds(50), help: "The time from one message to the next.")
    static let rate = Option(
        optional: "rate", .double(upTo: 10_000_000), placeholder: "R", help: "Messages per second.")
    static let asFastAsPossible = Option(
        flag: "as-fast-as-possible", help: "Sends without pauses, as fast as the brokers accept.")
    static let records = Option(
        optional: "records", .int(1...PlantGenerator.mostRecords),
        help: "The number of messages to generate. Without it, the command does not end.")
    static let seed = Option(
        "seed", .int(0...Int.max), default: 1, help: "The same seed generates the same messages, byte for byte.")

    /// The destination, the client's settings, and the form of the summary.
    static let common: [any OptionDeclaration] = [
        CommonOptions.bootstrapServers, CommonOptions.topic, partitions, CommonOptions.properties,
        CommonOptions.config, CommonOptions.summaryJSON,
    ]
}
