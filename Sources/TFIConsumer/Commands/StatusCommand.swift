import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer status`: how far each partition is.
enum StatusCommand {
    private static let json = Option(flag: "json", help: "Prints an array of objects instead of a table.")

    static let command = Command(
        name: "status", abstract: "Shows committed offset, end and lag of each partition.",
        options: ConsumerOptions.cluster + [
            ConsumerOptions.group, ConsumerOptions.database, ConsumerOptions.schema, json,
        ],
        statuses: [.success, .usage, .noInput, .unavailable, .configuration]
    ) { options in
        let topic = options[CommonOptions.topic]
        let client = try await options.client(say: { StatusLine.shared.message("tfi-consumer: \($0)") })
        let (begins, ends): ([TopicPartition: ListedOffset], [TopicPartition: ListedOffset])
        let topicID: KafkaUUID
        do {
            (begins, ends, topicID) = try await client.beginning {
                let described = try await client.admin.describe(topics: [topic])[0]
                let partitions = described.partitions.map { TopicPartition(topic: topic, partition: $0.index) }
                func offsets(_ spec: OffsetSpec) async throws -> [TopicPartition: ListedOffset] {
                    try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
                }
                return (try await offsets(.earliest), try await offsets(.latest), described.id)
            }
        } catch let error as KafkaError {
            throw Failure(error, topic: topic, bootstrapServers: client.servers)
        }
        await client.close()
        let committed = try await committedOffsets(options, of: topicID)
        let rows = ends.sorted { $0.key < $1.key }.map { partition, end in
            Row(
                topic: topic, partition: partition.partition, committed: committed[partition.partition],
                begin: begins[partition]?.offset ?? 0, end: end.offset)
        }
        let text = options[json] ? JSONValue.array(rows.map(\.json)).text + "\n" : table(rows)
        try await Output.standard.write(text)
    }

    /// - Throws: `Failure` if the offsets belong to an earlier topic of this name: they say nothing about this one.
    private static func committedOffsets(
        _ options: ParsedOptions, of topicID: KafkaUUID
    ) async throws -> [Int32: Int64] {
        let name = options[ConsumerOptions.schema]
        let entries = try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let tables = try await DatabaseAccess.ownTables(
                in: name, needed: [OwnTables.offsets.name], createdBy: InitCommand.forThePlant, over: connection)
            let store = try await OffsetStore(
                table: tables.offsetTable, group: options[ConsumerOptions.group], over: connection)
            return try await connection.transaction { session in
                try store.entries(of: [options[CommonOptions.topic]], &session)
            }
        }
        let other = entries.compactMap(\.topicID).first { topicID != .zero && $0 != topicID.description }
        if let other {
            throw Failure(
                "topic \(options[CommonOptions.topic]) was deleted and created again since group "
                    + "\(options[ConsumerOptions.group]) read it: its id was \(other) and is \(topicID); 'run' says how to "
                    + "continue", status: .configuration)
        }
        return Dictionary(entries.map { ($0.partition.partition, $0.nextOffset) }) { $1 }
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
