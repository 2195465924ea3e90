import PGWire

/// Copies rows into a table and leaves out those that the database refuses, all within one transaction.
///
/// Each part is a COPY behind a savepoint. See `RowSearch` for the parts.
struct RowIsolation {
    /// A row that the database refuses.
    struct Refusal {
        /// The row, counted from 0.
        let row: Int
        let error: PostgresError
    }

    /// How many rows may be sent together. Less after the server's `statement_timeout` was exceeded.
    private(set) var maximum: Int
    /// The refused rows of the last table.
    private(set) var refusals: [Refusal] = []
    /// How many rows of the last table the server counted. Fewer than were sent if a trigger suppressed some.
    private(set) var copied = 0
    private(set) var hasTimedOut = false
    /// Ends the search early if it rejects too much.
    private let limit: DeadLetterCounter

    init(maximum: Int, limit: DeadLetterCounter) {
        self.maximum = maximum
        self.limit = limit
    }

    /// Copies the rows, and fills `refusals`.
    ///
    /// - Throws: `PostgresError` that no row is to blame for, also the time limit that a single row exceeds;
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

    /// Inserts rows that the database reads itself, and fills `refusals`. Throws as ``copy(_:into:columns:_:)``.
    mutating func insert(_ rows: ServerRows, _ session: inout PostgresSession) throws {
        try isolate(rows.count, &session) { (part, savepoint, session) throws(PostgresError) in
            try session.execute(savepoint)
            return try rows.insert(part, in: &session)
        } line: { (_, _, _) throws(PostgresError) in
            nil
        }
    }

    /// - Parameters:
    ///   - send: Sends some of the rows after a statement that sets a savepoint, and returns how many the server counts.
    ///   - line: The row of a part that an error is about, counted from 1; nil if the server does not tell. May roll back
    ///     to the savepoint.
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
        // An error of an unusual kind, without a row's number, is a single row's only if others pass.
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

    /// Why a record becomes a dead letter. Without the row's number in its COPY, which means nothing to a reader.
    static func reason(_ error: PostgresError) -> String {
        "the database refused it: \(error.message)" + (error.sqlState.map { " (SQLSTATE \($0))" } ?? "")
    }
}
