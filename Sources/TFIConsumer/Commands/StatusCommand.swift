import CommandLineSupport
import Concurrency
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer status`: the progress of each partition, and the group member that reads it.
enum StatusCommand {
    private static let json = Option(flag: "json", help: "Prints an array of objects instead of a table.")
    private static let watch = Option(
        flag: "watch", help: "Prints the status every two seconds until a signal ends the command.")
    private static let watchInterval = Duration.seconds(2)

    static let command = Command(
        name: "status", abstract: "Shows the committed offset, end, lag and reader of each partition.",
        discussion: [
            "Shows all topics that the mapping reads. A topic whose partitions cannot be shown is reported after the "
                + "others.",
            "A reader is a member of the group, shown as client id and host. A run with --standalone is not a member.",
        ],
        options: ConsumerOptions.cluster + MappingOptions.all + [
            ConsumerOptions.group, ConsumerOptions.database, ConsumerOptions.schema, json, watch,
        ],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .configuration]
    ) { options in
        let sources = try await MappingOptions.read(options)
        let topics = TopicSelection(sources.flatMap(\.mapping.routes))
        let client = try await options.client()
        if options[watch] {
            let stop = StopSignal.listening()
            while !stop.isRequested {
                do {
                    try await show(options, topics, client, replacesOutput: true)
                } catch let failure as Failure where failure.status == .unavailable {
                    // The cluster or the database may come back.
                    Log.ofCommand.warning(failure.sentence)
                }
                try? await Timing().sleep(watchInterval, unless: stop)
            }
        } else {
            try await show(options, topics, client)
        }
        await client.close()
    }

    /// - Parameter replacesOutput: Whether to replace the previous output on a terminal.
    private static func show(
        _ options: ParsedOptions, _ topics: TopicSelection, _ client: KafkaClient, replacesOutput: Bool = false
    ) async throws {
        let group = options[ConsumerOptions.group]
        let (logs, missing): ([IngestStart.Log], [String: KafkaError])
        let readers: [TopicPartition: String]
        do {
            (logs, missing) = try await client.firstStep { try await lookUp(topics, client) }
            readers = try await client.firstStep { try await Self.readers(of: group, client) }
        } catch let error as KafkaError {
            throw Failure(error, topic: topics.description, bootstrapServers: client.servers)
        }
        var failures = missing.mapValues { error in
            Failure(error, topic: error.topic ?? topics.description, bootstrapServers: client.servers)
        }
        let entries = try await committedOffsets(options, of: logs.map(\.topic.name))
        var rows: [Row] = []
        for log in logs {
            do throws(Failure) {
                rows += try Self.rows(
                    log, entries.filter { $0.partition.topic == log.topic.name }, readers, group: group)
            } catch {
                failures[log.topic.name] = error
            }
        }
        if replacesOutput, Output.standard.isTerminal { Output.standard.clearScreen() }
        if !rows.isEmpty || failures.isEmpty {
            try await Output.standard.write(
                options[json] ? JSONValue.array(rows.map(\.json)).text + "\n" : table(rows))
        }
        let failed = failures.sorted { $0.key < $1.key }.map(\.value)
        for failure in failed.dropLast() { Log.ofCommand.error(failure.sentence) }
        if let failure = failed.last { throw failure }
    }

    /// The member of the group that reads each partition, as client id and host; empty if the group does not exist.
    private static func readers(of group: String, _ client: KafkaClient) async throws -> [TopicPartition: String] {
        guard let outcome = try await client.admin.describeGroups([group])[group] else { return [:] }
        switch outcome {
        case .success(let description):
            var readers: [TopicPartition: String] = [:]
            for member in description.members {
                let host = member.clientHost.hasPrefix("/") ? String(member.clientHost.dropFirst()) : member.clientHost
                for partition in member.assignment {
                    readers[partition] = "\(member.groupInstanceID ?? member.clientID)@\(host)"
                }
            }
            return readers
        case .failure(let error) where error.code == .groupIdNotFound: return [:]
        case .failure(let error): throw error
        }
    }

    /// - Parameter entries: The group's offsets in the topic.
    /// - Throws: If the offsets belong to an earlier topic of the same name, and so do not apply to this one.
    private static func rows(
        _ log: IngestStart.Log, _ entries: [OffsetStore.Entry], _ readers: [TopicPartition: String], group: String
    ) throws(Failure) -> [Row] {
        let topic = log.topic
        if topic.id != .zero,
            let other = entries.lazy.compactMap(\.topicID).first(where: { $0 != topic.id.description })
        {
            throw Failure(
                "topic \(topic.name) was deleted and created again after group \(group) read it: its id was \(other) "
                    + "and is \(topic.id); 'run' says how to continue", status: .configuration)
        }
        let committed = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        return log.latest.filter { $0.key.topic == topic.name }.sorted { $0.key < $1.key }.map { partition, end in
            Row(
                topic: topic.name, partition: partition.partition, committed: committed[partition],
                begin: log.earliest[partition]?.offset ?? 0, end: end.offset, reader: readers[partition])
        }
    }

    /// - Returns: The logs, and the errors of topics that cannot be looked up.
    /// - Throws: `KafkaError`; `Failure` if no topic matches.
    private static func lookUp(
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
        let creator = InitCommand.line(for: options)
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
        /// Nil if the group has not read the partition yet.
        let committed: Int64?
        /// The start of the log.
        let begin: Int64
        let end: Int64
        /// The group member that reads the partition; nil if none.
        var reader: String?

        /// The number of records that are not committed. Both offsets come from outside, so the subtraction must not
        /// trap.
        var lag: Int64 { end.subtractingSaturated(committed ?? begin) }

        var json: JSONValue {
            .object([
                .init("topic", .string(topic)), .init("partition", .integer(Int(partition))),
                .init("committed", committed.map { .integer(Int($0)) } ?? .null), .init("end", .integer(Int(end))),
                .init("lag", .integer(Int(lag))), .init("reader", reader.map { .string($0) } ?? .null),
            ])
        }
    }

    private static func table(_ rows: [Row]) -> String {
        let header = ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "READER"]
        let lines = rows.map { row in
            [
                ForeignText.visible(row.topic), "\(row.partition)", row.committed.map { "\($0)" } ?? "-", "\(row.end)",
                "\(row.lag)", row.reader.map { ForeignText.visible($0) } ?? "-",
            ]
        }
        return TextTable.lines(of: [header] + lines)
    }
}
