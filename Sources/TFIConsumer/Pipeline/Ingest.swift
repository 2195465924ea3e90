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
    /// Finds out where to begin, now.
    let findStart: @Sendable () async throws -> IngestStart

    /// Runs until it is stopped.
    ///
    /// - Parameters:
    ///   - start: What `findStart` has found.
    ///   - ends: Where to end, for each partition; nil to go on for ever.
    func run(from start: IngestStart, until ends: [Int32: Int64]?) async throws {
        var start = start
        while true {
            await consumer.assign(start.assignment)
            do {
                return try await runStages(from: start.offsets, until: ends)
            } catch is SetBack {
                say("the database has lost its last commits: their messages are read again")
            } catch let added as PartitionWatch.Added {
                say("topic \(topic) has \(added.count) partitions: the added ones are read from their beginning")
            }
            // Whatever was under way is over, one way or the other: the database knows what is committed.
            start = try await findStart()
        }
    }

    private func runStages(from start: [Int32: Int64], until ends: [Int32: Int64]?) async throws {
        let exchange = BatchExchange(
            batches: (0..<Self.batchCount).map { _ in CopyBatch(capacity: Self.batchBytes + (256 << 10)) })
        totals.begin(start)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await map(into: exchange, from: start, until: ends)
                return false
            }
            group.addTask {
                try await commit(from: exchange)
                return true
            }
            group.addTask {
                await stop.wait()
                // The mapper then finds the end, hands over what it has, and so ends the sink.
                if !Task.isCancelled { await consumer.close() }
                return false
            }
            if ends == nil {
                group.addTask {
                    try await PartitionWatch(client: client, topic: topic, known: start.count, say: say).watch()
                    return false
                }
                group.addTask {
                    try await CommitWatch(database: sink.database, offsets: sink.offsets, totals: totals).watch()
                    return false
                }
            }
            while let isEverythingCommitted = try await group.next() {
                if isEverythingCommitted { group.cancelAll() }
            }
        }
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
        while !isAtEnd() {
            let timeout = batch.began.map { max(.zero, $0 + Self.batchAge - .now) }
            switch try await iterator.next(timeout: timeout) {
            case .batch(let records):
                try batch.append(records, position: positions[records.partition, default: 0], now: .now)
                positions[records.partition] = records.nextOffset
                guard batch.byteCount >= Self.batchBytes || consumer.isCaughtUp else { continue }
            case .timedOut: break
            case .finished:
                if !batch.isEmpty { exchange.give(full: batch) }
                return
            }
            exchange.give(full: batch)
            batch = try await exchange.takeEmpty()
        }
        if !batch.isEmpty { exchange.give(full: batch) }
    }

    private func commit(from exchange: BatchExchange) async throws {
        while let batch = try await exchange.takeFull() {
            let began = ContinuousClock.now
            do {
                try await sink.commit(batch)
                totals.add(batch, took: .now - began)
            } catch is Sink.Refused {
                let refused = RefusedBatch(client: client, sink: sink, topic: topic, stop: stop) { part in
                    totals.add(part, took: .now - began)
                }
                try await refused.resolve(batch.progress)
            }
            exchange.give(empty: batch)
        }
    }
}
