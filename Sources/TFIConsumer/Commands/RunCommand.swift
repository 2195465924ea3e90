import CommandLineSupport
import Foundation
import HTTPServer
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer run`: reads the topics into the database.
enum RunCommand {
    static let command = Command(
        name: "run", abstract: "Writes the topics' messages to the database, each exactly once.",
        discussion: [
            "A run commits offsets to the database in the same transaction as the rows. You can end it at "
                + "any moment, in any way, and the next run continues where it ended.",
            "Runs with the same --group share the partitions, as members of a consumer group. Other members replace a "
                + "killed member when its session ends: after 45 s with Kafka's default settings.",
            "A message that cannot become a row goes to the table dead_letter with the reason. If a broker or the "
                + "database becomes unreachable, the run waits for it.",
        ],
        options: ConsumerOptions.cluster + MappingOptions.all + [
            ConsumerOptions.group, ConsumerOptions.workers, ConsumerOptions.standalone, ConsumerOptions.database,
            ConsumerOptions.schema, ConsumerOptions.untilCaughtUp, ConsumerOptions.wait, ConsumerOptions.http,
            ConsumerOptions.logFormat, ConsumerOptions.logLevel, CommonOptions.summaryJSON,
        ],
        statuses: [.success, .usage, .badData, .noInput, .unavailable, .internalError, .conflict, .configuration]
    ) { options in
        let began = ContinuousClock.now
        try options.checkExclusive(ConsumerOptions.workers, ConsumerOptions.standalone)
        let sources = try await MappingOptions.read(options)
        let stop = StopSignal.listening()
        ShutdownLimit.enforce(after: stop)
        let log = Log(format: options[ConsumerOptions.logFormat], level: options[ConsumerOptions.logLevel])
        do {
            try await serveAndRun(options, sources, stop, log, since: began)
        } catch var failure as Failure {
            log.error(failure.sentence, ["status": .integer(Int(failure.status.rawValue))])
            failure.isLogged = true
            throw failure
        }
    }

    private static func serveAndRun(
        _ options: ParsedOptions, _ sources: [IngestPlan.Source], _ stop: StopSignal, _ log: Log,
        since began: ContinuousClock.Instant
    ) async throws {
        let monitor = RunMonitor(observer: IngestObserver(log: log))
        let beating = Task { await monitor.beat() }
        let reporting = Task {
            guard let manager = ServiceManager.current else { return }
            await ServiceReports(manager: manager, monitor: monitor).run()
        }
        defer {
            beating.cancel()
            reporting.cancel()
        }
        let isWatched = MappingOptions.isBuiltIn(options) && options[ConsumerOptions.http] != nil
        let feed = isWatched ? PlantFeed(monitor: monitor, group: options[ConsumerOptions.group]) : nil
        let server = try serve(options, monitor, feed)
        do {
            try await run(options, sources, stop, monitor, feed, since: began)
        } catch {
            ServiceManager.current?.notify("STOPPING=1")
            await server?.stop()
            throw error
        }
        ServiceManager.current?.notify("STOPPING=1")
        await server?.stop()
    }

    private static func run(
        _ options: ParsedOptions, _ sources: [IngestPlan.Source], _ stop: StopSignal, _ monitor: RunMonitor,
        _ feed: PlantFeed?, since began: ContinuousClock.Instant
    ) async throws {
        let log = monitor.observer.log
        let client = try await options.client(log, counters: monitor.clients)
        let showing = Task { await show(feed, options, sources, client) }
        defer { showing.cancel() }
        let run = ConsumerRun(
            options: options, sources: sources, client: client, totals: IngestTotals(), stop: stop, monitor: monitor)
        do {
            try await run.ingest()
        } catch let error as KafkaError {
            throw Failure(
                error, topic: TopicSelection(sources.flatMap(\.mapping.routes)).description,
                bootstrapServers: run.client.servers)
        } catch let error as BindingError {
            throw Failure(error.description, status: .configuration)
        } catch let error as PostgresError where stop.isRequested && error.kind != .usage {
            // The stop ended the wait for a database that did not answer.
            log.warning(Self.endedWaiting)
        } catch let error as PostgresError {
            throw Failure(error)
        } catch let error as Fenced {
            throw Failure("\(error)", status: .conflict)
        } catch is Stopped {
            log.warning(Self.endedWaiting)
        }
        await run.client.close()
        StatusLine.shared.clear()
        let summary = RunSummary(run.totals.snapshot, seconds: (ContinuousClock.now - began) / .seconds(1))
        log.info(summary.sentence)
        if options[CommonOptions.summaryJSON] { try await Output.standard.write(summary.json.text + "\n") }
    }

    /// Feeds the live page until the task is cancelled.
    private static func show(
        _ feed: PlantFeed?, _ options: ParsedOptions, _ sources: [IngestPlan.Source], _ client: KafkaClient
    ) async {
        guard let feed else { return }
        let (connection, group) = (SideConnection(options[ConsumerOptions.database]), options[ConsumerOptions.group])
        let lag = GroupLag(client, TopicSelection(sources.flatMap(\.mapping.routes)))
        let (name, plant) = (options[ConsumerOptions.schema], options[MappingOptions.plant])
        let following = Task { await lag.follow { feed.isViewed } }
        defer { following.cancel() }
        await feed.run { day, today in
            try await connection.use { connection in
                let query = DayQuery(
                    schema: WorkshopSchema(quotedName: try await connection.quoted(name), plant: plant))
                return try await query.ask(day, today: today, group: group, over: connection)
            }
        } lag: { answer in
            lag.lag(answer.committed)
        }
        await connection.close()
    }

    /// - Throws: `Failure` if the server cannot listen at the address.
    private static func serve(
        _ options: ParsedOptions, _ monitor: RunMonitor, _ feed: PlantFeed?
    ) throws(Failure) -> HTTPServer? {
        guard let address = options[ConsumerOptions.http] else { return nil }
        let pages = StatusPages(
            monitor: monitor, livePage: feed.map { LivePage($0, version: KafkaWireVersion.current) })
        do {
            let server = try HTTPServer(at: address) { pages.answer($0) }
            monitor.observer.log.info("serving", ["url": .string("http://\(server.address)/")])
            return server
        } catch {
            throw Failure("--http: \(error)", status: .unavailable)
        }
    }

    private static let endedWaiting = "stopped while waiting: the next run reads again what was not committed"
}

/// The totals of a run.
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
