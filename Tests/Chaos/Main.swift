import CommandLineSupport
import Concurrency
import Foundation
import KafkaWire
import TestSupport

/// Runs the shipped program with real brokers and a real Postgres, and injects one fault per second. At the end each
/// record must be in the tables exactly once. `control-env.sh chaos` runs it.
@main
struct Main {
    private static let minutes = Option(
        "minutes", .double(upTo: 24 * 60), default: 1, help: "How long to inject faults.")
    private static let seed = Option(
        optional: "seed", .seed,
        help: "The seed of the faults: the same seed gives the same ones. Default: a random "
            + "seed."
    )
    private static let rate = Option(
        "rate", .int(1...100_000), default: 2_000, help: "The number of records sent per second.")
    private static let standalone = Option(
        flag: "standalone", help: "Runs one process that reads all partitions, instead of several that share them.")
    private static let logs = Option(
        "logs", .string, default: ".build/chaos", placeholder: "FOLDER",
        help: "The folder for the logs of the run and the processes, and for those of the servers if the run fails.")

    private static let run = Command(
        name: "run", abstract: "injects faults, and compares the tables with the sent records",
        options: [minutes, seed, rate, standalone, logs],
        statuses: [.success, .usage, .unavailable, .internalError]
    ) { options in
        guard let home = KafkaHome.newest else { throw Failure(KafkaHome.skipReason, status: .unavailable) }
        guard PostgresServer.isAvailable else { throw Failure(PostgresServer.skipReason, status: .unavailable) }
        let settings = ChaosRun.Settings(
            seconds: max(1, Int((options[minutes] * 60).rounded())), seed: options[seed] ?? .random(in: 0...99_999),
            rate: options[rate], isStandalone: options[standalone])
        let journal = try Journal(folder: URL(filePath: options[logs]))
        let work = Task { try await ChaosRun(settings: settings, home: home, journal: journal).run() }
        let stop = StopSignal.listening()
        let watch = Task {
            await stop.wait()
            if !Task.isCancelled { journal.say("stopped by a signal: stopping all processes") }
            work.cancel()
        }
        defer { watch.cancel() }
        do {
            try await work.value
        } catch let error as Failure {
            throw error
        } catch {
            guard !stop.isRequested else { throw Failure("stopped by a signal", status: .unavailable) }
            throw Failure("\(error)", status: .unavailable)
        }
    }

    static func main() async {
        await runMain(
            Program(
                name: "chaos", version: KafkaWireVersion.current,
                abstract: "Runs the pipeline with one fault per second, and checks that nothing is lost or duplicated.",
                commands: [run]))
    }
}

extension ValueFormat<UInt64> {
    fileprivate static let seed = ValueFormat(
        placeholder: "N", expectation: "a whole number", parse: { UInt64($0) }, format: { "\($0)" })
}
