import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// The pipeline from topics to the database: one or more workers that share the partitions as members of a group, or one
/// that reads all of them by itself.
public struct Ingest: Sendable {
    /// How long to wait for the progress of other members, when only their partitions are behind.
    private static let patience = Duration.seconds(120)
    /// After what time without an answer to a fetch nothing new reaches the database.
    private static let silentFetchLimit = Duration.seconds(10)
    private static let lookInterval = Duration.milliseconds(500)
    /// After what time without progress it is said what is waited for.
    private static let silenceLimit = Duration.seconds(10)
    /// How long the other workers may take to commit what they have when one has failed. What they wait for may never come.
    private static let endingLimit = Duration.seconds(10)

    private let settings: IngestSettings
    private let workers: [Worker]
    private let monitor: DeadLetterMonitor
    /// Notified when a partition of any worker gets on.
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

    /// For each partition of the workers the offset that the database has.
    public var committed: [TopicPartition: Int64] {
        workers.reduce(into: [:]) { $0.merge($1.ledger.committed) { max($0, $1) } }
    }

    /// The partitions of the workers.
    public var partitions: Set<TopicPartition> {
        workers.reduce(into: []) { $0.formUnion($1.ledger.partitions) }
    }

    /// For each partition of the workers the end of its log, as far as it is known.
    public var ends: [TopicPartition: Int64] {
        workers.reduce(into: [:]) { $0.merge($1.consumer.highWatermarks) { max($0, $1) } }
    }

    /// The timestamp of the oldest record that the workers have read and not committed, in milliseconds since 1970; nil
    /// without one.
    public var oldestPending: Int64? { workers.compactMap(\.ledger.oldestPending).min() }

    /// For each partition of the workers how many records of its log are not in the database, as far as that is known.
    public var lags: [TopicPartition: Int64] {
        let committed = committed
        return ends.reduce(into: [:]) { lags, end in
            guard let offset = committed[end.key] else { return }
            lags[end.key] = max(0, end.value.subtractingSaturated(offset))
        }
    }

    /// The sum of ``lags``; nil until it is known of all partitions that are read.
    public var lag: Int64? {
        let lags = lags
        guard partitions.subtracting(failedPartitions).isSubset(of: lags.keys) else { return nil }
        return lags.values.reduce(0) { $0.addingSaturated($1) }
    }

    /// When the answer to each worker was first missed.
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

    /// For each worker that doesn't know yet which partitions to read, or where, a sentence that says so.
    public var unassigned: [String] {
        workers.compactMap { worker in
            let name = workers.count > 1 ? "worker \(worker.number + 1)" : "the run"
            switch worker.consumer.state {
            case .member, .assigned: break
            case .unassigned, .joining: return "\(name) has no partitions yet"
            case .failed(let error): return "\(name) does not read: \(error)"
            case .closed: return "\(name) has ended"
            @unknown default: break
            }
            if worker.ledger.needsAttention { return "\(name) does not know yet where to read" }
            // A broker answers each fetch within fetch.max.wait.ms, with records or without.
            let limit = Self.silentFetchLimit + worker.member.client.configuration.consumer.maximumFetchWait
            guard worker.ledger.isAnyLeft else { return nil }
            let now = settings.timing.now()
            // A broker that has not answered at all is waited for since it was first missed.
            let last = worker.consumer.lastResponse ?? silences.beginning(of: worker.number, now)
            let silence = now - last
            return silence > limit ? "\(name) has had no answer of a broker for \(Int(silence / .seconds(1))) s" : nil
        }
    }

    /// The dead letters since the last call, and the most frequent reasons in words.
    public func takeRejections() -> (count: Int, reasons: String) { monitor.take() }

    /// The partitions that were stopped by an error.
    public var failedPartitions: Set<TopicPartition> { Set(failures.keys) }

    private var failures: [TopicPartition: any Error] {
        workers.reduce(into: [:]) { $0.merge($1.ledger.failures) { $1 } }
    }

    /// Runs until it is stopped.
    ///
    /// - Parameters:
    ///   - plan: What `IngestSettings.bind` has made.
    ///   - start: The positions at the start.
    ///   - ends: Where to end, for each partition, whoever reads it; nil to go on for ever.
    public func run(_ plan: IngestPlan, from start: IngestStart, until ends: [TopicPartition: Int64]?) async throws {
        defer { monitor.report() }
        for (partition, failure) in start.failures.sorted(by: { $0.key < $1.key }) where !settings.isGroup {
            settings.observer.log.error(
                "partition \(partition.partition) of topic \(partition.topic) is not read, and the others are: \(failure)"
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
                // In a group another member may read what can't be read here.
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

    /// Runs the workers, and something beside them until they end. An error of one ends the others in order: they commit
    /// what they have.
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
                        settings.observer.log.error("the run ends, and commits before what it has read: \(error)")
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
            // The group itself finds partitions; which topics a pattern means, each member says.
            let new = Set(found.map(\.topic)).subtracting(topics)
            guard !new.isEmpty else { return }
            topics.formUnion(new)
            for worker in workers { try? await worker.subscribe(to: topics.sorted()) }
        }
    }

    // MARK: Until caught up

    /// Ends the workers once every partition is committed up to its end, by them or by other members.
    ///
    /// - Throws: `Failure` if only partitions of other members are behind and these don't get on.
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
                // A database that can't be asked is no sign that the others stand still.
                if sum == nil || sum != looked.sum { looked = (sum ?? -1, .now) }
                if !behind.isEmpty, .now - looked.at > Self.patience { throw notReached(behind) }
            } else {
                looked.at = .now
            }
            if behind.isEmpty {
                for worker in workers { worker.finish() }
                return
            }
            if .now - reached.at >= Self.silenceLimit, reporter.isDue("", at: .now) { sayStanding(behind, committed) }
            await changed.wait(until: .now + (settings.isGroup ? Self.lookInterval : Self.silenceLimit))
        }
    }

    /// Says which partitions don't get on.
    private func sayStanding(_ behind: [TopicPartition: Int64], _ committed: [TopicPartition: Int64]) {
        let places = behind.sorted { $0.key < $1.key }.prefix(3).map { partition, end in
            "\(partition) is at \(committed[partition].map { "offset \($0)" } ?? "an unknown offset") of \(end)"
        }
        let isHeldBack = workers[0].member.client.configuration.consumer.isolationLevel == .readCommitted
        settings.observer.log.info(
            "waiting for \(behind.count) partitions: \(places.joined(separator: ", "))"
                + (isHeldBack ? "; a transaction that its producer has not ended may hold read_committed back" : ""))
    }

    private func notReached(_ behind: [TopicPartition: Int64]) -> Failure {
        let names = behind.keys.sorted().prefix(5).map { "\($0)" }.joined(separator: ", ")
        return Failure(
            "other members of group \(settings.offsets.group) have \(behind.count) partitions (\(names)) that are behind and "
                + "were not moved on for \(Self.patience.components.seconds) s; everything else is committed",
            status: .unavailable)
    }
}
