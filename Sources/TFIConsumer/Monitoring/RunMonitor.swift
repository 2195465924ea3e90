import CommandLineSupport
import Concurrency
import Foundation
import IngestEngine
import KafkaWire

/// The state of a run for monitoring: health, readiness and metrics.
final class RunMonitor: Sendable {
    let observer: IngestObserver
    let clients = ClientCounters()
    let version: String
    private let began: Date
    private let now: @Sendable () -> ContinuousClock.Instant
    private let wallTime: @Sendable () -> Date

    private struct State {
        var ingest: Ingest?
        /// When a task last ran.
        var pulse: ContinuousClock.Instant
        var openLetters: Int?
    }

    private let state: Lock<State>

    /// How long tasks may be silent before the process counts as stuck.
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

    /// Notifies the monitor that the pipeline is about to run.
    func began(_ ingest: Ingest) { state.withLock { $0.ingest = ingest } }

    /// Whether the pipeline runs or has run.
    var hasBegun: Bool { state.withLock { $0.ingest != nil } }

    /// Records once per second that tasks run, until its own task is cancelled.
    func beat() async {
        while !Task.isCancelled {
            let now = now()
            state.withLock { $0.pulse = now }
            try? await Task.sleep(for: Self.pulseInterval)
        }
    }

    /// Counts the open dead letters until the task is cancelled. A count reads the whole table, so the longer it takes,
    /// the less often it runs.
    func countLetters(_ count: @Sendable () async -> Int?) async {
        while !Task.isCancelled {
            let began = now()
            if let count = await count() { state.withLock { $0.openLetters = count } }
            let pause = min(max((now() - began) * 100, Self.pulseInterval), Self.letterInterval)
            try? await Task.sleep(for: pause)
        }
    }

    /// The number of open dead letters of all runs; nil until they have been counted.
    var openLetters: Int? { state.withLock { $0.openLetters } }

    // MARK: Health

    /// Why the process is unhealthy; nil if it is healthy.
    var healthProblem: String? {
        let silence = now() - state.withLock { $0.pulse }
        guard silence > Self.longestSilence else { return nil }
        return "no task has run for \(Int(silence / .seconds(1))) s"
    }

    /// Why the run cannot write new records to the database at once; empty if it can.
    var blockers: [String] {
        let ingest = state.withLock { $0.ingest }
        var blockers = ingest?.unassigned ?? ["the run has not begun"]
        blockers += observer.waits.all.sorted { $0.key < $1.key }.map(\.value)
        if blockers.isEmpty, lag == nil { blockers.append("the lag is not known yet") }
        return blockers
    }

    /// The number of records in the logs that are not in the database; nil until the ends of all partitions are known.
    var lag: Int64? { state.withLock { $0.ingest }?.lag }

    /// The age in seconds of the oldest record that is not in the database; nil if unknown or if there is none.
    var oldestAge: Double? {
        guard let oldest = state.withLock({ $0.ingest })?.oldestPending else { return nil }
        return max(0, wallTime().timeIntervalSince1970 - Double(oldest) / 1_000)
    }

    // MARK: Figures

    /// The metrics in Prometheus' format. Names begin with the program's name, and times are in seconds.
    var figures: String {
        var text = PrometheusText()
        let snapshot = observer.metrics.snapshot
        func name(_ suffix: String) -> String { "tfi_consumer_\(suffix)" }
        func labelled(_ counts: [String: Int], by label: String) -> [(labels: [(String, String)], value: Double)] {
            counts.sorted { $0.key < $1.key }.map { ([(label, $0.key)], Double($0.value)) }
        }
        text.add(
            name("build_info"), .gauge, "Always 1; the label is the program's version.", [([("version", version)], 1)])
        text.add(
            name("ready"), .gauge, "1 if new records are written to the database at once, otherwise 0.",
            blockers.isEmpty ? 1 : 0)
        text.add(
            name("records_total"), .counter, "Records whose rows or dead letters are committed.",
            Double(snapshot.records))
        text.add(
            name("message_bytes_total"), .counter, "Bytes of the keys and values of these records.",
            Double(snapshot.messageBytes))
        text.add(
            name("rows_total"), .counter, "Rows inserted into the database, by table.",
            labelled(snapshot.rowsByTable, by: "table"))
        text.add(
            name("suppressed_rows_total"), .counter, "Rows suppressed by a trigger or rule of the database.",
            Double(snapshot.suppressedRows))
        // Without a label the series exists before the first rejection, so that its increase can be seen.
        text.add(
            name("rejected_records_total"), .counter, "Records that could not become rows.",
            Double(snapshot.deadLettersByReason.values.reduce(0, +)))
        text.add(
            name("dead_letters_total"), .counter, "Records that could not become rows, by reason.",
            labelled(snapshot.deadLettersByReason, by: "reason"))
        if let open = openLetters {
            text.add(
                name("open_dead_letters"), .gauge, "Open dead letters of the group.",
                Double(open))
        }
        text.add(
            name("batch_records"), "Records per transaction.", snapshot.batchRecords)
        text.add(
            name("commit_duration_seconds"), "Duration of a transaction, from the full batch to the commit.",
            snapshot.commitSeconds)
        text.add(
            name("record_latency_seconds"), "Time from a record's timestamp to its commit.", snapshot.latencySeconds)
        addPosition(&text, name)
        text.add(
            name("database_connections_total"), .counter, "Connections made to the database.",
            Double(snapshot.databaseConnections))
        let counts = clients.counts
        text.add(
            name("broker_connections_total"), .counter, "Connections made to brokers.",
            Double(counts.connections))
        text.add(
            name("broker_connection_failures_total"), .counter, "Failed attempts to connect to a broker.",
            Double(counts.failedConnections))
        text.add(
            name("rebalances_total"), .counter, "Assignment changes of this process, by their kind.",
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
                name("failed_partitions"), .gauge, "Partitions of this process that were stopped by an error.",
                Double(ingest.failedPartitions.count))
        }
        text.add(
            name("oldest_record_age_seconds"), .gauge,
            "Age of the oldest record that was read but is not in the database; 0 if none.", oldestAge ?? 0)
    }

    private func addProcess(_ text: inout PrometheusText) {
        let usage = ResourceUsage.current
        text.add(
            "process_start_time_seconds", .gauge, "Start time of the process, in seconds since 1970.",
            began.timeIntervalSince1970)
        text.add(
            "process_cpu_seconds_total", .counter, "CPU time of the process.",
            usage.userSeconds + usage.systemSeconds)
        if let memory = ResourceUsage.residentBytes {
            text.add("process_resident_memory_bytes", .gauge, "Resident memory in bytes.", memory)
        }
    }
}
