import KafkaWire
import PGWire

/// Writes batches into the database: each in one transaction, with the offsets that it moves.
struct Sink: Sendable {
    let database: Database
    let offsets: OffsetStore
    /// The schema's name, not quoted.
    let schema: String

    /// The database refused a batch for what is in it.
    struct Refused: Error {
        let error: PostgresError
    }

    /// Commits a batch, however long the database makes it wait.
    ///
    /// - Throws: `Refused` where a row is to blame; `Fenced` where another consumer has moved the offsets; `SetBack`
    ///   where the database has lost earlier commits; `Stopped`.
    func commit(_ batch: CopyBatch) async throws {
        // After a lost connection it isn't known whether the COMMIT got through: the offsets tell.
        var isInDoubt = false
        do {
            try await database.retrying { connection in
                if isInDoubt {
                    if try await position(relativeTo: batch, connection) == .afterBatch { return }
                    isInDoubt = false
                }
                do {
                    try await write(batch, connection)
                } catch let error as PostgresError where error.kind != .server || connection.isBroken {
                    isInDoubt = true
                    throw error
                } catch is OffsetStore.Moved {
                    // Not by this batch, since that was not in doubt.
                    _ = try await position(relativeTo: batch, connection)
                    throw Fenced(group: offsets.group, topic: offsets.topic)
                }
            }
        } catch let error as PostgresError where error.isDataError {
            throw Refused(error: error)
        }
    }

    private func position(
        relativeTo batch: CopyBatch, _ connection: PostgresConnection
    ) async throws -> OffsetStore.Position {
        let (offsets, progress) = (offsets, batch.progress)
        let position = try await connection.transaction { session in
            try offsets.position(relativeTo: progress, &session)
        }
        switch position {
        case .beforeBatch, .afterBatch: return position
        case .setBack: throw SetBack()
        case .elsewhere: throw Fenced(group: offsets.group, topic: offsets.topic)
        }
    }

    private func write(_ batch: CopyBatch, _ connection: PostgresConnection) async throws {
        let (offsets, schema) = (offsets, schema)
        try await connection.transaction { session in
            // First, since it locks: a second writer is turned away before it has sent a row.
            try offsets.advance(batch.progress, &session)
            try batch.copy(into: schema, &session)
        }
    }
}
