import PGWire

/// Copies rows into a table except those that the database refuses, all in one transaction.
///
/// Each part is a COPY after a savepoint. `RowSearch` chooses the parts.
struct RowIsolation {
    /// A row that the database refuses.
    struct Refusal {
        /// The index of the row.
        let row: Int
        let error: PostgresError
    }

    /// The most rows to send in one statement. Reduced when the server's `statement_timeout` was exceeded.
    private(set) var maximum: Int
    /// The refused rows of the last table.
    private(set) var refusals: [Refusal] = []
    /// The number of rows that the server counted for the last table. Less than were sent if a trigger suppressed
    /// some.
    private(set) var copied = 0
    private(set) var hasTimedOut = false
    /// Ends the search early if too many rows are rejected.
    private let limit: DeadLetterCounter

    init(maximum: Int, limit: DeadLetterCounter) {
        self.maximum = maximum
        self.limit = limit
    }

    /// Copies the rows and sets `refusals`.
    ///
    /// - Throws: `PostgresError` if no row is the cause, or if a single row exceeds the time limit;
    ///   `DeadLetterLimit.Reached`.
    mutating func copy(
        _ rows: borrowing CopyBuffer, into table: TableName, columns: [String], _ session: inout PostgresSession
    ) throws {
        let index = CopyRowIndex(rows)
        try isolate(rows.isEmpty ? 0 : index.rowCount, &session) {
            (part, savepoint, session) throws(PostgresError) in
            try session.copy(into: table, columns: columns, from: rows, rows: part, of: index, prelude: savepoint)
        } line: { (error, _, _) throws(PostgresError) in
            error.copyLine(of: table.table)
        }
    }

    /// Inserts rows that the server parses itself, and sets `refusals`. Throws like ``copy(_:into:columns:_:)``.
    mutating func insert(_ rows: ServerRows, _ session: inout PostgresSession) throws {
        try isolate(rows.count, &session) { (part, savepoint, session) throws(PostgresError) in
            try session.execute(savepoint)
            return try rows.insert(part, in: &session)
        } line: { (_, _, _) throws(PostgresError) in
            nil
        }
    }

    /// Sends rows in parts and sets `refusals`.
    ///
    /// - Parameters:
    ///   - send: Sends some of the rows after a statement that sets a savepoint, and returns the server's row count.
    ///   - line: Returns the row of a part to which an error refers, from 1; nil if the server doesn't report it. May
    ///     roll back to the savepoint.
    mutating func isolate(
        _ count: Int, _ session: inout PostgresSession,
        _ send: (Range<Int>, String, inout PostgresSession) throws(PostgresError) -> Int,
        line: (PostgresError, Range<Int>, inout PostgresSession) throws(PostgresError) -> Int?
    ) throws {
        refusals = []
        copied = 0
        guard count > 0 else { return }
        var search = RowSearch(count: count, maximum: maximum)
        defer { maximum = search.maximum }
        var counter = DeadLetterCounter(limit: limit.limit, total: limit.total + limit.rejectedElsewhere)
        var savepoint = "SAVEPOINT part"
        var named: PostgresError?
        var isNamed = false
        while let part = search.next {
            var passed = 0
            var failure: PostgresError?
            do throws(PostgresError) {
                passed = try send(part, savepoint, &session)
            } catch {
                failure = error
            }
            guard let failure else {
                savepoint = "RELEASE part; SAVEPOINT part"
                copied += passed
                counter.add(.init(records: part.count, rejected: 0))
                if let row = search.succeeded(), let named { try add(row, named, &counter) }
                continue
            }
            savepoint = "ROLLBACK TO part"
            if failure.isTimeout {
                hasTimedOut = true
                guard search.timedOut() else { throw failure }
                continue
            }
            guard failure.kind == .server, !failure.isOfEnvironment else { throw failure }
            let line = try line(failure, part, &session)
            guard line != nil || failure.mayBeCausedByRow else { throw failure }
            isNamed = isNamed || line != nil
            named = failure
            if let row = search.failed(line: line) { try add(row, failure, &counter) }
        }
        try session.execute(savepoint.hasPrefix("ROLLBACK") ? "ROLLBACK TO part; RELEASE part" : "RELEASE part")
        // An error of an unusual kind that names no row is attributed to a row only if other rows pass.
        let isOfRows = isNamed || refusals.contains { $0.error.isDataError }
        if search.passed == 0, !isOfRows, let first = refusals.first { throw first.error }
    }

    private mutating func add(
        _ row: Int, _ error: PostgresError, _ counter: inout DeadLetterCounter
    ) throws(DeadLetterLimit.Reached) {
        refusals.append(Refusal(row: row, error: error))
        counter.add(.init(records: 1, rejected: 1))
        if let excess = counter.excess { throw DeadLetterLimit.Reached(excess: excess, reason: Self.reason(error)) }
    }

    /// The reason for a dead letter, without the row's number in the COPY, which is meaningless to readers.
    static func reason(_ error: PostgresError) -> String {
        "the database refused it: \(error.message)" + (error.sqlState.map { " (SQLSTATE \($0))" } ?? "")
    }
}
