import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// One run of the pipeline: checks what it needs, runs the workers, and makes their commits durable.
struct ConsumerRun: Sendable {
    let options: ParsedOptions
    let sources: [IngestPlan.Source]
    /// For everything but the workers' own consumers.
    let client: KafkaClient
    let totals: IngestTotals
    let stop: StopSignal
    let say: @Sendable (String) -> Void

    private var isGroup: Bool { !options[ConsumerOptions.standalone] }

    /// - Throws: `Failure`; `KafkaError`; `BindingError`; `PostgresError`; `Fenced`; `Stopped`.
    func ingest() async throws {
        let mapping = try IngestPlan.commonSettings(sources)
        let topics = TopicSelection(sources.flatMap(\.mapping.routes))
        let database = makeDatabase(say)
        let connection = try await database.connected()
        let tables = try await findTables(connection)
        let plan = try await IngestPlan.bind(sources, connection)
        let privileges = tables.privileges
        try await connection.transaction { session in try privileges.check(&session) }
        for route in plan.routes where !route.leftToDefault.isEmpty {
            say(
                "\(route.table.name.text): left to their defaults, since the mapping does not name them: "
                    + route.leftToDefault.joined(separator: ", "))
        }
        let store = try await OffsetStore(
            table: tables.offsetTable, group: options[ConsumerOptions.group], over: connection)
        let start = try await IngestStart.find(locking: !isGroup, offsets: store, connection: connection) {
            let (logs, missing) = try await client.beginning {
                try await IngestStart.lookUpEach(try await topics.resolve(client), client: client)
            }
            for (topic, error) in missing.sorted(by: { $0.key < $1.key }) {
                guard mapping.partitionErrors == .continue, !logs.isEmpty else { throw error }
                say("topic \(topic) is not read, and the others are: \(error)")
            }
            guard !logs.isEmpty else {
                throw Failure(
                    "no topic matches \(topics.description): create one, or correct the mapping",
                    status: .configuration)
            }
            return logs
        }
        // If nothing is left to read, the run has nothing to do.
        if let failure = start.firstFailure, mapping.partitionErrors == .stop || start.offsets.isEmpty { throw failure }
        let settings = IngestSettings(
            isGroup: isGroup, topics: topics, offsets: store, mapping: mapping, totals: totals, stop: stop, say: say,
            bind: { [sources] connection in try await IngestPlan.bind(sources, connection) })
        let clients = try await memberClients()
        let members = clients.enumerated().map { index, client in
            let say: @Sendable (String) -> Void = { [self] line in sayOfWorker(index + 1, line) }
            return IngestMember(
                client: client, database: index == 0 ? database : makeDatabase(say), offsets: store,
                schema: tables.schema, say: say)
        }
        let ingest = Ingest(settings, members)
        let progress = Task { if StatusLine.shared.isTerminal { await showProgress(of: ingest) } }
        defer { progress.cancel() }
        do {
            try await ingest.run(plan, from: start, until: options[ConsumerOptions.untilCaughtUp] ? start.ends : nil)
        } catch {
            for client in clients { await client.close() }
            throw error
        }
        try await makeDurable(store, Set(start.ends.keys.map(\.topic)), database)
        if isGroup { for client in clients { await client.close() } }
        for member in members { await member.close() }
    }

    private func makeDatabase(_ say: @escaping @Sendable (String) -> Void) -> Database {
        Database(uri: options[ConsumerOptions.database], applicationName: "tfi-consumer", stop: stop, say: say)
    }

    private func findTables(_ connection: PostgresConnection) async throws -> OwnTables {
        let isBuiltIn = MappingOptions.isBuiltIn(options)
        return try await DatabaseAccess.ownTables(
            in: options[ConsumerOptions.schema],
            needed: isBuiltIn ? WorkshopSchema.requiredTables : WorkshopSchema.ownTables,
            createdBy: isBuiltIn ? InitCommand.forThePlant : InitCommand.forAnyMapping, over: connection)
    }

    /// A client for each worker. Without a group it is the run's own.
    private func memberClients() async throws -> [KafkaClient] {
        guard isGroup else { return [client] }
        let chosen = try await options.givesProperty("group.protocol") ? client.configuration.group.groupProtocol : nil
        return try await client.members(
            of: options[ConsumerOptions.group], chosen, count: options[ConsumerOptions.workers], say: sayOfWorker)
    }

    @Sendable private func sayOfWorker(_ number: Int, _ line: String) {
        say(isGroup && options[ConsumerOptions.workers] > 1 ? "worker \(number): \(line)" : line)
    }

    /// After a successful exit the server may be shut down, so make the commits durable first.
    private func makeDurable(_ store: OffsetStore, _ topics: Set<String>, _ database: Database) async throws {
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

    /// Draws the live line: rate, lag, rows, batch time, summed over the workers.
    private func showProgress(of ingest: Ingest) async {
        var before = (records: 0, at: ContinuousClock.now)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            let now = ContinuousClock.now
            let snapshot = totals.snapshot
            let rate = Double(snapshot.records - before.records) / max((now - before.at) / .seconds(1), 0.001)
            before = (snapshot.records, now)
            let (ends, committed, partitions) = (ingest.ends, ingest.committed, ingest.partitions)
            let lag = ends.reduce(Int64(0)) { sum, entry in
                sum.addingSaturated(max(0, entry.value.subtractingSaturated(committed[entry.key] ?? entry.value)))
            }
            // Unknown until the brokers have told the ends of all partitions.
            let isKnown = partitions.isSubset(of: ends.keys) && partitions.isSubset(of: committed.keys)
            StatusLine.shared.update {
                "\(Numbers.rate(rate))  lag \(isKnown ? Numbers.grouped(Int(lag)) : "unknown")  "
                    + "rows \(Numbers.grouped(snapshot.rows))  "
                    + "dead letters \(Numbers.grouped(snapshot.deadLetters))  "
                    + "batch \(Numbers.fixed(snapshot.lastBatchTime / .milliseconds(1), decimals: 1)) ms"
            }
        }
    }
}
