import PGWire

/// The statements that write a target's rows through a temporary table.
///
/// COPY can neither replace rows nor skip them. So the rows are copied into a temporary table with the same columns, a
/// sequence number and a deletion flag. Then two statements move them into the table.
struct Staging: Sendable, Equatable {
    enum Action: Sendable, Hashable {
        /// Inserts every row.
        case append
        /// Replaces the table's row by the last row with the same key.
        case upsert(key: [String])
        /// Inserts the first row of each key if the table has none.
        case ignore(key: [String])
    }

    let action: Action
    /// The temporary table.
    let table: TableName
    /// The target's columns, then the sequence number and the deletion flag.
    let columns: [String]
    /// The column names of the sequence number and the deletion flag.
    let sequence: String
    let deletion: String
    /// Creates the temporary table. It is dropped when the transaction ends, so that nothing remains on a connection
    /// that a pooler passes to another client.
    let creation: String

    private let quotedTable: String
    private let quotedSequence: String
    private let quotedDeletion: String
    private let target: String
    /// `ONLY ` for ordinary tables, so that rows of tables that inherit from the target are unaffected; empty
    /// otherwise.
    private let only: String
    private let names: [String]
    private let keyNames: [String]
    private let hasTriggerBeforeRows: Bool

    /// - Parameters:
    ///   - number: Distinguishes the targets of a plan.
    ///   - quote: Quotes an identifier.
    init<Failure>(
        _ action: Action, table shape: TableShape, columns: [String], number: Int,
        quote: (String) throws(Failure) -> String
    ) throws(Failure) {
        self.action = action
        table = TableName(schema: "pg_temp", table: "tfi_rows_\(number)")
        func unused(_ name: String) -> String { columns.contains(name) ? unused(name + "_") : name }
        sequence = unused("tfi_sequence")
        deletion = unused("tfi_deletion")
        self.columns = columns + [sequence, deletion]
        target = try shape.name.quoted(by: quote)
        only = shape.kind == .table ? "ONLY " : ""
        quotedTable = try table.quoted(by: quote)
        (quotedSequence, quotedDeletion) = (try quote(sequence), try quote(deletion))
        let key: [String] =
            switch action {
            case .append: []
            case .upsert(let key), .ignore(let key): key
            }
        names = try columns.map(quote)
        keyNames = try key.map(quote)
        hasTriggerBeforeRows = shape.hasBeforeInsertTrigger || shape.hasBeforeUpdateTrigger
        let selected = zip(columns, names).map { name, quoted in
            // A domain that refuses null would refuse the nulls of a deletion row. The target column checks the domain
            // anyway.
            if case .domain(let base, _)? = shape.columns.first(where: { $0.name == name })?.type,
                let plain = base.castName
            {
                return "\(quoted)::\(plain) AS \(quoted)"
            }
            return quoted
        }
        // Copies types with their modifiers and collations, but no constraints.
        creation =
            "CREATE TEMPORARY TABLE \(quotedTable) ON COMMIT DROP AS SELECT "
            + (selected + [
                "NULL::integer AS \(quotedSequence)", "NULL::boolean AS \(quotedDeletion)",
            ]).joined(separator: ", ") + " FROM \(target) WITH NO DATA"
    }

    // MARK: Statements on staged rows

    /// The condition that selects staged rows by sequence number; nil for all.
    private func condition(_ rows: ClosedRange<Int>?, and more: String? = nil) -> String {
        let range = rows.map { "\(quotedSequence) BETWEEN \($0.lowerBound) AND \($0.upperBound)" }
        let parts = [range, more].compactMap(\.self)
        return parts.isEmpty ? "" : " WHERE " + parts.joined(separator: " AND ")
    }

    /// The conflict clause for a row whose key exists.
    private var conflict: String {
        let key = keyNames.joined(separator: ", ")
        switch action {
        case .append: return ""
        case .ignore: return " ON CONFLICT (\(key)) DO NOTHING"
        case .upsert:
            let changes = names.filter { !keyNames.contains($0) }.map { "\($0) = excluded.\($0)" }
            return " ON CONFLICT (\(key)) DO "
                + (changes.isEmpty ? "NOTHING" : "UPDATE SET " + changes.joined(separator: ", "))
        }
    }

    private var insertion: String { "INSERT INTO \(target) (\(names.joined(separator: ", ")))" }

    /// Deletes the rows of all keys with a staged deletion. Run it before ``insert(_:)``: a row staged for a key after
    /// its deletion is a new row.
    func delete(_ rows: ClosedRange<Int>? = nil) -> String {
        let key = keyNames.joined(separator: ", ")
        let matches = keyNames.map { "old.\($0) = gone.\($0)" }.joined(separator: " AND ")
        return "DELETE FROM \(only)\(target) AS old USING (SELECT DISTINCT \(key) FROM \(quotedTable)"
            + condition(rows, and: quotedDeletion) + ") AS gone WHERE \(matches)"
    }

    /// Inserts staged rows into the table; for an upsert the last one of each key.
    func insert(_ rows: ClosedRange<Int>? = nil) -> String {
        "\(insertion) SELECT \(names.joined(separator: ", ")) FROM \(selection(rows)) AS staged\(conflict)"
    }

    /// The rows to insert: for an upsert in key order, which suits its index; otherwise in sequence.
    private func selection(_ rows: ClosedRange<Int>?, inOrder: Bool = false) -> String {
        let list = names.joined(separator: ", ")
        let sequence = quotedSequence
        // OFFSET 0 preserves the order even if a condition on the result has side effects.
        guard case .upsert = action else {
            return
                "(SELECT \(list), \(sequence) FROM \(quotedTable)\(condition(rows)) ORDER BY \(sequence) OFFSET 0)"
        }
        let key = keyNames.joined(separator: ", ")
        let last =
            "(SELECT DISTINCT ON (\(key)) \(list), \(sequence), \(quotedDeletion) FROM \(quotedTable)"
            + "\(condition(rows)) ORDER BY \(key), \(sequence) DESC)"
        return "(SELECT \(list), \(sequence) FROM \(last) AS last WHERE NOT \(quotedDeletion)"
            + (inOrder ? " ORDER BY \(sequence) OFFSET 0)" : ")")
    }

    /// Counts the rows that ``insert(_:)`` tries to insert; nil if no count is needed.
    ///
    /// The server's own count can be lower only because of a trigger. For `ignore` the difference can't be determined.
    func count(_ rows: ClosedRange<Int>? = nil) -> String? {
        switch action {
        case .append: "SELECT count(*) FROM \(quotedTable)\(condition(rows))"
        case .upsert where hasTriggerBeforeRows && keyNames.count < names.count:
            "SELECT count(*) FROM \(selection(rows)) AS staged"
        case .upsert, .ignore: nil
        }
    }

    /// Deletes staged rows.
    func discard(_ rows: ClosedRange<Int>) -> String {
        "DELETE FROM \(quotedTable)\(condition(rows))"
    }

    // MARK: Identifying the failing row

    private static let progress = "'pg_temp.tfi_progress_row_seq'::regclass"
    /// The progress while no row is being inserted, greater than any row's sequence number.
    private static let noRow = Int(Int32.max)

    /// Creates the sequence in which ``insertByRow(_:)`` records its progress, for all targets. Dropped when the
    /// transaction ends.
    static let progressCreation = "CREATE TEMPORARY TABLE pg_temp.tfi_progress (row serial) ON COMMIT DROP"

    /// An index for finding ranges of rows.
    var indexCreation: String { "CREATE INDEX ON \(quotedTable) (\(quotedSequence))" }

    /// Does the same as ``delete(_:)`` and ``insert(_:)`` in row order, for ``failedRow(in:)``.
    ///
    /// The rows are inserted one by one, and each first sets a sequence to its own number. A sequence keeps its value
    /// when the statement fails, so it identifies the row.
    func insertByRow(_ rows: ClosedRange<Int>, deletes: Bool) -> String {
        let list = names.joined(separator: ", ")
        let nulls = names.map { _ in "NULL" }.joined(separator: ", ")
        return "SELECT setval(\(Self.progress), \(Self.noRow)); "
            + (deletes ? delete(rows) + "; " : "")
            + "\(insertion) SELECT \(list) FROM \(selection(rows, inOrder: true)) AS staged "
            + "WHERE setval(\(Self.progress), \(quotedSequence)) > 0 "
            // Evaluated last: a later error, such as that of a foreign key, can't be attributed to a row.
            + "UNION ALL SELECT \(nulls) WHERE setval(\(Self.progress), \(Self.noRow)) < 0\(conflict)"
    }

    /// The row at which ``insertByRow(_:)`` failed; nil if it failed before the first row or after the last one.
    static func failedRow(in session: inout PostgresSession) throws(PostgresError) -> Int? {
        let result = try session.execute("SELECT last_value FROM pg_temp.tfi_progress_row_seq")
        guard let text = result.rows.first?[0], let row = Int(text), row < noRow else { return nil }
        return row
    }

    // MARK: Single rows

    /// The least number of rows to stage. Fewer are sent one by one: a temporary table costs as much, and leaves dead
    /// rows in the catalog.
    static let minimumRows = 17

    /// Deletes or inserts a single row, whose values are the parameters in binary format.
    func single(isDeletion: Bool) -> String {
        func parameter(_ name: String) -> String { "$\((names.firstIndex(of: name) ?? 0) + 1)" }
        if isDeletion {
            let matches = keyNames.enumerated().map { "\($0.element) = $\($0.offset + 1)" }
            return "DELETE FROM \(only)\(target) WHERE \(matches.joined(separator: " AND "))"
        }
        return "\(insertion) VALUES (\(names.map(parameter).joined(separator: ", ")))\(conflict)"
    }

    /// The indices of the key columns among the target's columns.
    var keyPlaces: [Int] { keyNames.compactMap { names.firstIndex(of: $0) } }
}

extension ColumnType {
    /// The SQL name of the type with its modifier; nil if unknown here.
    fileprivate var castName: String? {
        switch self {
        case .time(let precision): "time(\(precision))"
        case .timestamp(let precision): "timestamp(\(precision))"
        case .timestamptz(let precision): "timestamptz(\(precision))"
        case .enumeration, .domain, .array, .other, .interval: nil
        default: described
        }
    }
}

extension TableName {
    /// The name quoted for use in a statement.
    fileprivate func quoted<Failure>(by quote: (String) throws(Failure) -> String) throws(Failure) -> String {
        let table = try quote(table)
        guard let schema else { return table }
        return "\(try quote(schema)).\(table)"
    }
}
