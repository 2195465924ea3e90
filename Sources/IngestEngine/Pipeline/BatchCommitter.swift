import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// Commits batches one after the other: whole if the database accepts them, in parts if it refuses rows, and not at
/// all while too many records are rejected.
struct BatchCommitter {
    let sink: Sink
    let rejected: RejectedBatch
    let totals: IngestTotals
    let metrics: IngestMetrics
    let monitor: DeadLetterMonitor
    let ledger: PartitionLedger
    /// The worker's number in the monitor.
    let worker: Int
    let stop: StopSignal
    let timing: Timing
    /// Reports the wait while too many records are rejected.
    let wait: Wait
    /// Called if partitions prevent the commit of a batch. The batch is then retried without the partitions that the
    /// ledger no longer assigns to it.
    let onTrouble: @Sendable (PartitionTrouble) throws -> Void

    enum PartitionTrouble: Sendable {
        /// Partitions whose stored offset differs from the one that the batch expects.
        case moved(PositionsMoved)
        /// A partition whose messages can't be read again.
        case unreadable(TopicPartition, KafkaError)
    }

    private static let backoff = Backoff(initial: .seconds(1), maximum: .seconds(30))

    /// The most rows to send in one statement, so that the server's `statement_timeout` isn't exceeded.
    private var maximum = Int.max
    /// Whether the last batch had to be sent in parts; the next one is then sent in parts at once.
    private var sendsParts = false

    init(
        sink: Sink, rejected: RejectedBatch, totals: IngestTotals, metrics: IngestMetrics, monitor: DeadLetterMonitor,
        ledger: PartitionLedger, worker: Int, stop: StopSignal, timing: Timing, wait: Wait,
        onTrouble: @escaping @Sendable (PartitionTrouble) throws -> Void
    ) {
        self.sink = sink
        self.rejected = rejected
        self.totals = totals
        self.metrics = metrics
        self.monitor = monitor
        self.ledger = ledger
        self.worker = worker
        self.stop = stop
        self.timing = timing
        self.wait = wait
        self.onTrouble = onTrouble
    }

    /// Commits a batch, however long that takes, without partitions that this worker loses meanwhile.
    ///
    /// While the dead letter limit is exceeded, it reports this and retries at growing intervals, since the table may
    /// be repaired.
    ///
    /// - Throws: Other errors of `Sink.commit` and `RejectedBatch.commit`; errors of `onTrouble`; `Stopped`.
    mutating func commit(_ batch: CopyBatch) async throws {
        var work = Work(batch, began: timing.now())
        var wait = wait
        defer { wait.end() }
        var failures = 0
        while true {
            let stale = ledger.stale(work.progress)
            if !stale.isEmpty {
                // If it is sent in parts, the batch is rebuilt from the messages that `progress` names.
                if !sendsParts { batch.remove(stale) }
                work.remove(stale, counting: sendsParts ? nil : batch)
            }
            if work.progress.isEmpty { return }
            do {
                try await attempt(batch, work, afterWaiting: failures > 0)
                wait.succeeded("the records are accepted again: continuing")
                return
            } catch let moved as PositionsMoved {
                try onTrouble(.moved(moved))
            } catch let error as KafkaError {
                guard let topic = error.topic, let partition = error.partition else {
                    throw error
                }
                try onTrouble(.unreadable(TopicPartition(topic: topic, partition: partition), error))
            } catch let reached as DeadLetterLimit.Reached {
                if stop.isRequested { throw Stopped() }
                failures += 1
                let pause = Self.backoff.delay(afterFailures: failures, random: timing.random())
                wait.failed(reached.reason, at: timing.now(), Self.report(reached))
                try await timing.sleep(pause, unless: stop)
                // Records that can't be mapped are rejected without asking the database, so check whether its tables
                // changed.
                try await sink.checkTables()
            }
        }
    }

    private static func report(_ reached: DeadLetterLimit.Reached) -> String {
        "consumption is stopped: \(reached.excess), the last one because \(reached.reason); nothing of this batch was "
            + "written; consumption resumes once the cause is repaired"
    }

    /// The state of a batch before its memory was reused for other attempts.
    private struct Work {
        private(set) var progress: [TopicPartition: CopyBatch.Progress]
        private(set) var recordCount: Int
        private(set) var rejectedCount: Int
        private(set) var arrivals: [Arrival]
        let began: ContinuousClock.Instant

        init(_ batch: CopyBatch, began: ContinuousClock.Instant) {
            progress = batch.progress
            recordCount = batch.recordCount
            rejectedCount = batch.deadLetterCount
            arrivals = batch.arrivals
            self.began = began
        }

        /// - Parameter batch: The remaining batch; nil if its memory was reused, in which case the counts stay upper
        ///   bounds.
        mutating func remove(_ partitions: Set<TopicPartition>, counting batch: CopyBatch?) {
            for partition in partitions { progress[partition] = nil }
            arrivals.removeAll { partitions.contains($0.partition) }
            if let batch { (recordCount, rejectedCount) = (batch.recordCount, batch.deadLetterCount) }
        }
    }

    /// Attempts one commit.
    ///
    /// - Parameter hasWaited: Whether the limit was exceeded before. If so, only the batch's own records count: the
    ///   commit succeeds if their share of rejections is within the limit.
    private mutating func attempt(_ batch: CopyBatch, _ work: Work, afterWaiting hasWaited: Bool) async throws {
        var before = monitor.counter(of: worker)
        let limit = before.limit
        if hasWaited {
            var own = limit
            own.of = min(limit.of, max(work.recordCount, 1))
            before = DeadLetterCounter(limit: own)
        }
        let note: (IngestTotals.Batch, RejectionSummary) -> Void = { [totals, metrics, timing] batch, rejections in
            let duration = timing.now() - work.began
            totals.add(batch, took: duration)
            metrics.committed(batch, rejections, took: duration)
        }
        if !sendsParts {
            var counter = before
            for run in batch.runs {
                counter.add(run)
                // A record that can't be mapped is rejected without asking the database.
                if work.rejectedCount > 0, let excess = counter.excess {
                    throw DeadLetterLimit.Reached(excess: excess, reason: batch.rejections.last)
                }
            }
            do {
                try await sink.commit(batch)
                let committed = IngestTotals.Batch(batch)
                note(committed, batch.rejections)
                metrics.committed(work.arrivals)
                ledger.committed(committed.progress)
                monitor.committed(
                    batch.rejections, counter: hasWaited ? DeadLetterCounter(limit: limit) : counter, of: worker,
                    suppressed: committed.suppressed)
                return
            } catch is Sink.Refused {}
        }
        let previousMaximum = maximum
        var hadRefusals = false
        var hasTimedOut = false
        // The batch's memory is reused for the same messages, so a later attempt has to read them again as well.
        sendsParts = true
        try await rejected.commit(work.progress, in: batch, maximum: &maximum, counter: before) { outcome in
            note(outcome.batch, outcome.rejections)
            ledger.committed(outcome.batch.progress)
            monitor.committed(
                outcome.rejections, counter: hasWaited ? DeadLetterCounter(limit: limit) : outcome.counter, of: worker,
                suppressed: outcome.batch.suppressed)
            hadRefusals = hadRefusals || outcome.batch.deadLetters > work.rejectedCount
            hasTimedOut = hasTimedOut || outcome.hasTimedOut
        }
        metrics.committed(work.arrivals)
        // The next batch probably behaves like this one, unless this one was small.
        sendsParts = hasTimedOut || hadRefusals && work.recordCount >= 1_000 || maximum < work.recordCount
        if !hasTimedOut, maximum == previousMaximum, maximum < .max {
            // The server may have become faster.
            maximum = maximum > .max / 2 ? .max : maximum * 2
        }
    }
}

extension Timing {
    /// Sleeps for a pause or until a stop is requested.
    ///
    /// - Throws: `Stopped` or `CancellationError`.
    public func sleep(_ pause: Duration, unless stop: StopSignal) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await sleep(pause) }
            group.addTask { await stop.wait() }
            try await group.next()
            group.cancelAll()
        }
        if stop.isRequested { throw Stopped() }
        try Task.checkCancellation()
    }
}
