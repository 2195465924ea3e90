import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// One consumer with its mapper, its batches and its connection to the database. Three stages run at once: the client
/// fetches ahead, the mapper makes rows, the sink commits them.
///
/// A batch ends when it is large; or when it is old or there is nothing more to read at the moment, and the sink has
/// nothing to commit. So a backlog moves at full speed, a lone message is in the database a moment after it came, and
/// small batches don't queue.
///
/// Partitions come and go while it runs. Whatever has a partition's position read (an assignment by the group, a position
/// that another member has moved, a crash of the database) only marks the partition in the ledger; the mapper then reads
/// the position and seeks, between two batches.
final class Worker: Sendable {
    /// The bytes of rows that make a batch large. The server is idle for some milliseconds between two transactions, so that
    /// few large ones are faster.
    static let batchBytes = 8 << 20
    /// The same if the batch has rows of a partition that is read nearly to its end while others have a backlog: the rows
    /// wait for the batch before theirs, and smaller ones are committed sooner. A backlog alone is read faster with
    /// large ones.
    static let promptBatchBytes = 512 << 10
    /// Up to how many offsets before its end a partition counts as nearly read to it.
    private static let promptLag: Int64 = 1_000
    /// How long a batch waits for more while a partition that has more to read brings nothing.
    static let batchAge = Duration.milliseconds(200)
    /// One that is filled or waits, one that is committed.
    static let batchCount = 2
    /// How long leaving the group may take.
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

    /// Asks the worker to commit what it has and to end.
    func finish() {
        ledger.finish()
        consumer.wakeUp()
    }

    /// Runs until it is stopped or `finish` is called, and leaves the group.
    func run(_ plan: IngestPlan) async throws {
        let following = Task { await follower.follow() }
        defer { following.cancel() }
        do {
            try await runUntilTheEnd(plan)
        } catch {
            ledger.abandon()
            await consumer.close(within: Self.leavingLimit)
            throw error
        }
        // Before it leaves: only a member can commit.
        await follower.commit()
        ledger.abandon()
        await consumer.close(within: Self.leavingLimit)
    }

    private func runUntilTheEnd(_ plan: IngestPlan) async throws {
        var plan = plan
        while true {
            do {
                return try await runStages(plan)
            } catch is Sink.TablesChanged {
                log.info("a table has changed: the mapping is bound to it again")
                plan = try await rebind()
            } catch let error as KafkaError where error.code == .unreleasedInstanceId && settings.isGroup {
                try await rejoin(error)
            }
            // Whatever was under way is over, one way or the other: the database knows what is committed.
            ledger.rereadAll()
        }
    }

    /// Joins again after a while: an earlier run with the same `group.instance.id` was killed, and its session has to end.
    private func rejoin(_ error: KafkaError) async throws {
        log.warning("waiting for the end of another session with this group.instance.id: \(error)")
        try await timing.sleep(.seconds(2), unless: settings.stop)
        try await subscribe(to: settings.topics.resolve(member.client))
    }

    /// Binds the routes again, and waits for the repair of a table that they don't fit.
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
                    "consumption is stopped: the mapping does not fit the tables any more: \(error.description); it "
                        + "continues when the cause is repaired")
                try await timing.sleep(
                    backoff.delay(afterFailures: failures, random: timing.random()), unless: settings.stop)
            }
        }
    }

    private enum StageEnd {
        case readingFailed(any Error)
        case everythingIsCommitted
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
                return .everythingIsCommitted
            }
            group.addTask {
                await self.settings.stop.wait()
                // The mapper then finds the end, hands over what it has, and so ends the sink.
                if !Task.isCancelled { self.finish() }
                return .other
            }
            group.addTask {
                await CommitWatch(
                    database: self.member.database, offsets: self.settings.offsets, ledger: self.ledger,
                    timing: self.timing
                ) { [weak self] partitions in
                    self?.reportSetBack()
                    self?.reread(partitions)
                }.watch()
                return .other
            }
            // An error of the reading ends the run only when everything that was read before is committed. The sink sees the
            // end of the batches before the mapper's error is here: either may come first.
            var readError: (any Error)?
            while let end = try await group.next() {
                switch end {
                case .readingFailed(let error): readError = readError ?? error
                case .everythingIsCommitted: group.cancelAll()
                case .other: break
                }
            }
            if let readError { throw readError }
        }
    }

    // MARK: Stages

    private func map() async throws {
        defer { exchange.close() }
        // What was read before an error is committed, too.
        defer { if !Task.isCancelled { handOver() } }
        var placer = PartitionPlacer(worker: self)
        var iterator = consumer.makeAsyncIterator()
        var state = PartitionLedger.Taken(outcome: .needsBatch, needsAttention: ledger.needsAttention)
        // From how many bytes on it is looked up whether the batch is large.
        var nextLook = Self.promptBatchBytes
        // The same if the sink has nothing to commit: at the beginning of a backlog it is not to wait for a large batch.
        // Doubled each time, so that a mapper that is slower than the sink makes large ones all the same.
        var earlyBytes = Self.promptBatchBytes
        while true {
            if state.needsAttention {
                if ledger.isFinishing { return }
                try await placer.place()
            } else {
                placer.nothingAwaits()
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
                        // The sink has taken the last one, or it was handed over while the group moved partitions.
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
                // The sink takes the batch as soon as it can, so its age needs no limit any more.
                state.began = nil
            }
        }
    }

    /// Whether the batch that is being filled has rows of a partition that is read nearly to its end.
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
