import CommandLineSupport
import KafkaWire
import PGWire

/// The pipeline from topics to the database. Three stages run at once: the client fetches ahead, the mapper makes
/// rows, the sink commits them.
///
/// A batch ends when it is large, when it is old, or when there is nothing more to read at the moment. So a backlog
/// moves at full speed, and a lone message is in the database a moment after it came.
package struct Ingest: Sendable {
    /// The bytes of rows that make a batch large.
    static let batchBytes = 4 << 20
    /// How long a batch waits for more while a partition that has more to read brings nothing.
    static let batchAge = Duration.milliseconds(200)
    /// One that is filled, one that waits, one that is committed.
    static let batchCount = 3

    let client: KafkaClient
    let consumer: KafkaConsumer
    /// Without a fingerprint, which each plan brings.
    let sink: Sink
    let topics: TopicSelection
    let totals: IngestTotals
    let stop: StopSignal
    let say: @Sendable (String) -> Void
    let limit: DeadLetterLimit
    var timing = Timing()
    /// Binds the routes to the tables as they are now.
    let bind: @Sendable (PostgresConnection) async throws -> IngestPlan
    /// Finds out where to begin, after the run has begun somewhere before.
    let findStart: @Sendable (_ previous: IngestStart) async throws -> IngestStart

    package init(
        client: KafkaClient, consumer: KafkaConsumer, sink: Sink, topics: TopicSelection, totals: IngestTotals,
        stop: StopSignal, limit: DeadLetterLimit, say: @escaping @Sendable (String) -> Void,
        bind: @escaping @Sendable (PostgresConnection) async throws -> IngestPlan,
        findStart: @escaping @Sendable (_ previous: IngestStart) async throws -> IngestStart
    ) {
        self.client = client
        self.consumer = consumer
        self.sink = sink
        self.topics = topics
        self.totals = totals
        self.stop = stop
        self.limit = limit
        self.say = say
        self.bind = bind
        self.findStart = findStart
    }

    /// Runs until it is stopped.
    ///
    /// - Parameters:
    ///   - plan: What `bind` has made.
    ///   - start: Where to begin.
    ///   - ends: Where to end, for each partition; nil to go on for ever.
    package func run(_ plan: IngestPlan, from start: IngestStart, until ends: [TopicPartition: Int64]?) async throws {
        var (plan, start) = (plan, start)
        let monitor = DeadLetterMonitor(limit: limit, timing: timing, say: say)
        let reports = Task { await monitor.reportEveryMinute() }
        defer {
            reports.cancel()
            monitor.report(" since then")
        }
        while true {
            await consumer.assign(start.assignment)
            do {
                return try await runStages(plan, from: start, until: ends, monitor)
            } catch is CommitsLost {
                say(
                    "the database has lost its last commits, or its offsets were moved back: their messages are read "
                        + "again")
            } catch is Sink.TablesChanged {
                say("a table has changed: the mapping is bound to it again")
                plan = try await rebind()
            } catch let added as PartitionWatch.Added {
                say(added.news)
            }
            // Whatever was under way is over, one way or the other: the database knows what is committed.
            start = try await findStart(start)
        }
    }

    /// Binds the routes again, and waits for the repair of a table that they don't fit.
    private func rebind() async throws -> IngestPlan {
        let backoff = Backoff(initial: .seconds(1), maximum: .seconds(30))
        var reporter = WaitReporter()
        var failures = 0
        while true {
            do {
                let plan = try await sink.database.retrying { connection in try await bind(connection) }
                if reporter.succeeded() { say("the mapping fits the tables again: continuing") }
                return plan
            } catch let error as BindingError {
                failures += 1
                if reporter.isDue(error.description, at: timing.now()) {
                    say(
                        "consumption is stopped: the mapping does not fit the tables any more: \(error.description); it "
                            + "continues when the cause is repaired")
                }
                try await timing.sleep(
                    backoff.delay(afterFailures: failures, random: timing.random()), unless: stop)
            }
        }
    }

    private func runStages(
        _ plan: IngestPlan, from start: IngestStart, until ends: [TopicPartition: Int64]?, _ monitor: DeadLetterMonitor
    ) async throws {
        let batches = try (0..<Self.batchCount).map { _ in
            try CopyBatch(plan, capacity: Self.batchBytes + (256 << 10))
        }
        let exchange = BatchExchange(batches: batches)
        totals.begin(start.offsets, tables: plan.labels)
        try await withThrowingTaskGroup(of: StageEnd.self) { group in
            group.addTask {
                do {
                    try await map(into: exchange, from: start.offsets, until: ends)
                    return .other
                } catch {
                    return .readingFailed(error)
                }
            }
            group.addTask {
                try await commit(from: exchange, plan, topicIDs: start.topicIDs, monitor)
                return .everythingIsCommitted
            }
            group.addTask {
                await stop.wait()
                // The mapper then finds the end, hands over what it has, and so ends the sink.
                if !Task.isCancelled { await consumer.close() }
                return .other
            }
            if ends == nil {
                group.addTask {
                    try await PartitionWatch(client: client, topics: topics, known: start.partitionCounts, say: say)
                        .watch()
                    return .other
                }
                group.addTask {
                    try await CommitWatch(
                        database: sink.database, offsets: sink.offsets, topics: Set(start.topicIDs.keys), totals: totals
                    ).watch()
                    return .other
                }
            }
            // An error of the reading ends the run only when everything that was read before is committed.
            var readError: (any Error)?
            while let end = try await group.next() {
                switch end {
                case .readingFailed(let error): readError = readError ?? error
                case .everythingIsCommitted:
                    group.cancelAll()
                    if let readError { throw readError }
                case .other: break
                }
            }
        }
    }

    private enum StageEnd {
        case readingFailed(any Error)
        case everythingIsCommitted
        case other
    }

    // MARK: Stages

    private func map(
        into exchange: BatchExchange, from start: [TopicPartition: Int64], until ends: [TopicPartition: Int64]?
    ) async throws {
        defer { exchange.close() }
        var positions = start
        func isAtEnd() -> Bool {
            ends.map { ends in ends.allSatisfy { positions[$0.key, default: 0] >= $0.value } } ?? false
        }
        var iterator = consumer.makeAsyncIterator()
        var batch = try await exchange.takeEmpty()
        var holdsBatch = true
        // What was read before an error is committed, too.
        defer { if holdsBatch, !batch.isEmpty, !Task.isCancelled { exchange.give(full: batch) } }
        while !isAtEnd() {
            let timeout = batch.began.map { max(.zero, $0 + Self.batchAge - .now) }
            switch try await iterator.next(timeout: timeout) {
            case .batch(let records):
                let place = records.place
                try batch.append(records, position: positions[place, default: 0], now: .now)
                positions[place] = records.nextOffset
                guard batch.byteCount >= Self.batchBytes || consumer.isCaughtUp else { continue }
            case .timedOut: break
            case .finished: return
            }
            exchange.give(full: batch)
            holdsBatch = false
            batch = try await exchange.takeEmpty()
            holdsBatch = true
        }
    }

    private func commit(
        from exchange: BatchExchange, _ plan: IngestPlan, topicIDs: [String: KafkaUUID], _ monitor: DeadLetterMonitor
    ) async throws {
        var sink = sink
        sink.fingerprint = plan.fingerprint
        var committer = BatchCommitter(
            sink: sink, rejected: RejectedBatch(client: client, sink: sink, topicIDs: topicIDs, stop: stop),
            totals: totals, monitor: monitor, stop: stop, timing: timing, say: say)
        while let batch = try await exchange.takeFull() {
            try await committer.commit(batch)
            exchange.give(empty: batch)
        }
    }
}
