import CommandLineSupport
import KafkaWire
import PGWire

/// The pipeline from a topic to the database. Three stages run at once: the client fetches ahead, the mapper makes
/// rows, the sink commits them.
///
/// A batch ends when it is large, when it is old, or when there is nothing more to read at the moment. So a backlog
/// moves at full speed, and a lone message is in the database a moment after it came.
struct Ingest: Sendable {
    /// The bytes of rows that make a batch large.
    static let batchBytes = 4 << 20
    /// How long a batch waits for more while a partition that has more to read brings nothing.
    static let batchAge = Duration.milliseconds(200)
    /// One that is filled, one that waits, one that is committed.
    static let batchCount = 3

    let client: KafkaClient
    let consumer: KafkaConsumer
    let sink: Sink
    let topic: String
    let totals: IngestTotals
    let stop: StopSignal
    let say: @Sendable (String) -> Void
    var limit = DeadLetterLimit()
    var timing = Timing()
    /// Finds out where to begin, now.
    let findStart: @Sendable () async throws -> IngestStart

    /// Runs until it is stopped.
    ///
    /// - Parameters:
    ///   - start: What `findStart` has found.
    ///   - ends: Where to end, for each partition; nil to go on for ever.
    func run(from start: IngestStart, until ends: [Int32: Int64]?) async throws {
        var start = start
        let monitor = DeadLetterMonitor(limit: limit, timing: timing, say: say)
        let reports = Task { await monitor.reportEveryMinute() }
        defer {
            reports.cancel()
            monitor.report(" since then")
        }
        while true {
            await consumer.assign(start.assignment)
            do {
                return try await runStages(from: start, until: ends, monitor)
            } catch is CommitsLost {
                say(
                    "the database has lost its last commits, or its offsets were moved back: their messages are read "
                        + "again")
            } catch let added as PartitionWatch.Added {
                say("topic \(topic) has \(added.count) partitions: the added ones are read from their beginning")
            }
            // Whatever was under way is over, one way or the other: the database knows what is committed.
            start = try await findStart()
        }
    }

    private func runStages(
        from start: IngestStart, until ends: [Int32: Int64]?, _ monitor: DeadLetterMonitor
    ) async throws {
        let exchange = BatchExchange(
            batches: (0..<Self.batchCount).map { _ in CopyBatch(capacity: Self.batchBytes + (256 << 10)) })
        totals.begin(start.offsets)
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
                try await commit(from: exchange, topicID: start.topicID, monitor)
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
                    try await PartitionWatch(client: client, topic: topic, known: start.offsets.count, say: say).watch()
                    return .other
                }
                group.addTask {
                    try await CommitWatch(database: sink.database, offsets: sink.offsets, totals: totals).watch()
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

    private func map(into exchange: BatchExchange, from start: [Int32: Int64], until ends: [Int32: Int64]?) async throws
    {
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
                try batch.append(records, position: positions[records.partition, default: 0], now: .now)
                positions[records.partition] = records.nextOffset
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
        from exchange: BatchExchange, topicID: KafkaUUID, _ monitor: DeadLetterMonitor
    ) async throws {
        var committer = BatchCommitter(
            sink: sink,
            rejected: RejectedBatch(client: client, sink: sink, topic: topic, topicID: topicID, stop: stop),
            totals: totals, monitor: monitor, stop: stop, timing: timing, say: say)
        while let batch = try await exchange.takeFull() {
            try await committer.commit(batch)
            exchange.give(empty: batch)
        }
    }
}
