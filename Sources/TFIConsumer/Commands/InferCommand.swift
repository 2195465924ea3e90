import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer infer`: proposes tables and a mapping for a topic.
enum InferCommand {
    private enum Format: String, CaseIterable, Sendable { case text, sql, yaml, json }

    static let messages = Option(
        "messages", .int(1...1_000_000), default: 1000, help: "The number of messages to read.")
    static let from = Option(
        "from", .word(TopicSample.Place.self), default: .newest,
        help: "The messages to read: the newest, the oldest (beginning), or the next to arrive.")
    private static let table = Option(
        optional: "table", .table, help: "The table's name. Default: the name of the topic or the key.")
    private static let depth = Option(
        "depth", .int(1...16), default: Inference.defaultDepth,
        help: "The number of levels of nested objects that become columns. Deeper ones become jsonb.")
    private static let format = Option(
        "format", .word(Format.self), default: .text,
        help: "text for both proposals, sql or yaml for one of them, json for programs.")

    static let command = Command(
        name: "infer", abstract: "Proposes CREATE TABLE and a mapping from a topic's messages.",
        discussion: [
            "Reads JSON messages, writes nothing and commits nothing. A column gets the narrowest type that takes all "
                + "values, and is NOT NULL if every message has a value. Check both before you rely on them.",
            "If messages with different keys have different fields, each key gets its own table and route.",
        ],
        options: ConsumerOptions.cluster + [messages, from, table, depth, format],
        statuses: [.success, .usage, .noInput, .unavailable, .configuration]
    ) { options in
        let topic = options[CommonOptions.topic]
        let client = try await options.client()
        let sample: [CheckedRecord]
        do {
            sample = try await TopicSample.read(
                topic, count: options[messages], from: options[from], client, StopSignal.listening())
        } catch let error as KafkaError {
            throw Failure(error, topic: topic, bootstrapServers: client.servers)
        }
        await client.close()
        let inference = Inference(
            topic: topic, table: options[table], depth: options[depth],
            messages: sample.lazy.map { (key: $0.key, value: $0.value) })
        if options[format] != .json, inference.kinds.isEmpty { throw noObjects(inference, read: sample.count) }
        switch options[format] {
        case .text: try await Output.standard.write(text(inference))
        case .sql: try await Output.standard.write(inference.createTables(quote: SQLIdentifier.quoted))
        case .yaml: try await Output.standard.write(inference.mapping.yaml)
        case .json: try await Output.standard.write(json(inference).text + "\n")
        }
    }

    private static func noObjects(_ inference: Inference, read: Int) -> Failure {
        guard read > 0 else {
            return Failure(
                "the topic \(inference.topic) has no messages; --from next waits for new ones", status: .configuration)
        }
        return Failure(
            "none of the \(read) messages read from \(inference.topic) is a JSON object (\(others(inference)))",
            status: .configuration)
    }

    private static func others(_ inference: Inference) -> String {
        [
            (inference.unreadable, "not JSON"), (inference.otherValues, "JSON, but not an object"),
            (inference.tombstones, "without a value"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    // MARK: Output

    private static func text(_ inference: Inference) -> String {
        let total = inference.kinds.reduce(0) { $0 + $1.messages }
        var text = "-- \(total) messages of \(inference.topic)"
        if inference.kinds.count > 1 {
            let kinds = inference.kinds.map { "\($0.messages) with \($0.key.map { "key \($0)" } ?? "another key")" }
            text += ": \(kinds.joined(separator: ", "))"
        }
        text += "\n"
        let others = others(inference)
        if !others.isEmpty { text += "-- left out: \(others)\n" }
        return text + "\n" + inference.createTables(quote: SQLIdentifier.quoted)
            + "\n# The mapping, for a file of its own:\n" + inference.mapping.yaml
    }

    private static func json(_ inference: Inference) -> JSONValue {
        let kinds = inference.kinds.map { kind -> JSONValue in
            .object([
                .init("key", kind.key.map(JSONValue.string) ?? .null), .init("messages", .integer(kind.messages)),
                .init("table", .string(kind.table.text)),
                .init(
                    "columns",
                    .array(
                        kind.columns.map { column in
                            .object([
                                .init("name", .string(column.name)), .init("path", .string(column.path.description)),
                                .init("type", .string(column.type.rawValue)),
                                .init("not_null", .bool(column.isNotNull)),
                                .init("present", .integer(column.present)), .init("nulls", .integer(column.nulls)),
                            ])
                        })),
            ])
        }
        return .object([
            .init("topic", .string(inference.topic)), .init("kinds", .array(kinds)),
            .init("tombstones", .integer(inference.tombstones)), .init("unreadable", .integer(inference.unreadable)),
            .init("other_values", .integer(inference.otherValues)),
            .init("sql", .string(inference.createTables(quote: SQLIdentifier.quoted))),
            .init("mapping", .string(inference.mapping.yaml)),
        ])
    }
}
