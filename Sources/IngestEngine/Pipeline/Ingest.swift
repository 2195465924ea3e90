import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// The pipeline from topics to the database: one or more workers that share the partitions as members of a group, or a
/// single worker that reads all of them without a group.
public struct Ingest: Sendable {
    /// The longest time without progress of other members, if only their partitions are behind.
    private static let patience = Duration.seconds(120)
    /// The longest time without an answer to a fetch before the run counts as not reading.
    private static let silentFetchLimit = Duration.seconds(10)
    private static let lookInterval = Duration.milliseconds(500)
    /// The time without progress after which the log says what is waited for.
    private static let silenceLimit = Duration.seconds(10)
    /// The time in which other workers may still commit after one has failed. They might otherwise wait forever.
    private static let endingLimit = Duration.seconds(10)

    private let settings: IngestSettings
    private let workers: [Worker]
    private let monitor: DeadLetterMonitor
    /// Notified when a partition of any worker advances.
    private let changed = Signal()

    public init(_ settings: IngestSettings, _ members: [IngestMember]) {
        self.settings = settings
        let monitor = DeadLetterMonitor(limit: settings.limit, log: settings.observer.log)
        self.monitor = monitor
        let changed = changed
        workers = members.enumerated().map { index, member in
            Worker(settings, member, number: index, monitor: monitor, changed: changed)
        }
    }

    /// The committed offset of each partition of the workers.
    public var committed: [TopicPartition: Int64] {
        workers.reduce(into: [:]) { $0.merge($1.ledger.committed) { max($0, $1) } }
    }

    /// The partitions of the workers.
    public var partitions: Set<TopicPartition> {
        workers.reduce(into: []) { $0.formUnion($1.ledger.partitions) }
    }

    /// The end of the log of each partition of the workers; partitions with an unknown end are omitted.
    public var ends: [TopicPartition: Int64] {
        workers.reduce(into: [:]) { $0.merge($1.consumer.highWatermarks) { max($0, $1) } }
    }

    /// The timestamp of the oldest uncommitted record that the workers have read, in milliseconds since 1970; nil if
    /// there is none.
    public var oldestPending: Int64? { workers.compactMap(\.ledger.oldestPending).min() }

    /// The number of uncommitted records per partition of the workers; partitions with an unknown lag are omitted.
    public var lags: [TopicPartition: Int64] {
        let committed = committed
        return ends.reduce(into: [:]) { lags, end in
            guard let offset = committed[end.key] else { return }
            lags[end.key] = max(0, end.value.subtractingSaturated(offset))
        }
    }

    /// The sum of ``lags``; nil while the lag of a partition that is read is unknown.
    public var lag: Int64? {
        let lags = lags
        guard partitions.subtracting(failedPartitions).isSubset(of: lags.keys) else { return nil }
        return lags.values.reduce(0) { $0.addingSaturated($1) }
    }

    /// The time since which each worker has had no answer at all.
    private final class Silences: Sendable {
        private let beginnings = Lock<[Int: ContinuousClock.Instant]>([:])

        func beginning(of worker: Int, _ now: ContinuousClock.Instant) -> ContinuousClock.Instant {
            beginnings.withLock { beginnings in
                let beginning = beginnings[worker] ?? now
                beginnings[worker] = beginning
                return beginning
            }
        }
    }

    private let silences = Silences()

    /// A sentence for each worker that isn't reading, because it has no partitions, no positions or no answers.
    public var unassigned: [String] {
        workers.compactMap { worker in
            let name = workers.count > 1 ? "worker \(worker.number + 1)" : "the run"
            switch worker.consumer.state {
            case .member, .assigned: break
            case .unassigned, .joining: return "\(name) has no partitions yet"
            case .failed(let error): return "\(name) is not reading: \(error)"
            case .closed: return "\(name) has ended"
            @unknown default: break
            }
            if worker.ledger.needsAttention { return "\(name) does not know its positions yet" }
            // A broker answers each fetch within `fetch.max.wait.ms`, even without records.
            let limit = Self.silentFetchLimit + worker.member.client.configuration.consumer.maximumFetchWait
            guard worker.ledger.hasActivePartitions else { return nil }
            let now = settings.timing.now()
            // If no broker has ever answered, count from the first time that this was noticed.
            let last = worker.consumer.lastResponse ?? silences.beginning(of: worker.number, now)
            let silence = now - last
            return silence > limit ? "\(name) has had no answer from a broker for \(Int(silence / .seconds(1))) s" : nil
        }
    }

    /// The number of dead letters since the last call, and a text with their most frequent reasons.
    public func takeRejections() -> (count: Int, reasons: String) { monitor.take() }

    /// The partitions that an error has stopped.
    public var failedPartitions: Set<TopicPartition> { Set(failures.keys) }

    private var failures: [TopicPartition: any Error] {
        workers.reduce(into: [:]) { $0.merge($1.ledger.failures) { $1 } }
    }

    /// Runs until it is stopped or has reached `ends`.
    ///
    /// - Parameters:
    ///   - plan: The plan from `IngestSettings.bind`.
    ///   - start: The positions at the start.
    ///   - ends: The offset per partition at which to end, whichever member reads it; nil to run forever.
    /// - Throws: The first error of a worker; after reaching `ends`, the error of a stopped partition.
    public func run(_ plan: IngestPlan, from start: IngestStart, until ends: [TopicPartition: Int64]?) async throws {
        defer { monitor.report() }
        for (partition, failure) in start.failures.sorted(by: { $0.key < $1.key }) where !settings.isGroup {
            settings.observer.log.error(
                "partition \(partition.partition) of topic \(partition.topic) can't be read; the others can: \(failure)"
            )
        }
        for worker in workers {
            worker.ledger.note(known: start.offsets.keys)
            if settings.isGroup {
                try await worker.subscribe(to: start.partitionCounts.keys.sorted())
            } else {
                worker.ledger.note(failures: start.failures)
                await worker.assignAll(start)
            }
        }
        try await runWorkers(plan) {
            if let ends {
                // In a group another member may be able to read a partition that can't be read here.
                try await waitUntilReached(
                    settings.isGroup ? ends : ends.filter { start.failures[$0.key] == nil })
            } else {
                await watchForPartitions(start.partitionCounts)
            }
        }
        guard ends != nil, !settings.stop.isRequested else { return }
        let failures = failures.merging(start.failures) { $1 }
        if let failure = failures.min(by: { $0.key < $1.key })?.value { throw failure }
    }

    /// Runs the workers, and another task until they end. If one fails, the others commit their batches and end.
    private func runWorkers(_ plan: IngestPlan, beside: @escaping @Sendable () async throws -> Void) async throws {
        let failure = await withTaskGroup(of: (isWorker: Bool, error: (any Error)?).self) { group in
            func add(_ isWorker: Bool, _ body: @escaping @Sendable () async throws -> Void) {
                group.addTask {
                    do {
                        try await body()
                        return (isWorker, nil)
                    } catch {
                        return (isWorker, error)
                    }
                }
            }
            for worker in workers { add(true) { try await worker.run(plan) } }
            add(false, beside)
            var running = workers.count
            var failure: (any Error)?
            while let end = await group.next() {
                if end.isWorker { running -= 1 }
                if let error = end.error, !(error is CancellationError) {
                    if failure == nil, end.isWorker, running > 0, !(error is Stopped) {
                        settings.observer.log.error("the run ends after committing what it has read: \(error)")
                    }
                    if failure == nil { group.addTask { await stopAfterLimit() } }
                    failure = failure ?? error
                    for worker in workers { worker.finish() }
                }
                if running == 0 { group.cancelAll() }
            }
            return failure
        }
        if let failure { throw failure }
    }

    private func stopAfterLimit() async -> (isWorker: Bool, error: (any Error)?) {
        try? await settings.timing.sleep(Self.endingLimit)
        if !Task.isCancelled { settings.stop.request() }
        return (false, nil)
    }

    private func watchForPartitions(_ known: [String: Int]) async {
        var topics = Set(known.keys)
        await PartitionWatch(
            client: workers[0].member.client, topics: settings.topics, observer: settings.observer,
            timing: settings.timing
        ).watch(known) { found in
            guard settings.isGroup else { return workers[0].add(found) }
            // The group assigns new partitions by itself, but each member has to subscribe to new topics.
            let new = Set(found.map(\.topic)).subtracting(topics)
            guard !new.isEmpty else { return }
            topics.formUnion(new)
            for worker in workers { try? await worker.subscribe(to: topics.sorted()) }
        }
    }

    // MARK: Until caught up

    /// Ends the workers once every partition is committed up to its end, by them or by other members.
    ///
    /// - Throws: `Failure` if only partitions of other members are behind and those make no progress.
    private func waitUntilReached(_ ends: [TopicPartition: Int64]) async throws {
        var looked: (sum: Int64, at: ContinuousClock.Instant) = (-1, .now)
        var reached: (sum: Int64, at: ContinuousClock.Instant) = (-1, .now)
        var reporter = WaitReporter()
        while !Task.isCancelled {
            let (committed, failures) = (committed, failures)
            let sum = committed.values.reduce(Int64(0)) { $0.addingSaturated($1) }
            if sum != reached.sum { (reached, reporter) = ((sum, .now), WaitReporter()) }
            var behind = ends.filter { committed[$0.key] ?? -1 < $0.value && failures[$0.key] == nil }
            if settings.isGroup, !behind.isEmpty, behind.keys.allSatisfy({ committed[$0] == nil }) {
                let stored = await workers[0].member.database.offsets(
                    of: Set(behind.keys.map(\.topic)), in: settings.offsets)
                behind = behind.filter { stored?[$0.key] ?? -1 < $0.value }
                let sum = stored?.values.reduce(Int64(0)) { $0.addingSaturated($1) }
                // An unreachable database doesn't mean that the others make no progress.
                if sum == nil || sum != looked.sum { looked = (sum ?? -1, .now) }
                if !behind.isEmpty, .now - looked.at > Self.patience { throw stalledFailure(behind) }
            } else {
                looked.at = .now
            }
            if behind.isEmpty {
                for worker in workers { worker.finish() }
                return
            }
            if .now - reached.at >= Self.silenceLimit, reporter.isDue("", at: .now) { reportStalled(behind, committed) }
            await changed.wait(until: .now + (settings.isGroup ? Self.lookInterval : Self.silenceLimit))
        }
    }

    /// Logs which partitions make no progress.
    private func reportStalled(_ behind: [TopicPartition: Int64], _ committed: [TopicPartition: Int64]) {
        let places = behind.sorted { $0.key < $1.key }.prefix(3).map { partition, end in
            "\(partition) is at \(committed[partition].map { "offset \($0)" } ?? "an unknown offset") of \(end)"
        }
        let isHeldBack = workers[0].member.client.configuration.consumer.isolationLevel == .readCommitted
        settings.observer.log.info(
            "waiting for \(behind.count) partitions: \(places.joined(separator: ", "))"
                + (isHeldBack ? "; an open transaction of a producer may block read_committed" : ""))
    }

    private func stalledFailure(_ behind: [TopicPartition: Int64]) -> Failure {
        let names = behind.keys.sorted().prefix(5).map { "\($0)" }.joined(separator: ", ")
        return Failure(
            "\(behind.count) partitions (\(names)) of other members of group \(settings.offsets.group) are behind and "
                + "made no progress for \(Self.patience.components.seconds) s; everything else is committed",
            status: .unavailable)
    }
}
