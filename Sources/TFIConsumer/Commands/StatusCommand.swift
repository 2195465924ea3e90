import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer status`: how far each partition is.
enum StatusCommand {
    private static let json = Option(flag: "json", help: "Prints an array of objects instead of a table.")

    static let command = Command(
        name: "status", abstract: "Shows committed offset, end and lag of each partition.",
        discussion: [
            "Of all topics that the mapping reads. A topic that can't be shown is reported, after the others."
        ],
        options: ConsumerOptions.cluster + MappingOptions.all + [
            ConsumerOptions.group, ConsumerOptions.database, ConsumerOptions.schema, json,
        ],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .configuration]
    ) { options in
        let sources = try await MappingOptions.read(options)
        let topics = TopicSelection(sources.flatMap(\.mapping.routes))
        let client = try await options.client(say: { StatusLine.shared.message("tfi-consumer: \($0)") })
        let (logs, missing): ([IngestStart.Log], [String: KafkaError])
        do {
            (logs, missing) = try await client.beginning { try await look(topics, client) }
        } catch let error as KafkaError {
            throw Failure(error, topic: topics.description, bootstrapServers: client.servers)
        }
        await client.close()
        var failures = missing.mapValues { error in
            Failure(error, topic: error.topic ?? topics.description, bootstrapServers: client.servers)
        }
        let entries = try await committedOffsets(options, of: logs.map(\.topic.name))
        var rows: [Row] = []
        for log in logs {
            do throws(Failure) {
                rows += try Self.rows(
                    log, entries.filter { $0.partition.topic == log.topic.name }, group: options[ConsumerOptions.group])
            } catch {
                failures[log.topic.name] = error
            }
        }
        if !rows.isEmpty || failures.isEmpty {
            try await Output.standard.write(
                options[json] ? JSONValue.array(rows.map(\.json)).text + "\n" : table(rows))
        }
        let failed = failures.sorted { $0.key < $1.key }.map(\.value)
        for failure in failed.dropLast() { StatusLine.shared.message("tfi-consumer: \(failure)") }
        if let failure = failed.last { throw failure }
    }

    /// - Parameter entries: The group's offsets of the topic.
    /// - Throws: If the offsets belong to an earlier topic of this name: they say nothing about this one.
    private static func rows(
        _ log: IngestStart.Log, _ entries: [OffsetStore.Entry], group: String
    ) throws(Failure) -> [Row] {
        let topic = log.topic
        if topic.id != .zero,
            let other = entries.lazy.compactMap(\.topicID).first(where: { $0 != topic.id.description })
        {
            throw Failure(
                "topic \(topic.name) was deleted and created again since group \(group) read it: its id was \(other) and "
                    + "is \(topic.id); 'run' says how to continue", status: .configuration)
        }
        let committed = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        return log.latest.filter { $0.key.topic == topic.name }.sorted { $0.key < $1.key }.map { partition, end in
            Row(
                topic: topic.name, partition: partition.partition, committed: committed[partition],
                begin: log.earliest[partition]?.offset ?? 0, end: end.offset)
        }
    }

    /// - Returns: Also the errors of topics that can't be looked up.
    /// - Throws: `KafkaError`; `Failure` if no topic matches.
    private static func look(
        _ topics: TopicSelection, _ client: KafkaClient
    ) async throws -> ([IngestStart.Log], [String: KafkaError]) {
        let names = try await topics.resolve(client)
        guard !names.isEmpty else {
            throw Failure("no topic matches \(topics.description)", status: .configuration)
        }
        var described: [TopicDescription] = []
        var failures: [String: KafkaError] = [:]
        for (name, outcome) in try await client.admin.describeTopics(names) {
            switch outcome {
            case .success(let topic): described.append(topic)
            case .failure(let error): failures[name] = error
            }
        }
        return (try await IngestStart.logs(of: described.sorted { $0.name < $1.name }, client: client), failures)
    }

    private static func committedOffsets(
        _ options: ParsedOptions, of topics: [String]
    ) async throws -> [OffsetStore.Entry] {
        let name = options[ConsumerOptions.schema]
        let creator = MappingOptions.isBuiltIn(options) ? InitCommand.forThePlant : InitCommand.forAnyMapping
        return try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let tables = try await DatabaseAccess.ownTables(
                in: name, needed: [OwnTables.offsets.name], createdBy: creator, over: connection)
            let store = try await OffsetStore(
                table: tables.offsetTable, group: options[ConsumerOptions.group], over: connection)
            return try await connection.transaction { session in try store.entries(of: topics, &session) }
        }
    }

    struct Row {
        let topic: String
        let partition: Int32
        /// Nil where the group hasn't read the partition yet.
        let committed: Int64?
        /// The first offset that the log still has.
        let begin: Int64
        let end: Int64

        /// How many records are there and not committed. Offsets are the broker's and the database's word: no
        /// difference of them traps.
        var lag: Int64 { end.subtractingSaturated(committed ?? begin) }

        var json: JSONValue {
            .object([
                .init("topic", .string(topic)), .init("partition", .integer(Int(partition))),
                .init("committed", committed.map { .integer(Int($0)) } ?? .null), .init("end", .integer(Int(end))),
                .init("lag", .integer(Int(lag))),
            ])
        }
    }

    private static func table(_ rows: [Row]) -> String {
        let header = ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"]
        let lines = rows.map { row in
            [
                ForeignText.visible(row.topic), "\(row.partition)", row.committed.map { "\($0)" } ?? "-", "\(row.end)",
                "\(row.lag)",
            ]
        }
        let widths = header.indices.map { column in ([header] + lines).map { $0[column].count }.max() ?? 0 }
        return ([header] + lines).map { line in
            zip(line, widths).enumerated().map { column, cell in
                let pad = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + pad : pad + cell.0
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
