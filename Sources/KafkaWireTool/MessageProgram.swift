import CommandLineSupport
import Foundation
import KafkaWire

/// The modes `-L`, `-P`, `-C`, `-G` and `-Q`.
enum MessageProgram {
    static func run(_ arguments: [String]) async throws {
        let options = try MessageOptions(arguments, isInputTerminal: isatty(STDIN_FILENO) == 1)
        let notes = Notes(isQuiet: options.isQuiet)
        let session = try await session(options)
        let client = session.client
        switch options.mode {
        case .list, nil: try await session.run { try await ListMode(options: options, client: client).run() }
        case .query: try await session.run { try await QueryMode(options: options, client: client).run() }
        case .produce:
            let mode = ProduceMode(options: options, client: client, topic: options.topics[0], notes: notes)
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
        var defaults = ["client.id": "kafkawire"]
        var overrides: [String: String] = [:]
        // librdkafka's default: only -P creates topics.
        if options.mode != .produce { defaults["allow.auto.create.topics"] = "false" }
        if let codec = options.codec { overrides["compression.type"] = codec }
        switch options.mode {
        case .group(let group):
            overrides["group.id"] = group
            switch options.begin {
            case .beginning: overrides["auto.offset.reset"] = "earliest"
            case .end: overrides["auto.offset.reset"] = "latest"
            // MessageOptions refuses all others.
            default: break
            }
        case .consume: defaults["auto.offset.reset"] = "earliest"
        case .list, .query, nil: defaults.merge(ClusterSession.shortCalls) { $1 }
        case .produce: break
        }
        return try await options.connection.session(defaults: defaults, overrides: overrides)
    }
}
