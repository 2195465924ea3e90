import Concurrency
import KafkaWire
import PGWire

/// Writes batches to the database: each in one transaction, together with its offsets.
public struct Sink: Sendable {
    let database: Database
    let offsets: OffsetStore
    let deadLetters: TableName
    /// The fingerprint to check in each transaction; nil to ignore changes of the tables.
    var fingerprint: TableFingerprint? { didSet { sessionSetup = setup(fingerprint) } }
    /// The SQL that sets up a session, and the name of the statement that it prepares; nil without a fingerprint.
    private var sessionSetup: (sql: String, statement: String)?

    /// - Parameter schema: The unquoted schema of the program's own tables.
    public init(database: Database, offsets: OffsetStore, schema: String) {
        self.database = database
        self.offsets = offsets
        deadLetters = TableName(schema: schema, table: DeadLetter.table)
    }

    /// A table has changed since its route was bound. Nothing was written; bind the routes again.
    struct TablesChanged: Error {}

    /// The database refused a batch, possibly because of a single row.
    struct Refused: Error {
        let error: PostgresError
    }

    /// The settings of each transaction.
    ///
    /// - `synchronous_commit`: If a server crash undoes a commit, it undoes its offsets as well, and Kafka still has
    ///   the messages. So nothing is lost by not waiting for the disk at each commit.
    /// - The others make the server notice within about 15 s that the network connection is gone, and within 30 s that
    ///   this program is suspended. Otherwise the transaction would keep its locks on the offsets for hours, and no
    ///   other consumer could take over.
    private static let settings = [
        "synchronous_commit = off", "tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2",
        "tcp_keepalives_count = 3", "tcp_user_timeout = 15000", "idle_in_transaction_session_timeout = 25000",
    ]

    /// The settings for a single transaction. Behind a connection pooler in transaction mode, session settings would
    /// remain in force for other clients.
    public static let transactionSettings = settings.map { "SET LOCAL \($0)" }.joined(separator: "; ")

    /// The name of the prepared statement. It includes a hash of the statement, so that it doesn't match one prepared
    /// by a different run in the same session.
    private func preparedMove(_ fingerprint: TableFingerprint) -> String {
        let statement = fingerprint.statements(with: offsets.move(OffsetStore.parametersOfMoves))
        // FNV-1a
        let hash = statement.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "move_\(OffsetStore.tableName)_\(String(hash, radix: 16))"
    }

    /// The settings for a session, and the name of the prepared statement with which each transaction starts.
    private func setup(_ fingerprint: TableFingerprint?) -> (sql: String, statement: String)? {
        fingerprint.map { fingerprint in
            let name = preparedMove(fingerprint)
            let preparation = fingerprint.preparation(
                of: offsets.move(OffsetStore.parametersOfMoves), as: name, types: OffsetStore.typesOfMoves)
            let statements = Self.settings.map { "SET \($0)" } + ["DEALLOCATE ALL", preparation]
            return (statements.joined(separator: "; "), name)
        }
    }

    /// The statements at the start of each transaction: they check the tables and move the offsets. The move comes
    /// before the rows, since it locks: a second writer fails before it has sent rows.
    private func prelude(
        _ progress: [TopicPartition: CopyBatch.Progress], over connection: PostgresConnection
    ) async throws(PostgresError) -> String {
        let moves = try await offsets.moves(progress, over: connection)
        guard let fingerprint, let sessionSetup else { return "\(Self.transactionSettings); \(offsets.move(moves))" }
        if try await connection.setUp(sessionSetup.sql) {
            return fingerprint.statements(executing: sessionSetup.statement, moves)
        }
        return "\(Self.transactionSettings); \(fingerprint.statements(with: offsets.move(moves)))"
    }

    /// Whether a transaction has moved the offsets and started sending rows. Set on the connection's thread.
    private final class Stage: Sendable {
        private let isAtRows = Lock(false)
        var hasRows: Bool { isAtRows.withLock { $0 } }
        func enterRows() { isAtRows.withLock { $0 = true } }
    }

    /// Commits a batch, and waits for the database as long as necessary.
    ///
    /// - Throws: `Refused` if a row may be the cause; `PositionsMoved` if another consumer has moved offsets or the
    ///   database has lost earlier commits; `TablesChanged`; `Stopped`.
    func commit(_ batch: CopyBatch) async throws {
        let deadLetters = deadLetters
        try await commit(batch.progress, copying: batch) { session in
            try batch.copy(deadLetters: deadLetters, &session)
        }
    }

    /// Checks the tables without writing.
    ///
    /// - Throws: `TablesChanged` if they no longer match the plan; `Stopped`.
    func checkTables() async throws {
        guard let fingerprint else { return }
        let holds = try await database.retrying { connection in
            try await connection.transaction(prelude: Self.transactionSettings) { session in
                try fingerprint.holds(&session)
            }
        }
        if !holds { throw TablesChanged() }
    }

    /// Moves the offsets and copies rows in one transaction, and waits for the database as long as necessary.
    ///
    /// - Parameters:
    ///   - batch: The batch that `copy` writes. If it consists only of COPYs, they need fewer round trips, and `copy`
    ///     is called only if something has changed.
    ///   - inParts: Whether `copy` omits refused rows. Then `Refused` isn't thrown.
    ///   - copy: Writes the rows; called again for each attempt.
    /// - Throws: Errors of `commit(_:)`, and those of `copy`.
    func commit(
        _ progress: [TopicPartition: CopyBatch.Progress], copying batch: CopyBatch? = nil, inParts: Bool = false,
        _ copy: @escaping @Sendable (inout PostgresSession) throws -> Void
    ) async throws {
        // If the connection is lost during COMMIT, only the offsets show whether it succeeded. Before COMMIT nothing
        // was written. If the offsets are nevertheless those after the batch, another consumer has moved them.
        var isInDoubt = false
        try await database.retrying { connection in
            if isInDoubt {
                let positions = try await positions(relativeTo: progress, connection)
                if positions.isWritten {
                    batch?.countAsCopied()
                    return
                }
                isInDoubt = false
                guard positions.shifts.isEmpty else { throw PositionsMoved(shifts: positions.shifts) }
            }
            let stage = Stage()
            let (offsets, fingerprint) = (offsets, fingerprint)
            do {
                let prelude = try await prelude(progress, over: connection)
                if let batch, try await self.copy(batch, prelude, stage, connection) { return }
                try await connection.transaction(prelude: prelude) { session in
                    if let fingerprint {
                        if !fingerprint.matches(session.preludeResult, changing: progress.count) {
                            guard try fingerprint.holds(&session) else { throw TablesChanged() }
                            throw OffsetStore.Moved()
                        }
                    } else {
                        try offsets.check(session.preludeResult, of: progress)
                    }
                    stage.enterRows()
                    try copy(&session)
                }
            } catch let error as PostgresError {
                // SQLSTATE 26000: the prepared statement doesn't exist.
                if error.sqlState == "26000" { connection.disableSetUp() }
                if error.kind != .server || connection.isBroken {
                    isInDoubt = error.mayBeCommitted
                } else if !inParts, stage.hasRows, Self.isCausedByRows(error) {
                    throw Refused(error: error)
                }
                throw error
            } catch is OffsetStore.Moved {
                // Another writer moved them, since this batch was not in doubt.
                let shifts = try await positions(relativeTo: progress, connection).shifts
                // If they were moved and moved back, it is unknown by whom, so reread all of them.
                throw PositionsMoved(
                    shifts: shifts.isEmpty
                        ? progress.mapValues { .init(stored: $0.expected, expected: $0.expected) } : shifts)
            }
        }
    }

    /// The offsets or the tables differ from those expected.
    private struct Unexpected: Error {}

    /// Commits a batch that consists only of COPYs, by sending all statements together; a single COPY takes two round
    /// trips.
    ///
    /// - Parameter stage: Records when the rows start.
    /// - Returns: Whether the batch was committed. If not, nothing was written: the batch has other rows, or something
    ///   has changed, which the separate statements will find.
    private func copy(
        _ batch: CopyBatch, _ prelude: String, _ stage: Stage, _ connection: PostgresConnection
    ) async throws -> Bool {
        guard let copies = batch.copies, !copies.isEmpty else { return false }
        let (fingerprint, progress) = (fingerprint, batch.progress)
        let destinations = copies.map { batch.destination(of: $0, deadLetters: deadLetters) }
        do {
            let rows = try await connection.transaction(prelude: prelude, copying: destinations) {
                index, result, writer in
                if index == 0 {
                    let isExpected =
                        fingerprint?.matches(result, changing: progress.count)
                        ?? (result.affectedRows == progress.count)
                    guard isExpected else { throw Unexpected() }
                    stage.enterRows()
                }
                try batch.write(copies[index], &writer)
            }
            batch.count(copies, rows)
            return true
        } catch is Unexpected {
            return false
        } catch let error as PostgresError
            where error.kind == .server && !error.isOfEnvironment && !stage.hasRows && !connection.isBroken
        {
            // The COPY may not fit a changed table, since the server doesn't wait for the check of the tables.
            return false
        }
    }

    /// Whether sending the rows in parts may help. It doesn't help if COMMIT takes too long.
    private static func isCausedByRows(_ error: PostgresError) -> Bool {
        error.mayBeCausedByRow || error.isTimeout && !error.isOfCommit
    }

    /// - Throws: `Failure` if a partition's row was deleted.
    private func positions(
        relativeTo progress: [TopicPartition: CopyBatch.Progress], _ connection: PostgresConnection
    ) async throws -> OffsetStore.Positions {
        let offsets = offsets
        let positions = try await connection.transaction(prelude: Self.transactionSettings) { session in
            try offsets.positions(relativeTo: progress, &session)
        }
        if let missing = positions.missing.first { throw offsets.missing(missing) }
        return positions
    }
}
