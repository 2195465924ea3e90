import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer check`: tests a mapping on messages without writing anything.
enum CheckCommand {
    private enum Format: String, CaseIterable, Sendable { case text, json }

    private static let format = Option(
        "format", .word(Format.self), default: .text, help: "The output format: text for people, json for programs.")

    static let command = Command(
        name: "check", abstract: "Tests a mapping on a topic's messages, and writes nothing.",
        discussion: [
            "Binds the mapping to the tables, reads messages of each of its topics and shows the rows for each table, "
                + "and each reason for a dead letter with its first example.",
            "It cannot check what only shows on writing: constraints, unique keys, triggers and partitions of the "
                + "tables.",
        ],
        options: ConsumerOptions.cluster + MappingOptions.all + [
            ConsumerOptions.database, ConsumerOptions.schema, InferCommand.messages, InferCommand.from, format,
        ],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .configuration]
    ) { options in
        let sources = try await MappingOptions.read(options)
        let report = try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            // Report mistakes in the mapping before those in the cluster's address.
            let routes = try await bound(sources, connection)
            let records = try await sample(sources.flatMap(\.mapping.routes), options)
            return try await connection.transaction { session in
                let check = try MappingCheck(routes)
                for record in records { check.check(record) }
                try check.checkServerRows(&session)
                return check.report
            }
        }
        switch options[format] {
        case .text: try await Output.standard.write(text(report))
        case .json: try await Output.standard.write(json(report).text + "\n")
        }
    }

    /// Binds the routes of all mappings.
    static func bound(
        _ sources: [IngestPlan.Source], _ connection: PostgresConnection
    ) async throws -> [BoundRoute] {
        // Refuse what `run` refuses.
        _ = try IngestPlan.commonSettings(sources)
        let names = sources.flatMap(\.mapping.routes).map(\.table)
        let catalog = try await connection.transaction { session in try Catalog.read(names, &session) }
        do {
            return try await connection.transaction { session in try Binder.bind(sources, to: catalog, &session) }
        } catch let error as BindingError {
            throw Failure(error.description, status: .configuration)
        }
    }

    /// Reads messages of each topic that the routes name.
    private static func sample(_ routes: [Route], _ options: ParsedOptions) async throws -> [CheckedRecord] {
        let client = try await options.client()
        let stop = StopSignal.listening()
        var records: [CheckedRecord] = []
        var current = ""
        do {
            for topic in try await topics(of: routes, client) {
                current = topic
                records += try await TopicSample.read(
                    topic, count: options[InferCommand.messages], from: options[InferCommand.from], client, stop)
            }
        } catch let error as KafkaError {
            throw Failure(error, topic: current, bootstrapServers: client.servers)
        }
        await client.close()
        return records
    }

    /// The topics of the routes, sorted. A pattern is replaced by the topics that match it now.
    private static func topics(of routes: [Route], _ client: KafkaClient) async throws -> [String] {
        var names: Set<String> = []
        var patterns: [Route] = []
        for route in routes {
            switch route.topic {
            case .name(let name): names.insert(name)
            case .pattern: patterns.append(route)
            }
        }
        if !patterns.isEmpty {
            let existing = try await client.firstStep { try await client.admin.listTopics().map(\.name) }
            for route in patterns { names.formUnion(existing.filter { route.reads(topic: $0) }) }
        }
        return names.sorted()
    }

    // MARK: Output

    private static func text(_ report: CheckReport) -> String {
        var lines: [String] = []
        for entry in report.routes {
            var parts = ["\(entry.records) records", "\(entry.rows) rows"]
            if entry.serverRows > 0 { parts.append("\(entry.serverRows) of them read by the database") }
            if entry.deletions > 0 { parts.append("\(entry.deletions) deletions") }
            if entry.ignoredTombstones > 0 { parts.append("\(entry.ignoredTombstones) tombstones ignored") }
            let rejected = entry.rejections.reduce(0) { $0 + $1.count }
            if rejected > 0 { parts.append("\(rejected) rejected") }
            lines.append("\(entry.name): \(parts.joined(separator: ", "))")
            if !entry.leftToDefault.isEmpty {
                lines.append("  left to their defaults: \(entry.leftToDefault.joined(separator: ", "))")
            }
            for rejection in entry.rejections {
                lines.append("  \(rejection.count) × \(rejection.reason)")
                lines.append("      first: \(place(rejection.example)): \(rejection.example.reason)")
            }
        }
        if let first = report.firstUnrouted {
            lines.append("no route: \(report.unrouted) records")
            lines.append("      first: \(place(first))")
        }
        return lines.map { ForeignText.visible($0) + "\n" }.joined()
    }

    private static func place(_ example: CheckReport.Example) -> String {
        "\(example.topic) [\(example.partition)] at offset \(example.offset)"
    }

    private static func json(_ report: CheckReport) -> JSONValue {
        let routes = report.routes.map { entry -> JSONValue in
            .object([
                .init("topic", .string(entry.topic)), .init("table", .string(entry.route.table.text)),
                .init("line", .integer(entry.route.line)), .init("records", .integer(entry.records)),
                .init("rows", .integer(entry.rows)), .init("server_rows", .integer(entry.serverRows)),
                .init("deletions", .integer(entry.deletions)),
                .init("ignored_tombstones", .integer(entry.ignoredTombstones)),
                .init("left_to_default", .array(entry.leftToDefault.map(JSONValue.string))),
                .init(
                    "rejections",
                    .array(
                        entry.rejections.map { rejection in
                            .object([
                                .init("reason", .string(rejection.reason)), .init("count", .integer(rejection.count)),
                                .init("example", json(rejection.example)),
                            ])
                        })),
            ])
        }
        return .object([
            .init("routes", .array(routes)), .init("unrouted", .integer(report.unrouted)),
            .init("first_unrouted", report.firstUnrouted.map(json) ?? .null),
        ])
    }

    private static func json(_ example: CheckReport.Example) -> JSONValue {
        .object([
            .init("topic", .string(example.topic)), .init("partition", .integer(Int(example.partition))),
            .init("offset", .integer(Int(example.offset))), .init("reason", .string(example.reason)),
        ])
    }
}

extension CheckReport.Entry {
    fileprivate var topic: String {
        switch route.topic {
        case .name(let name): name
        case .pattern(let pattern): pattern
        }
    }

    /// `TFI → workshop.ucp (line 2)`; the line only if the mapping comes from a file.
    fileprivate var name: String {
        "\(topic) → \(route.table.text)" + (route.line > 0 ? " (line \(route.line))" : "")
    }
}
