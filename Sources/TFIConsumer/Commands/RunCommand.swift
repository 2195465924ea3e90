import CommandLineSupport
import Foundation
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer run`: from the topic into the database.
enum RunCommand {
    static let command = Command(
        name: "run", abstract: "Brings the topics' messages into the database, each exactly once.",
        discussion: [
            "The offsets stand in the database, in the same transaction as the rows, so that a run can be ended at "
                + "any moment, in any way, and the next one goes on where it was.",
            "A message that can't be a row goes to the table dead_letter with the reason. A broker or a database that "
                + "goes away is waited for.",
        ],
        options: ConsumerOptions.cluster + MappingOptions.all + [
            ConsumerOptions.group, ConsumerOptions.database, ConsumerOptions.schema, ConsumerOptions.untilCaughtUp,
            CommonOptions.summaryJSON,
        ],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .internalError, .conflict, .configuration]
    ) { options in
        let began = ContinuousClock.now
        let sources = try await MappingOptions.read(options)
        let settings = try IngestPlan.commonSettings(sources)
        let stop = StopSignal.listening()
        ShutdownLimit.enforce(after: stop)
        let say: @Sendable (String) -> Void = { StatusLine.shared.message("tfi-consumer: \($0)") }
        let client = try await options.client(say: say)
        let database = Database(
            uri: options[ConsumerOptions.database], applicationName: "tfi-consumer", stop: stop, say: say)
        let totals = IngestTotals()
        do {
            try await ingest(sources, settings, options, client, database, totals, stop, say)
        } catch let error as KafkaError {
            throw Failure(
                error, topic: TopicSelection(sources.flatMap(\.mapping.routes)).description,
                bootstrapServers: client.servers)
        } catch let error as BindingError {
            throw Failure(error.description, status: .configuration)
        } catch let error as PostgresError where stop.isRequested && error.kind != .usage {
            // The stop has ended the wait for a database that did not answer.
            say(Self.endedWaiting)
        } catch let error as PostgresError {
            throw Failure(error)
        } catch let error as Fenced {
            throw Failure("\(error)", status: .conflict)
        } catch is Stopped {
            say(Self.endedWaiting)
        }
        await client.close()
        await database.close()
        StatusLine.shared.clear()
        let summary = RunSummary(totals.snapshot, seconds: (ContinuousClock.now - began) / .seconds(1))
        StatusLine.shared.message(summary.sentence)
        if options[CommonOptions.summaryJSON] { try await Output.standard.write(summary.json.text + "\n") }
    }

    private static let endedWaiting = "ended while it waited: what wasn't committed will be read again"

    private static func ingest(
        _ sources: [IngestPlan.Source], _ settings: Mapping, _ options: ParsedOptions, _ client: KafkaClient,
        _ database: Database, _ totals: IngestTotals, _ stop: StopSignal, _ say: @escaping @Sendable (String) -> Void
    ) async throws {
        let connection = try await database.connected()
        let isBuiltIn = MappingOptions.isBuiltIn(options)
        let tables = try await DatabaseAccess.ownTables(
            in: options[ConsumerOptions.schema],
            needed: isBuiltIn ? WorkshopSchema.requiredTables : WorkshopSchema.ownTables,
            createdBy: isBuiltIn ? InitCommand.forThePlant : InitCommand.forAnyMapping, over: connection)
        let plan = try await IngestPlan.bind(sources, connection)
        let privileges = tables.privileges
        try await connection.transaction { session in try privileges.check(&session) }
        for route in plan.routes where !route.leftToDefault.isEmpty {
            say(
                "\(route.table.name.text): left to their defaults, since the mapping does not name them: "
                    + route.leftToDefault.joined(separator: ", "))
        }
        let topics = TopicSelection(sources.flatMap(\.mapping.routes))
        let store = try await OffsetStore(
            table: tables.offsetTable, group: options[ConsumerOptions.group], over: connection)
        let start = try await IngestStart.find(offsets: store, connection: connection) {
            let logs = try await client.beginning {
                try await IngestStart.lookUp(try await topics.resolve(client), client: client)
            }
            guard !logs.isEmpty else {
                throw Failure(
                    "no topic matches \(topics.description): create one, or correct the mapping",
                    status: .configuration)
            }
            return logs
        }
        let ends = options[ConsumerOptions.untilCaughtUp] ? start.ends : nil
        // From here on a place in the log that isn't there is an error, not a reason to begin elsewhere.
        let consumer = client.consumer(offsetReset: .fail)
        let follower = GroupOffsets(
            client: client, group: store.group, topicIDs: start.topicIDs, totals: totals, say: say)
        let ingest = Ingest(
            client: client, consumer: consumer,
            sink: Sink(database: database, offsets: store, schema: tables.schema), topics: topics, totals: totals,
            stop: stop, limit: settings.deadLetterLimit, say: say,
            bind: { connection in try await IngestPlan.bind(sources, connection) },
            findStart: { previous in
                let start = try await IngestStart.find(
                    topics, after: previous, client: client, offsets: store, database: database, stop: stop)
                follower.setTopicIDs(start.topicIDs)
                return start
            })
        let companions = Task {
            await withTaskGroup { group in
                group.addTask { await follower.follow() }
                if StatusLine.shared.isTerminal {
                    group.addTask { await showProgress(totals, consumer) }
                }
            }
        }
        defer { companions.cancel() }
        try await ingest.run(plan, from: start, until: ends)
        try await makeDurable(store, Set(totals.snapshot.committed.keys.map(\.topic)), database)
        await follower.commit()
    }

    /// After a successful exit the server may be shut down, so make the commits durable first.
    private static func makeDurable(
        _ store: OffsetStore, _ topics: Set<String>, _ database: Database
    ) async throws {
        func failure(_ reason: String) -> Failure {
            Failure(
                "all rows are committed, but the database has not confirmed that they are on its disk\(reason): if it "
                    + "crashes now, the next run reads their messages again", status: .unavailable)
        }
        do {
            try await database.finishing { connection in
                _ = try await connection.transaction(prelude: Sink.transactionSettings) { session in
                    try store.makeDurable(of: topics, &session)
                }
            }
        } catch is Stopped {
            throw failure("")
        } catch let error as PostgresError {
            throw failure(" (\(error))")
        }
    }

    /// Draws the live line: rate, lag, rows, batch time.
    private static func showProgress(_ totals: IngestTotals, _ consumer: KafkaConsumer) async {
        var before = (records: 0, at: ContinuousClock.now)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            let now = ContinuousClock.now
            let snapshot = totals.snapshot
            let rate = Double(snapshot.records - before.records) / max((now - before.at) / .seconds(1), 0.001)
            before = (snapshot.records, now)
            let ends = consumer.highWatermarks
            let lag = ends.reduce(Int64(0)) { sum, entry in
                let committed = snapshot.committed[entry.key] ?? entry.value
                return sum.addingSaturated(max(0, entry.value.subtractingSaturated(committed)))
            }
            // Unknown until the brokers have told the ends of all partitions.
            let shownLag = ends.count < snapshot.committed.count ? "unknown" : Numbers.grouped(Int(lag))
            StatusLine.shared.update {
                "\(Numbers.rate(rate))  lag \(shownLag)  rows \(Numbers.grouped(snapshot.rows))  "
                    + "dead letters \(Numbers.grouped(snapshot.deadLetters))  "
                    + "batch \(Numbers.fixed(snapshot.lastBatchTime / .milliseconds(1), decimals: 1)) ms"
            }
        }
    }
}

/// What a run came to.
struct RunSummary {
    private let totals: IngestTotals.Snapshot
    private let seconds: Double

    init(_ totals: IngestTotals.Snapshot, seconds: Double) {
        self.totals = totals
        self.seconds = seconds
    }

    private var rowsPerSecond: Double { seconds > 0 ? Double(totals.rows) / seconds : 0 }

    var sentence: String {
        let rows = totals.tables.map { "\(Numbers.grouped(totals.rowsByTable[$0] ?? 0)) in \($0)" }
        return "\(Numbers.grouped(totals.records)) records: \(Numbers.grouped(totals.rows)) rows "
            + "(\(rows.joined(separator: ", "))), \(Numbers.grouped(totals.deadLetters)) dead letters, in "
            + "\(Numbers.seconds(seconds)) (\(Numbers.rate(rowsPerSecond)))"
    }

    var json: JSONValue {
        .object([
            .init("records", .integer(totals.records)),
            .init(
                "rows",
                .object(totals.tables.map { .init($0, .integer(totals.rowsByTable[$0] ?? 0)) })),
            .init("dead_letters", .integer(totals.deadLetters)),
            .init("suppressed_rows", .integer(totals.suppressed)), .init("bytes", .integer(totals.messageBytes)),
            .init("seconds", .rounded(seconds, decimals: 3)), .init("batches", .integer(totals.batches)),
            .init("rows_per_second", .rounded(rowsPerSecond, decimals: 1)),
            .init("max_rss_mb", .rounded(ResourceUsage.current.maxResidentMB, decimals: 1)),
        ])
    }
}
