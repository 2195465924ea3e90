import CommandLineSupport
import Concurrency
import IngestEngine
import KafkaWire
import PGWire

/// One run of the pipeline: checks its prerequisites, runs the workers, and makes their commits durable.
struct ConsumerRun: Sendable {
    let options: ParsedOptions
    let sources: [IngestPlan.Source]
    /// For everything except the workers' own consumers.
    let client: KafkaClient
    let totals: IngestTotals
    let stop: StopSignal
    let monitor: RunMonitor

    private var observer: IngestObserver { monitor.observer }
    private var log: Log { observer.log }

    private var isGroup: Bool { !options[ConsumerOptions.standalone] }

    /// What a run has found before it begins.
    private struct Prerequisites {
        let database: Database
        let tables: OwnTables
        let plan: IngestPlan
        let store: OffsetStore
        let start: IngestStart
    }

    /// - Throws: `Failure`; `KafkaError`; `BindingError`; `PostgresError`; `Fenced`; `Stopped`.
    func ingest() async throws {
        let mapping = try IngestPlan.commonSettings(sources)
        let topics = TopicSelection(sources.flatMap(\.mapping.routes))
        let prerequisites =
            options[ConsumerOptions.wait]
            ? try await waitToBegin(mapping, topics) : try await begin(mapping, topics)
        try await run(prerequisites, mapping, topics)
    }

    /// Checks the prerequisites of the run, and retries until all of them exist.
    private func waitToBegin(_ mapping: Mapping, _ topics: TopicSelection) async throws -> Prerequisites {
        let backoff = Backoff(initial: .milliseconds(500), maximum: .seconds(10))
        var wait = Wait("beginning", observer)
        defer { wait.end() }
        var failures = 0
        while true {
            do {
                let prerequisites = try await begin(mapping, topics)
                wait.succeeded("all prerequisites exist now: beginning")
                return prerequisites
            } catch let failure where Self.isWorthWaiting(failure) {
                if stop.isRequested { throw Stopped() }
                failures += 1
                wait.failed("\(failure)", at: .now, "waiting to begin: \(failure)")
                try await Timing().sleep(
                    backoff.delay(afterFailures: failures, random: .random(in: 0..<1)), unless: stop)
            }
        }
    }

    private static func isWorthWaiting(_ error: any Error) -> Bool {
        switch error {
        case let error as KafkaError: error.isRetriable || error.code == .unknownTopicOrPartition
        // The server would refuse this user again.
        case let error as PostgresError:
            error.kind != .usage && error.sqlState?.hasPrefix("28") != true && error.sqlState != "42501"
        case let error as BindingError: error.isOfAbsence
        case let failure as Failure: failure.isOfAbsence || failure.status == .unavailable
        default: false
        }
    }

    /// Checks the prerequisites of the run.
    private func begin(_ mapping: Mapping, _ topics: TopicSelection) async throws -> Prerequisites {
        let database = makeDatabase(observer)
        do {
            return try await begin(mapping, topics, database)
        } catch {
            await database.close()
            throw error
        }
    }

    private func begin(
        _ mapping: Mapping, _ topics: TopicSelection, _ database: Database
    ) async throws -> Prerequisites {
        let connection = try await database.connected()
        let tables = try await findTables(connection)
        let plan = try await IngestPlan.bind(sources, group: options[ConsumerOptions.group], connection)
        let privileges = tables.privileges
        try await connection.transaction { session in try privileges.check(&session) }
        for route in plan.routes where !route.leftToDefault.isEmpty {
            log.info(
                "\(route.table.name.text): columns that get their defaults, since the mapping does not name them: "
                    + route.leftToDefault.joined(separator: ", "))
        }
        let store = try await OffsetStore(
            table: tables.offsetTable, group: options[ConsumerOptions.group], over: connection)
        let start = try await IngestStart.find(locking: !isGroup, offsets: store, connection: connection) {
            let (logs, missing) = try await client.firstStep {
                try await IngestStart.lookUpEach(try await topics.resolve(client), client: client)
            }
            for (topic, error) in missing.sorted(by: { $0.key < $1.key }) {
                guard mapping.partitionErrors == .continue, !logs.isEmpty else { throw error }
                log.error("topic \(topic) is not read, but the others are: \(error)")
            }
            guard !logs.isEmpty else {
                var failure = Failure(
                    "no topic matches \(topics.description): create one, or correct the mapping",
                    status: .configuration)
                failure.isOfAbsence = true
                throw failure
            }
            return logs
        }
        // If nothing is left to read, the run has nothing to do.
        if let failure = start.firstFailure, mapping.partitionErrors == .stop || start.offsets.isEmpty { throw failure }
        return Prerequisites(database: database, tables: tables, plan: plan, store: store, start: start)
    }

    private func run(_ prerequisites: Prerequisites, _ mapping: Mapping, _ topics: TopicSelection) async throws {
        let (database, tables, plan) = (prerequisites.database, prerequisites.tables, prerequisites.plan)
        let (store, start) = (prerequisites.store, prerequisites.start)
        let settings = IngestSettings(
            isGroup: isGroup, topics: topics, offsets: store, mapping: mapping, totals: totals, stop: stop,
            observer: observer,
            bind: { [sources, options] connection in
                try await IngestPlan.bind(sources, group: options[ConsumerOptions.group], connection)
            })
        let clients = try await memberClients()
        let members = clients.enumerated().map { index, client in
            let observer = observer(ofWorker: index + 1)
            return IngestMember(
                client: client,
                database: index == 0 ? database : makeDatabase(observer, name: "database of worker \(index + 1)"),
                offsets: store, schema: tables.schema, observer: observer)
        }
        let ingest = Ingest(settings, members)
        monitor.began(ingest)
        logStart(plan, start)
        let lines = Task { await ProgressLog(monitor: monitor, takeRejections: { ingest.takeRejections() }).run() }
        let letters = Task { await countLetters(tables) }
        let settling = Task { await settle(tables) }
        let progress = Task { if StatusLine.shared.isTerminal { await showProgress(of: ingest) } }
        defer {
            lines.cancel()
            letters.cancel()
            settling.cancel()
            progress.cancel()
        }
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

    /// Keeps the count of open dead letters up to date for the monitoring pages. It needs the right to read the table.
    private func countLetters(_ tables: OwnTables) async {
        guard options[ConsumerOptions.http] != nil else { return }
        let connection = SideConnection(options[ConsumerOptions.database])
        let box = LetterBox(tables, user: "")
        var selection = LetterBox.Selection()
        selection.group = options[ConsumerOptions.group]
        let ofGroup = selection
        await monitor.countLetters {
            try? await connection.use { connection in
                try await connection.transaction(prelude: "SET LOCAL statement_timeout = 5000") { session in
                    try box.count(ofGroup, &session)
                }
            }
        }
        await connection.close()
    }

    /// Settles rows, to keep the plant's tiles fast. A run that ends by itself leaves that to the next one.
    private func settle(_ tables: OwnTables) async {
        guard MappingOptions.isBuiltIn(options), !options[ConsumerOptions.untilCaughtUp] else { return }
        let schema = WorkshopSchema(quotedName: tables.quotedSchema, plant: options[MappingOptions.plant])
        await Settling(
            settlers: RowTable.all.map { RowSettler(schema: schema, table: $0) }, observer: observer,
            lag: { monitor.lag },
            connection: SideConnection(options[ConsumerOptions.database])
        ).run()
    }

    /// Logs the versions, topics, tables and positions with which the run begins.
    private func logStart(_ plan: IngestPlan, _ start: IngestStart) {
        let positions = start.offsets.sorted { $0.key < $1.key }
        let shown = positions.prefix(20).map { "\($0.key)@\($0.value)" }.joined(separator: " ")
        let more = positions.count > 20 ? " and \(positions.count - 20) more" : ""
        log.info(
            "started",
            [
                "version": .string(KafkaWireVersion.current), "group": .string(options[ConsumerOptions.group]),
                "workers": .integer(isGroup ? options[ConsumerOptions.workers] : 1), "standalone": .bool(!isGroup),
                "topics": .string(start.partitionCounts.keys.sorted().joined(separator: ",")),
                "tables": .string(plan.labels.joined(separator: ",")), "positions": .string(shown + more),
            ])
    }

    private func makeDatabase(_ observer: IngestObserver, name: String = "database") -> Database {
        Database(
            uri: options[ConsumerOptions.database], applicationName: "tfi-consumer", stop: stop, observer: observer,
            name: name)
    }

    private func findTables(_ connection: PostgresConnection) async throws -> OwnTables {
        let plant = options[MappingOptions.plant]
        return try await DatabaseAccess.ownTables(
            in: options[ConsumerOptions.schema],
            needed: MappingOptions.isBuiltIn(options)
                ? WorkshopSchema.requiredTables(of: plant) : WorkshopSchema.ownTables,
            createdBy: InitCommand.line(for: options), over: connection)
    }

    /// The clients of the workers. Without a group it is the run's own client.
    private func memberClients() async throws -> [KafkaClient] {
        guard isGroup else { return [client] }
        let chosen = try await options.givesProperty("group.protocol") ? client.configuration.group.groupProtocol : nil
        return try await client.members(
            of: options[ConsumerOptions.group], chosen, count: options[ConsumerOptions.workers],
            log: { observer(ofWorker: $0).log }, counters: monitor.clients)
    }

    private func observer(ofWorker number: Int) -> IngestObserver {
        isGroup && options[ConsumerOptions.workers] > 1 ? observer.ofWorker(number) : observer
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

    /// Updates the status line: rate, lag, rows and batch time, over all workers.
    private func showProgress(of ingest: Ingest) async {
        var before = (records: 0, at: ContinuousClock.now)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            let now = ContinuousClock.now
            let snapshot = totals.snapshot
            let rate = Double(snapshot.records - before.records) / max((now - before.at) / .seconds(1), 0.001)
            before = (snapshot.records, now)
            let lag = ingest.lag
            StatusLine.shared.update {
                "\(Numbers.rate(rate))  lag \(lag.map { Numbers.grouped(Int($0)) } ?? "unknown")  "
                    + "rows \(Numbers.grouped(snapshot.rows))  "
                    + "dead letters \(Numbers.grouped(snapshot.deadLetters))  "
                    + "batch \(Numbers.fixed(snapshot.lastBatchTime / .milliseconds(1), decimals: 1)) ms"
            }
        }
    }
}
