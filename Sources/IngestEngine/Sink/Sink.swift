import Concurrency
import KafkaWire
import PGWire

/// Writes batches into the database: each in one transaction, with the offsets that it moves.
public struct Sink: Sendable {
    let database: Database
    let offsets: OffsetStore
    let deadLetters: TableName
    /// Compared in each transaction; nil not to notice changes of the tables.
    var fingerprint: TableFingerprint? { didSet { sessionSetup = setup(fingerprint) } }
    /// What a session of this program's own is set up by, and the statement that it has then; nil without a fingerprint.
    private var sessionSetup: (sql: String, statement: String)?

    /// - Parameter schema: The schema of the program's own tables, as the catalog spells it.
    public init(database: Database, offsets: OffsetStore, schema: String) {
        self.database = database
        self.offsets = offsets
        deadLetters = TableName(schema: schema, table: DeadLetter.table)
    }

    /// A table has changed since its route was bound: nothing was written, and the routes have to be bound again.
    struct TablesChanged: Error {}

    /// The database refused a batch, perhaps for a single row in it.
    struct Refused: Error {
        let error: PostgresError
    }

    /// Settings of each transaction.
    ///
    /// - `synchronous_commit`: a commit that a crash of the server takes back takes its offsets back with it, and Kafka
    ///   still has the messages. So nothing is lost by not waiting for the disk at each one.
    /// - The others let the server notice within about 15 s that this program's network is gone, and within 30 s that the
    ///   program is stopped. Otherwise the transaction would hold its locks on the offsets for hours, and no other
    ///   consumer could take over.
    private static let settings = [
        "synchronous_commit = off", "tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2",
        "tcp_keepalives_count = 3", "tcp_user_timeout = 15000", "idle_in_transaction_session_timeout = 25000",
    ]

    /// The settings for a transaction alone: behind a connection pooler in transaction mode, those of the session would
    /// stay in force for other clients.
    public static let transactionSettings = settings.map { "SET LOCAL \($0)" }.joined(separator: "; ")

    /// The name of the prepared statement. It says what the statement is, so that a session that is another run's after all
    /// doesn't have it.
    private func preparedMove(_ fingerprint: TableFingerprint) -> String {
        let statement = fingerprint.statements(with: offsets.move(OffsetStore.parametersOfMoves))
        // FNV-1a
        let hash = statement.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "move_\(OffsetStore.tableName)_\(String(hash, radix: 16))"
    }

    /// The settings for a whole session, and the statement that each transaction begins with.
    private func setup(_ fingerprint: TableFingerprint?) -> (sql: String, statement: String)? {
        fingerprint.map { fingerprint in
            let name = preparedMove(fingerprint)
            let preparation = fingerprint.preparation(
                of: offsets.move(OffsetStore.parametersOfMoves), as: name, types: OffsetStore.typesOfMoves)
            let statements = Self.settings.map { "SET \($0)" } + ["DEALLOCATE ALL", preparation]
            return (statements.joined(separator: "; "), name)
        }
    }

    /// The statements that each transaction begins with: they compare the tables and move the offsets. The move comes
    /// before the rows, since it locks: a second writer is turned away before it has sent one.
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

    /// Whether a transaction has moved the offsets and has come to its rows. Set on the connection's thread.
    private final class Stage: Sendable {
        private let isAtRows = Lock(false)
        var hasRows: Bool { isAtRows.withLock { $0 } }
        func enterRows() { isAtRows.withLock { $0 = true } }
    }

    /// Commits a batch, however long the database makes it wait.
    ///
    /// - Throws: `Refused` if a row may be to blame; `PositionsMoved` if another consumer has moved offsets, or the database
    ///   has lost earlier commits; `TablesChanged`; `Stopped`.
    func commit(_ batch: CopyBatch) async throws {
        let deadLetters = deadLetters
        try await commit(batch.progress, copying: batch) { session in
            try batch.copy(deadLetters: deadLetters, &session)
        }
    }

    /// Compares the tables with the plan without writing.
    ///
    /// - Throws: `TablesChanged`; `Stopped`.
    func checkTables() async throws {
        guard let fingerprint else { return }
        let holds = try await database.retrying { connection in
            try await connection.transaction(prelude: Self.transactionSettings) { session in
                try fingerprint.holds(&session)
            }
        }
        if !holds { throw TablesChanged() }
    }

    /// Moves the offsets on and copies rows, in one transaction, however long the database makes it wait.
    ///
    /// - Parameters:
    ///   - batch: A batch whose rows `copy` copies. If it consists of COPYs alone they need fewer round trips, and `copy` is
    ///     called only if something has changed.
    ///   - inParts: Whether `copy` leaves out the rows that the database refuses. Then no error is `Refused`.
    ///   - copy: Called again for each attempt.
    /// - Throws: As the other one, and what `copy` throws.
    func commit(
        _ progress: [TopicPartition: CopyBatch.Progress], copying batch: CopyBatch? = nil, inParts: Bool = false,
        _ copy: @escaping @Sendable (inout PostgresSession) throws -> Void
    ) async throws {
        // If the connection is lost during COMMIT, it isn't known whether that got through: the offsets tell. Without a
        // COMMIT nothing was written. If the offsets are those behind the batch nevertheless, another consumer has moved
        // them.
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
                // No such prepared statement.
                if error.sqlState == "26000" { connection.giveUpSession() }
                if error.kind != .server || connection.isBroken {
                    isInDoubt = error.mayBeCommitted
                } else if !inParts, stage.hasRows, Self.blamesRows(error) {
                    throw Refused(error: error)
                }
                throw error
            } catch is OffsetStore.Moved {
                // Not by this batch, since that was not in doubt.
                let shifts = try await positions(relativeTo: progress, connection).shifts
                // If they were moved and moved back, it isn't known by whom: all of them are read again.
                throw PositionsMoved(
                    shifts: shifts.isEmpty
                        ? progress.mapValues { .init(stored: $0.expected, expected: $0.expected) } : shifts)
            }
        }
    }

    /// The offsets or the tables are not as expected.
    private struct Unexpected: Error {}

    /// Commits a batch that consists of COPYs alone, with two round trips if there is one COPY: all statements are sent
    /// together.
    ///
    /// - Parameter stage: Enters the rows.
    /// - Returns: Whether it is committed. If not, nothing was written: the batch has other rows, or something has changed,
    ///   which the statements one by one will tell.
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
            // The COPY may not fit a table that has changed, and the server does not wait for the comparison.
            return false
        }
    }

    /// Whether it helps to send the rows in parts. Not for a COMMIT that takes too long: it would with parts, too.
    private static func blamesRows(_ error: PostgresError) -> Bool {
        error.mayBeCausedByRow || error.isTimeout && !error.isOfCommit
    }

    /// - Throws: `Failure` if the database has no row for a partition any more.
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
