import PGWire

/// Moves staged rows into their table except for records with a row that the database refuses, all in one transaction.
///
/// A record has one row, or several if its route has `each`. Either all rows of a record are written or none.
struct StagedIsolation {
    struct Refusal {
        let origin: RecordOrigin
        let error: PostgresError
    }

    struct Outcome {
        /// The number of inserted or replaced rows.
        var rows = 0
        /// The number of rows that triggers suppressed.
        var suppressed = 0
        var refusals: [Refusal] = []
    }

    private let staging: Staging

    init(_ staging: Staging) { self.staging = staging }

    /// - Throws: Like `RowIsolation.copy`.
    func run(
        _ rows: borrowing TargetRows, _ isolation: inout RowIsolation, _ session: inout PostgresSession
    ) throws -> Outcome {
        var outcome = Outcome()
        guard rows.staged > 0 else { return outcome }
        let records = Records(rows.stagedOrigins)
        let deletes = rows.deletions > 0
        try session.execute("\(staging.creation); \(Staging.progressCreation)")
        // Records with a row that even the temporary table refuses; their other rows must not be written either.
        var refused: Set<RecordOrigin> = []
        func note(_ refusals: [RowIsolation.Refusal], _ origins: [RecordOrigin]) {
            for refusal in refusals where refused.insert(origins[refusal.row]).inserted {
                outcome.refusals.append(Refusal(origin: origins[refusal.row], error: refusal.error))
            }
        }
        try isolation.copy(rows.rows, into: staging.table, columns: staging.columns, &session)
        note(isolation.refusals, rows.origins)
        if !rows.server.isEmpty {
            try session.execute(ServerRows.settings)
            try isolation.insert(rows.server, &session)
            try session.execute(ServerRows.resetSettings)
            note(isolation.refusals, rows.serverOrigins)
        }
        for record in records.indices(of: refused) {
            try session.execute(staging.discard(records.rows(record..<record + 1)))
        }
        try session.execute(staging.indexCreation)
        var suppressed = 0
        try isolation.isolate(records.count, &session) { (part, savepoint, session) throws(PostgresError) in
            let range = records.rows(part)
            let result = try session.execute("\(savepoint); \(staging.insertByRow(range, deletes: deletes))")
            let inserted = result.affectedRows ?? 0
            suppressed += try staging.suppressed(range, inserted: inserted, &session)
            return inserted
        } line: { (_, part, session) throws(PostgresError) in
            try session.execute("ROLLBACK TO part")
            return try Staging.failedRow(in: &session).map { records.record(ofRow: $0) - part.lowerBound + 1 }
        }
        outcome.rows = isolation.copied
        outcome.suppressed = suppressed
        for refusal in isolation.refusals {
            outcome.refusals.append(Refusal(origin: records.origins[refusal.row], error: refusal.error))
        }
        return outcome
    }

    /// The records of staged rows, each with one or more rows.
    struct Records {
        let origins: [RecordOrigin]
        /// The first row of each record, from 1, and at the end the row after the last one.
        private let starts: [Int]

        /// - Parameter rows: The origin of each row.
        init(_ rows: [RecordOrigin]) {
            var origins: [RecordOrigin] = []
            var starts: [Int] = []
            for (index, origin) in rows.enumerated() where origins.last != origin {
                origins.append(origin)
                starts.append(index + 1)
            }
            self.origins = origins
            self.starts = starts + [rows.count + 1]
        }

        var count: Int { origins.count }

        /// The rows of some records, at least one.
        func rows(_ records: Range<Int>) -> ClosedRange<Int> {
            starts[records.lowerBound]...max(starts[records.lowerBound], starts[records.upperBound] - 1)
        }

        /// The record of a row.
        ///
        /// - Parameter row: The row, from 1.
        func record(ofRow row: Int) -> Int {
            var (low, high) = (0, count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if starts[middle] <= row { low = middle } else { high = middle }
            }
            return low
        }

        func indices(of wanted: Set<RecordOrigin>) -> [Int] {
            wanted.isEmpty ? [] : origins.indices.filter { wanted.contains(origins[$0]) }
        }
    }
}
