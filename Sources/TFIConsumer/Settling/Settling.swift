import CommandLineSupport
import IngestEngine
import PGWire

/// Keeps the recent rows few while a run has time for it, so that the tiles stay fast.
///
/// It moves nothing while many records wait in the log: the rows' way into the database comes first. The tiles are exact
/// at any moment, only slower with many recent rows.
struct Settling: Sendable {
    let settlers: [RowSettler]
    let log: Log
    /// How many records wait in the log; nil if that isn't known.
    let lag: @Sendable () -> Int64?
    let connection: SideConnection
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    private static let interval = Duration.seconds(5)
    /// With more records than this in the log the run is behind.
    private static let mostLag: Int64 = 20_000
    /// So many rows take the server some tenths of a second.
    private static let rowsPerStep = 50_000
    private static let rowsPerVacuum = 20_000
    /// A pass over so many rows is worth a line.
    private static let manyRows = 200_000

    private struct Progress {
        /// How many rows were moved since the server was told what they are like.
        var undescribed = 0
        /// Whether this run has told it.
        var isDescribed = false
        /// How many rows were moved since the room of earlier ones was given free.
        var unvacuumed = 0
    }

    private enum Outcome {
        case done
        /// Trying again makes no sense.
        case impossible(String)
    }

    /// Moves rows until the task is cancelled, or until all tables have turned out to be impossible.
    func run() async {
        var waiting = settlers
        var progress: [String: Progress] = [:]
        while !waiting.isEmpty, (try? await sleep(Self.interval)) != nil {
            guard !isBehind else { continue }
            do {
                for settler in waiting {
                    let name = settler.table.name
                    switch try await settle(settler, &progress[name, default: Progress()]) {
                    case .done: break
                    case .impossible(let reason):
                        waiting.removeAll { $0.table.name == name }
                        log.warning("the tiles get slower with each row of \(name), since its rows stay: \(reason)")
                    }
                }
            } catch let error as PostgresError where error.sqlState == "42501" {
                log.warning(
                    "the tiles get slower with each row, since this user may not move rows: \(error); the owner of the "
                        + "tables may")
                break
            } catch {
                // A lock, or the database is away: the run itself waits for that, and says so.
                log.debug("rows could not be moved: \(error)")
            }
        }
        await connection.close()
    }

    private var isBehind: Bool { lag().map { $0 > Self.mostLag } ?? true }

    /// One pass over a table.
    ///
    /// - Parameter progress: Of the passes before.
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
            case .counted: log.info("counted the units of \(settler.table.name) anew, since settled rows were changed")
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
            log.info("settled \(Numbers.grouped(moved)) rows of \(settler.table.name) in \(seconds)")
        }
        return .done
    }
}
