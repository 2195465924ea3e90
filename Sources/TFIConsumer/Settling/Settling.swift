import CommandLineSupport
import IngestEngine
import PGWire

/// Settles recent rows while the run has time, so that the tiles stay fast.
///
/// It moves nothing while many records wait in the log, since writing rows has priority. The tiles are always exact,
/// but slower if there are many recent rows.
struct Settling: Sendable {
    let settlers: [RowSettler]
    let observer: IngestObserver
    /// The number of records that wait in the log; nil if unknown.
    let lag: @Sendable () -> Int64?
    let connection: SideConnection
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    private static let interval = Duration.seconds(5)
    /// The longest wait after failures, in intervals.
    private static let mostPatience = 12
    private static let failuresToReport = 3
    /// How often a table whose rows cannot be moved is checked again.
    private static let obstacleInterval = Duration.seconds(60)
    /// With more records than this in the log, the run is behind.
    private static let mostLag: Int64 = 20_000
    /// The server takes some tenths of a second to move this many rows.
    private static let rowsPerStep = 50_000
    private static let rowsPerVacuum = 20_000
    /// A pass that moves at least this many rows is logged.
    private static let manyRows = 200_000

    private struct Progress {
        /// The rows moved since the server's statistics were last updated.
        var undescribed = 0
        /// Whether this run has updated them.
        var isDescribed = false
        /// The rows moved since their space was last freed.
        var unvacuumed = 0
    }

    private enum Outcome {
        case done
        case impossible(String)
    }

    /// Moves rows until the task is cancelled.
    func run() async {
        var progress: [String: Progress] = [:]
        var obstacles: [String: (reason: String, since: ContinuousClock.Instant)] = [:]
        var wait = Wait(nil, observer)
        var failures = 0
        while (try? await sleep(Self.interval * min(failures + 1, Self.mostPatience))) != nil {
            guard !isBehind else { continue }
            do {
                for settler in settlers {
                    let name = settler.table.name
                    if let obstacle = obstacles[name], .now - obstacle.since < Self.obstacleInterval { continue }
                    switch try await settle(settler, &progress[name, default: Progress()]) {
                    case .done: obstacles[name] = nil
                    case .impossible(let reason):
                        if obstacles[name]?.reason != reason {
                            observer.log.warning(
                                "the tiles get slower with each row of \(name), since its rows cannot be settled: \(reason)"
                            )
                        }
                        obstacles[name] = (reason, .now)
                    }
                }
                failures = 0
                wait.succeeded("rows are settled again")
            } catch is CancellationError {
                break
            } catch {
                // Another session holds a lock for a moment, or the database is unreachable, for which the run itself
                // waits.
                failures += 1
                if failures >= Self.failuresToReport {
                    wait.failed(
                        "\(error)", at: .now,
                        "the tiles get slower with each row, since rows cannot be settled: \(error); the owner of the "
                            + "tables can settle them")
                }
            }
        }
        await connection.close()
    }

    private var isBehind: Bool { lag().map { $0 > Self.mostLag } ?? true }

    /// Moves the recent rows of a table step by step.
    ///
    /// - Parameter progress: The progress of earlier passes.
    private func settle(
        _ settler: RowSettler, _ progress: inout Progress
    ) async throws -> Outcome {
        let began = ContinuousClock.now
        var moved = 0
        var block: Int? = 0
        pass: while let next = block, !Task.isCancelled, !isBehind {
            let step = try await connection.use {
                try await settler.step(from: next, limit: Self.rowsPerStep, over: $0)
            }
            switch step {
            case .moved(let count, let next):
                moved += count
                block = next
            case .counted:
                observer.log.info("counted the units of \(settler.table.name) anew, since settled rows were changed")
            case .busy: break pass
            case .impossible(let reason): return .impossible(reason)
            }
        }
        progress.undescribed += moved
        if progress.undescribed >= (progress.isDescribed ? Self.manyRows : 1) {
            try await connection.use { try await settler.describe(over: $0) }
            (progress.undescribed, progress.isDescribed) = (0, true)
        }
        progress.unvacuumed += moved
        if progress.unvacuumed >= Self.rowsPerVacuum {
            try await connection.use { try await settler.vacuum(over: $0) }
            progress.unvacuumed = 0
        }
        if moved >= Self.manyRows {
            let seconds = Numbers.seconds((ContinuousClock.now - began) / .seconds(1))
            observer.log.info("settled \(Numbers.grouped(moved)) rows of \(settler.table.name) in \(seconds)")
        }
        return .done
    }
}
