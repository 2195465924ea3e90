import CommandLineSupport
import Foundation
import KafkaWire

/// The modes `-L`, `-P`, `-C`, `-G` and `-Q`.
enum MessageProgram {
    static func run(_ arguments: [String]) async throws {
        let options = try MessageOptions(arguments, isInputTerminal: isatty(STDIN_FILENO) == 1)
        let notes = Notes(isQuiet: options.isQuiet)
        if let report = options.connection.report {
            let (defaults, overrides) = settings(options)
            return try await options.connection.print(report, defaults: defaults, overrides: overrides)
        }
        if options.isJSON, options.keyPacking != nil || options.valuePacking != nil {
            notes.say("-s has no effect with -J, as in kcat")
        }
        let session = try await session(options)
        let client = session.client
        switch options.mode {
        case .list, nil: try await session.run { try await ListMode(options: options, client: client).run() }
        case .query: try await session.run { try await QueryMode(options: options, client: client).run() }
        case .produce:
            let mode = ProduceMode(options: options, client: client, notes: notes)
            let stop = StopSignal.listening()
            try await session.run(until: stop, unfinished: "messages may be missing at the end of the input") {
                try await mode.run(until: stop)
            }
        case .consume:
            let mode = ConsumeMode(
                options: options, client: client, topic: options.topics[0], notes: notes,
                isResetGiven: session.given.contains("auto.offset.reset"))
            let stop = StopSignal.listening()
            try await session.run(until: stop, unfinished: "messages may be missing at the end of the output") {
                try await mode.run(until: stop)
            }
        case .group(let group):
            let mode = GroupMode(options: options, client: client, group: group, notes: notes)
            let stop = StopSignal.listening()
            try await session.run(
                until: stop, unfinished: "the last offsets may not be committed, so messages may come again"
            ) { try await mode.run(until: stop) }
        }
    }

    static func session(_ options: MessageOptions) async throws -> ClusterSession {
        let (defaults, overrides) = settings(options)
        var session = try await options.connection.session(
            defaults: defaults, overrides: overrides, isQuiet: options.isQuiet,
            isVerbose: options.isVerbose)
        switch options.mode {
        case .produce, .consume, .group: session.waitsIndefinitely = options.continuesAfterErrors
        case .list, .query, nil: break
        }
        return session
    }

    /// The mode's default settings, which the user's settings override, and the settings that its options set.
    private static func settings(
        _ options: MessageOptions
    ) -> (defaults: [String: String], overrides: [String: String]) {
        var defaults = ["client.id": "kafkawire"]
        var overrides: [String: String] = [:]
        // librdkafka's default: only -P creates topics.
        if options.mode != .produce { defaults["allow.auto.create.topics"] = "false" }
        if let codec = options.codec { overrides["compression.type"] = codec }
        switch options.mode {
        case .group(let group):
            // librdkafka's default: messages of aborted transactions are not printed.
            defaults["isolation.level"] = "read_committed"
            overrides["group.id"] = group
            switch options.begin {
            case .beginning: overrides["auto.offset.reset"] = "earliest"
            case .end: overrides["auto.offset.reset"] = "latest"
            // MessageOptions only permits .stored besides these, which is what a group does anyway.
            default: break
            }
        case .consume:
            defaults["isolation.level"] = "read_committed"
            // Without a stored offset kcat begins at the end, else at the beginning.
            defaults["auto.offset.reset"] = options.begin == .stored ? "latest" : "earliest"
        case .list, .query, nil: defaults.merge(ClusterSession.shortCalls) { $1 }
        case .produce: break
        }
        return (defaults, overrides)
    }
}
