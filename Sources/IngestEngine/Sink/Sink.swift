import Concurrency
import KafkaWire
import PGWire

/// Writes batches into the database: each in one transaction, with the offsets that it moves.
package struct Sink: Sendable {
    let database: Database
    let offsets: OffsetStore
    let deadLetters: TableName
    /// Compared in each transaction; nil not to notice changes of the tables.
    var fingerprint: TableFingerprint?

    /// - Parameter schema: The schema of the program's own tables, as the catalog spells it.
    package init(database: Database, offsets: OffsetStore, schema: String) {
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

    /// Settings of each transaction. Not of the session, since behind a connection pooler in transaction mode they would
    /// stay in force for other clients.
    ///
    /// - `synchronous_commit`: a commit that a crash of the server takes back takes its offsets back with it, and Kafka
    ///   still has the messages. So nothing is lost by not waiting for the disk at each one.
    /// - The others let the server notice within about 15 s that this program's network is gone, and within 30 s that the
    ///   program is stopped. Otherwise the transaction would hold its locks on the offsets for hours, and no other
    ///   consumer could take over.
    package static let transactionSettings =
        """
        SET LOCAL synchronous_commit = off; SET LOCAL tcp_keepalives_idle = 5; \
        SET LOCAL tcp_keepalives_interval = 2; SET LOCAL tcp_keepalives_count = 3; \
        SET LOCAL tcp_user_timeout = 15000; SET LOCAL idle_in_transaction_session_timeout = 25000
        """

    /// What a transaction was at when it failed.
    private enum Phase { case offsets, rows, commit }

    /// Commits a batch, however long the database makes it wait.
    ///
    /// - Throws: `Refused` if a row may be to blame; `PositionsMoved` if another consumer has moved offsets, or the database
    ///   has lost earlier commits; `TablesChanged`; `Stopped`.
    func commit(_ batch: CopyBatch) async throws {
        let deadLetters = deadLetters
        try await commit(batch.progress) { session in try batch.copy(deadLetters: deadLetters, &session) }
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
    ///   - inParts: Whether `copy` leaves out the rows that the database refuses. Then no error is `Refused`.
    ///   - copy: Called again for each attempt.
    /// - Throws: As the other one, and what `copy` throws.
    func commit(
        _ progress: [TopicPartition: CopyBatch.Progress], inParts: Bool = false,
        _ copy: @escaping @Sendable (inout PostgresSession) throws -> Void
    ) async throws {
        // If the connection is lost during COMMIT, it isn't known whether that got through: the offsets tell. Without a
        // COMMIT nothing was written. If the offsets are those behind the batch nevertheless, another consumer has moved
        // them.
        var isInDoubt = false
        try await database.retrying { connection in
            if isInDoubt {
                let positions = try await positions(relativeTo: progress, connection)
                if positions.isWritten { return }
                isInDoubt = false
                guard positions.shifts.isEmpty else { throw PositionsMoved(shifts: positions.shifts) }
            }
            let phase = Lock(Phase.offsets)
            let (offsets, fingerprint) = (offsets, fingerprint)
            do {
                // The move comes first, since it locks: a second writer is turned away before it has sent a row.
                let move = try await offsets.move(progress, over: connection)
                let statements = fingerprint?.statements(with: move) ?? move
                try await connection.transaction(prelude: "\(Self.transactionSettings); \(statements)") { session in
                    if let fingerprint {
                        if !fingerprint.matches(session.preludeResult, changing: progress.count) {
                            guard try fingerprint.holds(&session) else { throw TablesChanged() }
                            throw OffsetStore.Moved()
                        }
                    } else {
                        try offsets.check(session.preludeResult, of: progress)
                    }
                    phase.withLock { $0 = .rows }
                    try copy(&session)
                    phase.withLock { $0 = .commit }
                }
            } catch let error as PostgresError {
                let phase = phase.withLock { $0 }
                if error.kind != .server || connection.isBroken {
                    isInDoubt = phase == .commit
                } else if !inParts, Self.blamesRows(error, phase) {
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

    /// Whether it helps to send the rows in parts.
    private static func blamesRows(_ error: PostgresError, _ phase: Phase) -> Bool {
        switch phase {
        case .offsets: false
        case .rows: error.mayBeCausedByRow || error.isTimeout
        case .commit: error.mayBeCausedByRow
        }
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
