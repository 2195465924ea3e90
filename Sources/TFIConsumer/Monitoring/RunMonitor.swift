import CommandLineSupport
import Concurrency
import Foundation
import IngestEngine
import KafkaWire

/// What a run says of itself to those who ask from outside: whether it is well, whether it is ready, and its figures.
final class RunMonitor: Sendable {
    let observer: IngestObserver
    let clients = ClientCounters()
    let version: String
    private let began: Date
    private let now: @Sendable () -> ContinuousClock.Instant
    private let wallTime: @Sendable () -> Date

    private struct State {
        var ingest: Ingest?
        /// When tasks last ran.
        var pulse: ContinuousClock.Instant
        var openLetters: Int?
    }

    private let state: Lock<State>

    /// How long no task may have run, until the process counts as stuck.
    private static let longestSilence = Duration.seconds(20)
    private static let pulseInterval = Duration.seconds(1)
    private static let letterInterval = Duration.seconds(30)

    init(
        observer: IngestObserver, version: String = KafkaWireVersion.current,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        wallTime: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.observer = observer
        self.version = version
        self.now = now
        self.wallTime = wallTime
        began = wallTime()
        state = Lock(State(pulse: now()))
    }

    /// Call once the pipeline is about to run.
    func began(_ ingest: Ingest) { state.withLock { $0.ingest = ingest } }

    /// Whether the pipeline runs, or has run.
    var hasBegun: Bool { state.withLock { $0.ingest != nil } }

    /// Shows that tasks run, until its own is cancelled.
    func beat() async {
        while !Task.isCancelled {
            let now = now()
            state.withLock { $0.pulse = now }
            try? await Task.sleep(for: Self.pulseInterval)
        }
    }

    /// Counts the dead letters that nothing was done about, until the task is cancelled. The count reads the whole table,
    /// so it comes the more rarely the longer it takes.
    func countLetters(_ count: @Sendable () async -> Int?) async {
        while !Task.isCancelled {
            let began = now()
            if let count = await count() { state.withLock { $0.openLetters = count } }
            let pause = min(max((now() - began) * 100, Self.pulseInterval), Self.letterInterval)
            try? await Task.sleep(for: pause)
        }
    }

    /// How many dead letters nothing was done about, of all runs; nil until they were counted.
    var openLetters: Int? { state.withLock { $0.openLetters } }

    // MARK: Health

    /// Why the process isn't well; nil if it is.
    var illness: String? {
        let silence = now() - state.withLock { $0.pulse }
        guard silence > Self.longestSilence else { return nil }
        return "no task has run for \(Int(silence / .seconds(1))) s"
    }

    /// What keeps the run from bringing new records into the database at once; empty if nothing does.
    var hindrances: [String] {
        let ingest = state.withLock { $0.ingest }
        var hindrances = ingest?.unassigned ?? ["the run has not begun"]
        hindrances += observer.waits.all.sorted { $0.key < $1.key }.map(\.value)
        if hindrances.isEmpty, lag == nil { hindrances.append("the lag is not known yet") }
        return hindrances
    }

    /// How many records are in the logs and not in the database; nil until the ends of all partitions are known.
    var lag: Int64? { state.withLock { $0.ingest }?.lag }

    /// How old the oldest record is that isn't in the database, in seconds; nil if it isn't known, or if there is none.
    var oldestAge: Double? {
        guard let oldest = state.withLock({ $0.ingest })?.oldestPending else { return nil }
        return max(0, wallTime().timeIntervalSince1970 - Double(oldest) / 1_000)
    }

    // MARK: Figures

    /// In Prometheus' format. Names begin with the program's, and times are in seconds.
    var figures: String {
        var text = PrometheusText()
        let snapshot = observer.metrics.snapshot
        func name(_ suffix: String) -> String { "tfi_consumer_\(suffix)" }
        func labelled(_ counts: [String: Int], by label: String) -> [(labels: [(String, String)], value: Double)] {
            counts.sorted { $0.key < $1.key }.map { ([(label, $0.key)], Double($0.value)) }
        }
        text.add(name("build_info"), .gauge, "1, with the version of the program.", [([("version", version)], 1)])
        text.add(
            name("ready"), .gauge, "Whether records are brought into the database at once.",
            hindrances.isEmpty ? 1 : 0)
        text.add(
            name("records_total"), .counter, "Records whose rows or dead letters are committed.",
            Double(snapshot.records))
        text.add(
            name("message_bytes_total"), .counter, "Bytes of keys and values of these records.",
            Double(snapshot.messageBytes))
        text.add(
            name("rows_total"), .counter, "Rows that the database took, by table.",
            labelled(snapshot.rowsByTable, by: "table"))
        text.add(
            name("suppressed_rows_total"), .counter, "Rows that a trigger or rule of the database left out.",
            Double(snapshot.suppressedRows))
        // Without a label, it is there before the first one, so that its increase can be seen.
        text.add(
            name("rejected_records_total"), .counter, "Records that could not be a row.",
            Double(snapshot.deadLettersByReason.values.reduce(0, +)))
        text.add(
            name("dead_letters_total"), .counter, "Records that could not be a row, by reason.",
            labelled(snapshot.deadLettersByReason, by: "reason"))
        if let open = openLetters {
            text.add(
                name("open_dead_letters"), .gauge, "Dead letters of the group that nothing was done about.",
                Double(open))
        }
        text.add(
            name("batch_records"), "Records in each transaction.", snapshot.batchRecords)
        text.add(
            name("commit_duration_seconds"), "Time of each transaction, from a full batch to its commit.",
            snapshot.commitSeconds)
        text.add(
            name("record_latency_seconds"), "Time from a record's timestamp to its commit.", snapshot.latencySeconds)
        addPosition(&text, name)
        text.add(
            name("database_connections_total"), .counter, "Connections to the database that were made.",
            Double(snapshot.databaseConnections))
        let counts = clients.counts
        text.add(
            name("broker_connections_total"), .counter, "Connections to brokers that were made.",
            Double(counts.connections))
        text.add(
            name("broker_connection_failures_total"), .counter, "Attempts to connect to a broker that failed.",
            Double(counts.failedConnections))
        text.add(
            name("rebalances_total"), .counter, "Changes of the partitions of this process, by what became of them.",
            labelled(counts.rebalances, by: "change"))
        addProcess(&text)
        return text.text
    }

    private func addPosition(_ text: inout PrometheusText, _ name: (String) -> String) {
        if let ingest = state.withLock({ $0.ingest }) {
            text.add(
                name("lag_records"), .gauge, "Records in the log that are not in the database, by partition.",
                ingest.lags.sorted { $0.key < $1.key }.map { partition, lag in
                    ([("topic", partition.topic), ("partition", "\(partition.partition)")], Double(lag))
                })
            text.add(
                name("assigned_partitions"), .gauge, "Partitions that this process reads.",
                Double(ingest.partitions.count))
            text.add(
                name("failed_partitions"), .gauge, "Partitions of this process that an error has stopped.",
                Double(ingest.failedPartitions.count))
        }
        text.add(
            name("oldest_record_age_seconds"), .gauge,
            "Age of the oldest record that was read and is not in the database; 0 without one.", oldestAge ?? 0)
    }

    private func addProcess(_ text: inout PrometheusText) {
        let usage = ResourceUsage.current
        text.add(
            "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.",
            began.timeIntervalSince1970)
        text.add(
            "process_cpu_seconds_total", .counter, "Time of all processors in this process.",
            usage.userSeconds + usage.systemSeconds)
        if let memory = ResourceUsage.residentBytes {
            text.add("process_resident_memory_bytes", .gauge, "Memory that is resident.", memory)
        }
    }
}
