import PGWire

/// The outcome of writing a target's rows.
struct StagedOutcome: Sendable {
    /// The number of inserted or replaced rows.
    var rows = 0
    /// The number of rows that triggers suppressed.
    var suppressed = 0
}

// Writing staged rows the fast way: all or none.
extension TargetRows {
    /// Writes the rows into their table.
    ///
    /// - Throws: `PostgresError`; `Sink.Refused` if a trigger may have caused the error although its kind suggests a
    ///   mistake in the statement.
    mutating func write(_ staging: Staging, _ session: inout PostgresSession) throws -> StagedOutcome {
        do throws(PostgresError) {
            if server.isEmpty, rows.rowCount < Staging.minimumRows { return try writeSingly(staging, &session) }
            try stage(staging, &session)
            return try Self.insertStaged(staging, deletes: deletions > 0, &session)
        } catch {
            guard error.mayBeCausedByRow || error.isOfEnvironment || !error.isOfFunction else {
                throw Sink.Refused(error: error)
            }
            throw error
        }
    }

    /// Creates the temporary table and copies the rows into it.
    private func stage(_ staging: Staging, _ session: inout PostgresSession) throws(PostgresError) {
        if rows.isEmpty {
            try session.execute(staging.creation)
        } else {
            try session.copy(into: staging.table, columns: staging.columns, from: rows, prelude: staging.creation)
        }
        guard !server.isEmpty else { return }
        try session.execute(ServerRows.settings)
        try server.insert(in: &session)
        try session.execute(ServerRows.resetSettings)
    }

    private static func insertStaged(
        _ staging: Staging, deletes: Bool, _ session: inout PostgresSession
    ) throws(PostgresError) -> StagedOutcome {
        let insertion = staging.insert()
        let result = try session.execute(deletes ? "\(staging.delete()); \(insertion)" : insertion)
        let inserted = result.affectedRows ?? 0
        return StagedOutcome(
            rows: inserted, suppressed: try staging.suppressed(nil, inserted: inserted, &session))
    }

    /// Sends each row in a statement of its own, in order.
    private func writeSingly(
        _ staging: Staging, _ session: inout PostgresSession
    ) throws(PostgresError) -> StagedOutcome {
        var outcome = StagedOutcome()
        let index = CopyRowIndex(rows)
        for row in 0..<rows.rowCount {
            let values = rows.values(ofRow: row, index)
            let isDeletion = values.last.flatMap(\.self) == [1]
            let sent = isDeletion ? staging.keyPlaces.map { values[$0] } : Array(values.dropLast(2))
            let result = try session.query(
                staging.single(isDeletion: isDeletion),
                parameters: sent.map { value in value.map(PostgresValue.bytea) ?? .null })
            guard !isDeletion else { continue }
            let written = result.affectedRows ?? 0
            outcome.rows += written
            if staging.detectsSuppression, written == 0 { outcome.suppressed += 1 }
        }
        return outcome
    }
}

extension Staging {
    /// Whether an unwritten row was suppressed by a trigger and not skipped on purpose.
    var detectsSuppression: Bool { count() != nil }

    /// The number of suppressed rows.
    ///
    /// - Parameter rows: The staged rows that were sent; nil for all.
    func suppressed(
        _ rows: ClosedRange<Int>?, inserted: Int, _ session: inout PostgresSession
    ) throws(PostgresError) -> Int {
        guard let count = count(rows) else { return 0 }
        let result = try session.execute(count)
        guard let text = result.rows.first?[0], let sent = Int(text) else { return 0 }
        return max(0, sent - inserted)
    }
}

extension PostgresError {
    /// Whether the error came from a function, such as a trigger's.
    var isOfFunction: Bool { context?.isEmpty == false }
}
