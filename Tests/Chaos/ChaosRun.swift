import CommandLineSupport
import KafkaWire
import TestSupport

/// A complete run: servers, consumers, producer, faults, and the comparison at the end.
struct ChaosRun: Sendable {
    struct Settings: Sendable {
        var seconds: Int
        var seed: UInt64
        var rate: Int
        var isStandalone: Bool
        var topics = 2
        var partitionsPerTopic = 4
    }

    /// The time limit of each step after the faults.
    private static let limit = Duration.seconds(180)

    let settings: Settings
    let home: KafkaHome
    let journal: Journal

    /// - Throws: `Failure` if the run found a fault, or a step did not end in time; `CancellationError`.
    func run() async throws {
        journal.say("seed \(settings.seed), \(settings.seconds) s, Kafka \(home.version); starting the servers")
        let site = try await Site.start(
            home, topics: settings.topics, partitionsPerTopic: settings.partitionsPerTopic)
        do {
            try await run(at: site)
        } catch {
            for (name, log) in site.logs { journal.keep(log, as: name) }
            await site.shutDown()
            throw error
        }
        await site.shutDown()
    }

    private func run(at site: Site) async throws {
        // Other numbers than the plan's, so that the plan does not depend on the choice of processes.
        var random = SeededRandom(seed: ~settings.seed)
        let deployment = Deployment(isStandalone: settings.isStandalone, &random)
        let client = try KafkaClient(bootstrapServers: site.bootstrap, properties: Load.properties)
        try await site.prepare(with: client)
        journal.say(deployment.description)
        let processes = (1...deployment.count).map { index in
            ConsumerProcess(
                index, arguments: Self.arguments(site) + deployment.options(of: index),
                acceptedStatuses: deployment.acceptedStatuses, journal: journal)
        }
        let running = processes.map { process in Task { await process.run() } }
        let load = Load(client: client, partitions: site.partitions, rate: settings.rate, journal: journal)
        let loading = Task { try await load.run() }
        do {
            try await work(site, client, processes, load, loading)
        } catch {
            for process in processes { await process.abandon() }
            for task in running { task.cancel() }
            loading.cancel()
            await client.close()
            throw error
        }
        for task in running { await task.value }
        await client.close()
    }

    private static func arguments(_ site: Site) -> [String] {
        [
            "run", "--bootstrap-servers", site.bootstrap, "--database", site.database, "--schema", Site.schema,
            "--mapping", site.mapping, "--property", "metadata.max.age.ms=10000",
        ]
    }

    private func work(
        _ site: Site, _ client: KafkaClient, _ processes: [ConsumerProcess], _ load: Load,
        _ loading: Task<Void, any Error>
    ) async throws {
        try await eventually("the first rows", timeout: .seconds(60), every: .milliseconds(200)) {
            try await Verdict.committed(site).values.contains { $0 > 0 }
        }
        journal.say("the first rows have arrived")
        try await makeFaults(site, client, processes)
        load.end()
        journal.say("the producer ends; \(Numbers.grouped(load.count)) records acknowledged so far")
        let late = Failure("not all records were acknowledged within \(Self.limit.text)", status: .unavailable)
        try await withDeadline(Self.limit, failure: late) { try await loading.value }
        let offsets = load.offsets
        journal.say("\(Numbers.grouped(load.count)) records acknowledged; waiting until the consumers have caught up")
        let ends = offsets.mapValues { ($0.last ?? -1) + 1 }
        do {
            try await eventually("the consumers caught up", timeout: Self.limit, every: .milliseconds(500)) {
                let committed = try await Verdict.committed(site)
                return ends.allSatisfy { committed[$0.key] ?? 0 >= $0.value }
            }
        } catch let error as ProgramError {
            journal.find("\(error)")
            let committed = try await Verdict.committed(site)
            for (partition, end) in ends.sorted(by: { $0.key < $1.key }) where committed[partition] ?? 0 < end {
                journal.say("\(partition) is committed up to \(committed[partition] ?? 0) of \(end)")
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for process in processes { group.addTask { await process.end() } }
        }
        try await Verdict(site: site, offsets: offsets, journal: journal).compare()
        var starts = 0
        for process in processes { starts += await process.starts }
        journal.say("the processes were started \(starts) times")
        let findings = journal.findings
        guard findings.isEmpty else {
            throw Failure(
                "\(findings.count) faults found with seed \(settings.seed): \(findings.joined(separator: "; "))",
                status: .internalError)
        }
        journal.say("no record is missing, and none came twice")
    }

    /// Injects one fault per second. Returns when the last one is repaired.
    private func makeFaults(_ site: Site, _ client: KafkaClient, _ processes: [ConsumerProcess]) async throws {
        let plan = FaultPlan(
            seed: settings.seed, seconds: settings.seconds, processes: processes.count, topics: site.topics.count)
        let runner = FaultRunner(site: site, client: client, processes: processes, journal: journal)
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (second, fault) in plan.enumerated() {
                try await Task.sleep(until: began + .seconds(second + 1))
                group.addTask { await runner.apply(fault) }
            }
            try await group.waitForAll()
        }
    }
}
