import CommandLineSupport
import Concurrency
import Foundation

/// `tfi-producer replay`: sends the plant's files as messages.
enum ReplayCommand {
    static let command = Command(
        name: "replay",
        abstract: "sends a day of the plant from two CSV files, in the order of the rows' times",
        discussion: [
            "Each row is a message. Its key is unit_collection_point or unit_concern, its value a JSON object with the "
                + "file's columns as names. All messages of a unit go to one partition, by the unit's number.",
            "Both files are read and checked before the first message is sent. On SIGINT or SIGTERM it first delivers "
                + "the messages that it has accepted; a second signal ends it at once.",
        ],
        options: [
            ProducerOptions.units, ProducerOptions.concerns, ProducerOptions.interval, ProducerOptions.rate,
            ProducerOptions.asFastAsPossible,
        ] + ProducerOptions.common,
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .configuration],
        run: run)

    private static func run(_ options: ParsedOptions) async throws {
        let interval = try interval(options)
        let files = try files(options)
        let source = try await onDedicatedThread { () throws(Failure) in try ReplaySource(files) }
        try await sendToKafka(source, encoder: source.encoder, interval: interval, options: options)
    }

    /// The time between messages; nil for no pauses.
    static func interval(_ options: ParsedOptions) throws(Failure) -> Duration? {
        try options.checkExclusive(
            ProducerOptions.interval, ProducerOptions.rate, ProducerOptions.asFastAsPossible)
        if options[ProducerOptions.asFastAsPossible] { return nil }
        if let rate = options[ProducerOptions.rate] { return .seconds(1 / rate) }
        return options[ProducerOptions.interval]
    }

    private static func files(_ options: ParsedOptions) throws(Failure) -> ReplaySource.Files {
        switch (options[ProducerOptions.units], options[ProducerOptions.concerns]) {
        case (let units?, let concerns?):
            return ReplaySource.Files(units: units, concerns: concerns)
        case (nil, nil):
            return try .delivered(
                currentFolder: FileManager.default.currentDirectoryPath, executable: Bundle.main.executablePath)
        default:
            throw Failure("give both --units and --concerns, or neither", status: .usage)
        }
    }
}

/// Runs work that may block on a thread of its own, so that it blocks no task.
private func onDedicatedThread<Result: Sendable>(
    _ work: @escaping @Sendable () throws(Failure) -> Result
) async throws -> Result {
    let result = await DispatchQueue(label: "files").value { Swift.Result { () throws(Failure) in try work() } }
    return try result.get()
}
