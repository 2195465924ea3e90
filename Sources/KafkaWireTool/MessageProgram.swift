import CommandLineSupport
import Foundation
import KafkaWire

/// The program without a command of administration: lists, sends, reads, asks.
enum MessageProgram {
    static func run(_ arguments: [String]) async throws {
        let options = try MessageOptions(arguments, isInputTerminal: isatty(STDIN_FILENO) == 1)
        let notes = Notes(isQuiet: options.isQuiet)
        let client = try await client(options)
        do {
            switch options.mode {
            case .list, nil: try await ListMode(options: options, client: client).run()
            case .query: try await QueryMode(options: options, client: client).run()
            case .produce:
                try await ProduceMode(options: options, client: client, topic: options.topics[0], notes: notes)
                    .run(until: .listening())
            case .consume:
                try await ConsumeMode(options: options, client: client, topic: options.topics[0], notes: notes)
                    .run(until: .listening())
            case .group(let group):
                try await GroupMode(options: options, client: client, group: group, notes: notes)
                    .run(until: .listening())
            }
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private static func client(_ options: MessageOptions) async throws -> KafkaClient {
        var defaults = ["client.id": "kafkawire"]
        var overrides: [String: String] = [:]
        if let codec = options.codec { overrides["compression.type"] = codec }
        switch options.mode {
        case .group(let group):
            overrides["group.id"] = group
            switch options.begin {
            case .beginning: overrides["auto.offset.reset"] = "earliest"
            case .end: overrides["auto.offset.reset"] = "latest"
            // Other places are refused with the options.
            default: break
            }
        case .consume: defaults["auto.offset.reset"] = "earliest"
        default: break
        }
        return try await options.connection.client(defaults: defaults, overrides: overrides)
    }
}
