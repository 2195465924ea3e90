import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// A consumer with its mapper, batches and database connection. Three stages run concurrently: the client prefetches,
/// the mapper makes rows, and the sink commits them.
///
/// A batch is handed over when it is large, or when the sink is idle and the batch is old or there is nothing more to
/// read. So a backlog moves at full speed, a lone message is committed moments after it arrives, and small batches
/// don't queue.
///
/// Partitions can change while it runs. Whatever requires reading a partition's position again (an assignment by the
/// group, a position moved by another member, a crash of the database) only marks the partition in the ledger. Between
/// two batches the mapper then reads the position and seeks.
final class Worker: Sendable {
    /// The size in bytes of rows that makes a batch large. The server is idle for some milliseconds between
    /// transactions, so few large ones are faster.
    static let batchBytes = 8 << 20
    /// The size that counts as large if the batch has rows of a nearly caught-up partition while others have a
    /// backlog. Those rows have to wait for the previous batch, and smaller batches commit sooner. For a backlog
    /// alone, large batches are faster.
    static let promptBatchBytes = 512 << 10
    /// The largest lag in offsets of a partition that counts as nearly caught up.
    private static let promptLag: Int64 = 1_000
    /// How long a batch waits for more rows while a partition with a lag delivers nothing.
    static let batchAge = Duration.milliseconds(200)
    /// One batch is filled or waits while another one is committed.
    static let batchCount = 2
    /// The most time for leaving the group.
    private static let leavingLimit = Duration.milliseconds(1_500)

    let settings: IngestSettings
    let member: IngestMember
    let number: Int
    let monitor: DeadLetterMonitor
    let ledger: PartitionLedger
    let exchange = BatchExchange()
    private let follower: GroupOffsets

    var consumer: KafkaConsumer { member.consumer }
    var timing: Timing { settings.timing }

    init(_ settings: IngestSettings, _ member: IngestMember, number: Int, monitor: DeadLetterMonitor, changed: Signal) {
        self.settings = settings
        self.member = member
        self.number = number
        self.monitor = monitor
        let ledger = PartitionLedger(changed: changed)
        self.ledger = ledger
        let (isGroup, group) = (settings.isGroup, settings.offsets.group)
        follower = GroupOffsets(
            group: group, committed: { ledger.committed },
            wait: Wait(nil, member.observer),
            send: { offsets in
                if isGroup {
                    try await member.consumer.commit(offsets.mapValues { OffsetAndMetadata($0) })
                } else {
                    try await member.client.admin.commitOffsets(
                        group: group, offsets, topicIDs: ledger.topicIDs, limit: .seconds(1))
                }
            })
    }

    var observer: IngestObserver { member.observer }
    var log: Log { observer.log }

    // MARK: Running

    /// Asks the worker to commit its batches and end.
    func finish() {
        ledger.finish()
        consumer.wakeUp()
    }

    /// Runs until it is stopped or `finish` is called, then leaves the group.
    func run(_ plan: IngestPlan) async throws {
        let following = Task { await follower.follow() }
        defer { following.cancel() }
        do {
            try await runUntilFinished(plan)
        } catch {
            ledger.abandon()
            await consumer.close(within: Self.leavingLimit)
            throw error
        }
        // Commit before leaving: only a member can commit.
        await follower.commit()
        ledger.abandon()
        await consumer.close(within: Self.leavingLimit)
    }

    private func runUntilFinished(_ plan: IngestPlan) async throws {
        var plan = plan
        while true {
            do {
                return try await runStages(plan)
            } catch is Sink.TablesChanged {
                log.info("a table has changed: binding the mapping to it again")
                plan = try await rebind()
            } catch let error as KafkaError where error.code == .unreleasedInstanceId && settings.isGroup {
                try await rejoin(error)
            }
            // All stages have ended, and the database knows what is committed.
            ledger.rereadAll()
        }
    }

    /// Rejoins after a pause: an earlier run with the same `group.instance.id` was killed, and its session must expire
    /// first.
    private func rejoin(_ error: KafkaError) async throws {
        log.warning("waiting until another session with this group.instance.id expires: \(error)")
        try await timing.sleep(.seconds(2), unless: settings.stop)
        try await subscribe(to: settings.topics.resolve(member.client))
    }

    /// Binds the routes again. If they no longer fit a table, waits until that is repaired.
    private func rebind() async throws -> IngestPlan {
        let backoff = Backoff(initial: .seconds(1), maximum: .seconds(30))
        var wait = Wait("tables of worker \(number + 1)", observer)
        defer { wait.end() }
        var failures = 0
        while true {
            do {
                let plan = try await member.database.retrying { connection in try await settings.bind(connection) }
                wait.succeeded("the mapping fits the tables again: continuing")
                return plan
            } catch let error as BindingError {
                failures += 1
                wait.failed(
                    error.description, at: timing.now(),
                    "consumption is stopped: the mapping does not fit the tables any more: \(error.description); "
                        + "consumption resumes once the cause is repaired")
                try await timing.sleep(
                    backoff.delay(afterFailures: failures, random: timing.random()), unless: settings.stop)
            }
        }
    }

    private enum StageEnd {
        case readingFailed(any Error)
        case allCommitted
        case other
    }

    private func runStages(_ plan: IngestPlan) async throws {
        exchange.reset(
            batches: try (0..<Self.batchCount).map { _ in
                try CopyBatch(plan, capacity: Self.batchBytes + (256 << 10))
            })
        settings.totals.begin(tables: plan.labels)
        observer.metrics.begin(tables: plan.labels)
        try await withThrowingTaskGroup(of: StageEnd.self) { group in
            group.addTask {
                do {
                    try await self.map()
                    return .other
                } catch {
                    return .readingFailed(error)
                }
            }
            group.addTask {
                try await self.commit(plan)
                return .allCommitted
            }
            group.addTask {
                await self.settings.stop.wait()
                // The mapper then ends and hands over its batch, after which the sink ends.
                if !Task.isCancelled { self.finish() }
                return .other
            }
            group.addTask {
                await CommitWatch(
                    database: self.member.database, offsets: self.settings.offsets, ledger: self.ledger,
                    timing: self.timing
                ) { [weak self] partitions in
                    self?.reportLostCommits()
                    self?.reread(partitions)
                }.watch()
                return .other
            }
            // A read error ends the run only after everything read before is committed. The sink may see the end of
            // the batches before the mapper's error arrives here.
            var readError: (any Error)?
            while let end = try await group.next() {
                switch end {
                case .readingFailed(let error): readError = readError ?? error
                case .allCommitted: group.cancelAll()
                case .other: break
                }
            }
            if let readError { throw readError }
        }
    }

    // MARK: Stages

    private func map() async throws {
        defer { exchange.close() }
        // Commit what was read before an error, too.
        defer { if !Task.isCancelled { handOver() } }
        var placer = PartitionPlacer(worker: self)
        var iterator = consumer.makeAsyncIterator()
        var state = PartitionLedger.Taken(outcome: .needsBatch, needsAttention: ledger.needsAttention)
        // The size in bytes at which to check next whether the batch is large.
        var nextLook = Self.promptBatchBytes
        // The size that counts as large while the sink is idle, so that a backlog starts without waiting for a large
        // batch. Doubled each time, so that batches become large even if the mapper is slower than the sink.
        var earlyBytes = Self.promptBatchBytes
        while true {
            if state.needsAttention {
                if ledger.isFinishing { return }
                try await placer.place()
            } else {
                placer.cancelRetry()
            }
            if case .needsBatch = state.outcome, !ledger.hasOpenBatch {
                ledger.open(try await exchange.takeEmpty())
                nextLook = Self.promptBatchBytes
            }
            var timeout = state.began.map { max(.zero, $0 + Self.batchAge - .now) }
            if state.needsAttention, let retry = placer.pause { timeout = min(timeout ?? retry, retry) }
            var (isDue, isLarge) = (false, false)
            do {
                switch try await iterator.next(timeout: timeout) {
                case .batch(let records):
                    state = try take(records)
                    if case .needsBatch = state.outcome {
                        // The sink took the last batch, or it was handed over during a rebalance.
                        ledger.open(try await exchange.takeEmpty())
                        nextLook = Self.promptBatchBytes
                        state = try take(records)
                    }
                    if state.byteCount >= nextLook {
                        nextLook = min(state.byteCount + Self.promptBatchBytes, Self.batchBytes)
                        isLarge = state.byteCount >= Self.batchBytes || hasPromptRows
                        if !isLarge, state.byteCount >= earlyBytes, exchange.isSinkWaiting {
                            earlyBytes *= 2
                            isLarge = true
                        }
                    }
                    let isCaughtUp = consumer.isCaughtUp
                    if isCaughtUp { earlyBytes = Self.promptBatchBytes }
                    isDue = isLarge || isCaughtUp
                case .timedOut:
                    isDue = state.began.map { $0 + Self.batchAge <= .now } ?? false
                    state.needsAttention = ledger.needsAttention
                case .finished: return
                }
            } catch let error as KafkaError {
                try await placer.handle(error)
            }
            if isDue {
                ledger.markDue()
                if isLarge || exchange.isSinkWaiting {
                    handOver()
                    state.outcome = .needsBatch
                }
                // The sink takes the batch as soon as it can, so its age no longer matters.
                state.began = nil
            }
        }
    }

    /// Whether the open batch has rows of a nearly caught-up partition.
    private var hasPromptRows: Bool {
        ledger.isFilling(anyOf: Set(consumer.lag.filter { $0.value < Self.promptLag }.keys))
    }

    private func take(_ records: RecordBatch) throws(KafkaError) -> PartitionLedger.Taken {
        do throws(KafkaError) {
            return try ledger.take(records, now: .now)
        } catch {
            var error = error
            (error.topic, error.partition) = (records.topic, records.partition)
            throw error
        }
    }

    private func handOver() {
        exchange.give { ledger.handOver() }
    }

    private func commit(_ plan: IngestPlan) async throws {
        var sink = member.sink
        sink.fingerprint = plan.fingerprint
        let ledger = ledger
        var committer = BatchCommitter(
            sink: sink,
            rejected: RejectedBatch(
                client: member.client, sink: sink, topicIDs: { ledger.topicIDs }, stale: { ledger.stale($0) },
                stop: settings.stop),
            totals: settings.totals, metrics: observer.metrics, monitor: monitor, ledger: ledger, worker: number,
            stop: settings.stop,
            timing: timing, wait: Wait("accepted records of worker \(number + 1)", observer)
        ) { [weak self] failure in try self?.handle(failure) }
        while let batch = try await exchange.takeFull(orOpen: ledger.handOverDue) {
            try await committer.commit(batch)
            exchange.give(empty: batch)
        }
    }
}
