import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer offsets …`: the offsets at which a group continues.
enum OffsetCommands {
    static let all = [show, set]

    private static let to = Option(optional: "to", .offsetTarget, help: "The position to continue at.")
    private static let partitions = Option(
        repeated: "partition", .int(0...Int(Int32.max)),
        help: "A partition to change; may be repeated. Default: all partitions of the topics."
    )
    private static let yes = Option(flag: "yes", help: "Does not ask for confirmation.")
    private static let dryRun = Option(flag: "dry-run", help: "Shows what would happen, and changes nothing.")
    private static let json = Option(flag: "json", help: "Prints an array of objects instead of a table.")

    private static let reaching: [any OptionDeclaration] =
        ConsumerOptions.cluster + MappingOptions.all + [
            ConsumerOptions.group, ConsumerOptions.database, ConsumerOptions.schema,
        ]

    private static let show = Command(
        name: "offsets show", abstract: "Shows the offset at which a group continues in each partition.",
        options: reaching + [json],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .configuration]
    ) { options in
        let (logs, _) = try await lookUp(options)
        let entries = try await withStore(options) { store, _, connection in
            try await connection.transaction { session in try store.entries(of: logs.map(\.topic.name), &session) }
        }
        let offsets = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        let rows = logs.flatMap { log in
            log.latest.sorted { $0.key < $1.key }.map { partition, end in
                (partition, log.earliest[partition]?.offset ?? 0, offsets[partition], end.offset)
            }
        }
        if options[json] {
            let array = JSONValue.array(
                rows.map { partition, begin, offset, end in
                    [
                        "topic": .string(partition.topic), "partition": .integer(Int(partition.partition)),
                        "begin": .integer(Int(begin)), "offset": offset.map { .integer(Int($0)) } ?? nil,
                        "end": .integer(Int(end)),
                    ]
                })
            try await Output.standard.write(array.text + "\n")
        } else {
            let lines = rows.map { partition, begin, offset, end in
                [
                    ForeignText.visible(partition.topic), "\(partition.partition)", "\(begin)",
                    offset.map { "\($0)" } ?? "-", "\(end)",
                ]
            }
            try await Output.standard.write(
                TextTable.lines(of: [["TOPIC", "PARTITION", "BEGIN", "OFFSET", "END"]] + lines))
        }
    }

    private static let set = Command(
        name: "offsets set", abstract: "Makes a group continue at another position. None of its runs may be active.",
        discussion: [
            "Messages after the new position that were read before are read again. In tables of the mode append their "
                + "rows then come twice; not so if the mode is ignore and the key contains the rows' source (topic, "
                + "partition and offset). Messages between the old position and a later new one are never read.",
            "The table kafka_offset_change records each change, its time and the user.",
        ],
        options: reaching + [to, partitions, yes, dryRun],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .conflict, .configuration]
    ) { options in
        let target = try options.required(to)
        let group = options[ConsumerOptions.group]
        let (logs, places) = try await lookUp(options, target: target, group: group)
        let chosen = Set(options[partitions].map { Int32($0) })
        let sources = try await MappingOptions.read(options)
        let (isTrial, isConfirmed) = (options[dryRun], options[yes])
        try await withStore(options) { store, tables, connection in
            let entries = try await connection.transaction { session in
                try store.entries(of: logs.map(\.topic.name), &session)
            }
            let changes = try Self.changes(logs, places, entries, chosen)
            try await Output.standard.write(Self.table(changes))
            if changes.contains(where: { $0.to < $0.from ?? 0 }), sources.contains(where: \.appends) {
                Log.ofCommand.warning("rows of messages that are read again come twice in tables of the mode append")
            }
            if isTrial || changes.isEmpty { return }
            if !isConfirmed { try await Confirmation.ask("set \(changes.count) offsets of group \(group)") }
            try await connection.transaction { session in
                try store.change(
                    changes, by: Confirmation.userAndHost, recordedIn: tables.quoted(OwnTables.offsetChanges), &session)
            }
            StatusLine.shared.message("offsets set: \(changes.count)")
        }
    }

    // MARK: Steps

    /// Looks up the logs of the topics, and the target's offset in each partition.
    ///
    /// - Parameter group: A group that must have no members; nil to skip that check.
    private static func lookUp(
        _ options: ParsedOptions, target: OffsetTarget = .latest, group: String? = nil
    ) async throws -> (logs: [IngestStart.Log], places: [TopicPartition: Int64]) {
        let sources = try await MappingOptions.read(options)
        let topics = TopicSelection(sources.flatMap(\.mapping.routes))
        let chosen = Set(options[partitions].map { Int32($0) })
        let client = try await options.client()
        do {
            let found = try await client.firstStep {
                if let group { try await checkIdle(group, client) }
                let names = try await topics.resolve(client)
                guard !names.isEmpty else {
                    throw Failure("no topic matches \(topics.description)", status: .configuration)
                }
                let logs = try await IngestStart.lookUp(names, client: client)
                return (logs, try await places(of: target, logs, chosen, client))
            }
            await client.close()
            return found
        } catch let error as KafkaError {
            await client.close()
            throw Failure(error, topic: topics.description, bootstrapServers: client.servers)
        }
    }

    /// - Throws: `Failure` of status `conflict` if the group has members.
    private static func checkIdle(_ group: String, _ client: KafkaClient) async throws {
        guard let outcome = try await client.admin.describeGroups([group])[group] else { return }
        let description: GroupDescription
        switch outcome {
        case .success(let found): description = found
        case .failure(let error) where error.code == .groupIdNotFound: return
        case .failure(let error): throw error
        }
        if description.members.isEmpty { return }
        let names = description.members.map { "\($0.clientID) at \($0.clientHost)" }.sorted().prefix(5)
        throw Failure(
            "group \(group) has \(description.members.count) members (\(names.joined(separator: ", "))): stop them "
                + "first",
            status: .conflict)
    }

    private static func places(
        of target: OffsetTarget, _ logs: [IngestStart.Log], _ chosen: Set<Int32>, _ client: KafkaClient
    ) async throws -> [TopicPartition: Int64] {
        var places: [TopicPartition: Int64] = [:]
        for log in logs {
            for (partition, end) in log.latest where chosen.isEmpty || chosen.contains(partition.partition) {
                let begin = log.earliest[partition]?.offset ?? 0
                switch target {
                case .earliest: places[partition] = begin
                case .latest, .time: places[partition] = end.offset
                case .offset(let offset):
                    guard (begin...max(begin, end.offset)).contains(offset) else {
                        throw Failure(
                            "\(partition) has offsets from \(begin) to \(end.offset): \(offset) is not one of them",
                            status: .usage)
                    }
                    places[partition] = offset
                }
            }
        }
        guard case .time(let milliseconds) = target else { return places }
        let found = try await client.admin.listOffsets(
            places.mapValues { _ in .timestamp(KafkaTimestamp(millisecondsSince1970: milliseconds)) })
        // A partition without a message at or after that time stays at its end.
        for (partition, offset) in found where offset.offset >= 0 { places[partition] = offset.offset }
        return places
    }

    private static func changes(
        _ logs: [IngestStart.Log], _ places: [TopicPartition: Int64], _ entries: [OffsetStore.Entry],
        _ chosen: Set<Int32>
    ) throws(Failure) -> [OffsetChange] {
        let offsets = Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 }
        let ids = Dictionary(logs.map { ($0.topic.name, $0.topic.id) }) { $1 }
        let numbers = Set(places.keys.map(\.partition))
        if let missing = chosen.subtracting(numbers).min() {
            throw Failure("there is no partition \(missing)", status: .usage)
        }
        return places.sorted { $0.key < $1.key }.compactMap { partition, to in
            let id = ids[partition.topic].flatMap { $0 == .zero ? nil : $0.description }
            return OffsetChange(partition: partition, from: offsets[partition], to: to, topicID: id)
        }
    }

    private static func table(_ changes: [OffsetChange]) -> String {
        let lines = changes.map { change in
            let effect: String =
                switch change.from {
                case nil: "begins there"
                case let from? where from > change.to:
                    "\(Numbers.grouped(Int(from.subtractingSaturated(change.to)))) are read again"
                case let from? where from < change.to:
                    "\(Numbers.grouped(Int(change.to.subtractingSaturated(from)))) are never read"
                default: "stays"
                }
            return [
                ForeignText.visible(change.partition.topic), "\(change.partition.partition)",
                change.from.map { "\($0)" } ?? "-", "\(change.to)", effect,
            ]
        }
        return TextTable.lines(of: [["TOPIC", "PARTITION", "FROM", "TO", "MESSAGES"]] + lines)
    }

    private static func withStore<Value: Sendable>(
        _ options: ParsedOptions, _ body: (OffsetStore, OwnTables, PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let creator = InitCommand.line(for: options)
        return try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let tables = try await DatabaseAccess.ownTables(
                in: options[ConsumerOptions.schema], needed: [OwnTables.offsets.name], createdBy: creator,
                over: connection)
            let store = try await OffsetStore(
                table: tables.offsetTable, group: options[ConsumerOptions.group], over: connection)
            return try await body(store, tables, connection)
        }
    }
}

extension IngestPlan.Source {
    /// Whether the rows of a message that is read twice come twice.
    fileprivate var appends: Bool { mapping.routes.contains { $0.mode == .append } }
}
