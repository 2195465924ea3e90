import PGWire

/// How the rows of a target get into its table by way of a temporary one: the statements.
///
/// COPY can neither replace rows nor skip them. So the rows are copied into a temporary table, which has the same
/// columns, the rows' sequence and a flag for deletions. Two statements then bring them into the table.
struct Staging: Sendable, Equatable {
    enum Action: Sendable, Hashable {
        /// Every row is new.
        case append
        /// The last row of a key replaces the row that the table has.
        case upsert(key: [String])
        /// The first row of a key is inserted if the table has none.
        case ignore(key: [String])
    }

    let action: Action
    /// The temporary table.
    let table: TableName
    /// The target's columns, the sequence and the flag.
    let columns: [String]
    /// The names of the last two.
    let sequence: String
    let deletion: String
    /// Makes the temporary table. It ends with the transaction, so that nothing is left behind on a connection that a
    /// pooler gives to somebody else.
    let creation: String

    private let quotedTable: String
    private let quotedSequence: String
    private let quotedDeletion: String
    private let target: String
    /// Whether tables that inherit from the target keep rows of their own.
    private let only: String
    private let names: [String]
    private let keyNames: [String]
    private let hasTriggerBeforeRows: Bool

    /// - Parameters:
    ///   - number: Distinguishes the targets of a plan.
    ///   - quote: Puts an identifier in quotes.
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
            // A domain that refuses null would refuse the row of a deletion. The table's own column has the domain, too.
            if case .domain(let base, _)? = shape.columns.first(where: { $0.name == name })?.type,
                let plain = base.castName
            {
                return "\(quoted)::\(plain) AS \(quoted)"
            }
            return quoted
        }
        // Takes types with their modifiers and collations over, and no constraints.
        creation =
            "CREATE TEMPORARY TABLE \(quotedTable) ON COMMIT DROP AS SELECT "
            + (selected + [
                "NULL::integer AS \(quotedSequence)", "NULL::boolean AS \(quotedDeletion)",
            ]).joined(separator: ", ") + " FROM \(target) WITH NO DATA"
    }

    // MARK: Statements on staged rows

    /// Some of the staged rows, by their sequence; nil for all.
    private func condition(_ rows: ClosedRange<Int>?, and more: String? = nil) -> String {
        let range = rows.map { "\(quotedSequence) BETWEEN \($0.lowerBound) AND \($0.upperBound)" }
        let parts = [range, more].compactMap(\.self)
        return parts.isEmpty ? "" : " WHERE " + parts.joined(separator: " AND ")
    }

    /// What happens if the table has a row of the key.
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

    /// Deletes the rows of all keys that have a deletion among the staged rows. Run it before ``insert(_:)``: what was
    /// staged for a key after its deletion is a new row.
    func delete(_ rows: ClosedRange<Int>? = nil) -> String {
        let key = keyNames.joined(separator: ", ")
        let matches = keyNames.map { "old.\($0) = gone.\($0)" }.joined(separator: " AND ")
        return "DELETE FROM \(only)\(target) AS old USING (SELECT DISTINCT \(key) FROM \(quotedTable)"
            + condition(rows, and: quotedDeletion) + ") AS gone WHERE \(matches)"
    }

    /// Brings staged rows into the table: of an upsert the last one of each key.
    func insert(_ rows: ClosedRange<Int>? = nil) -> String {
        "\(insertion) SELECT \(names.joined(separator: ", ")) FROM \(selection(rows)) AS staged\(conflict)"
    }

    /// The rows to insert: of an upsert in the order of the key, which suits its index; otherwise in their own.
    private func selection(_ rows: ClosedRange<Int>?, inOrder: Bool = false) -> String {
        let list = names.joined(separator: ", ")
        let sequence = quotedSequence
        // OFFSET 0: the order holds even for a condition on the result that has side effects.
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

    /// How many rows ``insert(_:)`` tries to insert; nil if that need not be counted.
    ///
    /// Only a trigger makes them more than those that the server counts. Of an `ignore` that can't be told.
    func count(_ rows: ClosedRange<Int>? = nil) -> String? {
        switch action {
        case .append: "SELECT count(*) FROM \(quotedTable)\(condition(rows))"
        case .upsert where hasTriggerBeforeRows && keyNames.count < names.count:
            "SELECT count(*) FROM \(selection(rows)) AS staged"
        case .upsert, .ignore: nil
        }
    }

    /// Takes staged rows away.
    func discard(_ rows: ClosedRange<Int>) -> String {
        "DELETE FROM \(quotedTable)\(condition(rows))"
    }

    // MARK: Naming the row that fails

    private static let progress = "'pg_temp.tfi_progress_row_seq'::regclass"
    /// What the progress is at while no row is under way. The sequence of a row is smaller.
    private static let noRow = Int(Int32.max)

    /// Makes the sequence that ``insertByRow(_:)`` notes its progress in, for all targets. It ends with the transaction.
    static let progressCreation = "CREATE TEMPORARY TABLE pg_temp.tfi_progress (row serial) ON COMMIT DROP"

    /// Makes ranges of rows quick to find.
    var indexCreation: String { "CREATE INDEX ON \(quotedTable) (\(quotedSequence))" }

    /// The same as ``delete(_:)`` and ``insert(_:)``, in the order of the rows, for ``failedRow(in:)``.
    ///
    /// The rows are inserted one by one, and each first sets a sequence to its own number. A sequence keeps its value
    /// when the statement fails, so that it tells the row.
    func insertByRow(_ rows: ClosedRange<Int>, deletes: Bool) -> String {
        let list = names.joined(separator: ", ")
        let nulls = names.map { _ in "NULL" }.joined(separator: ", ")
        return "SELECT setval(\(Self.progress), \(Self.noRow)); "
            + (deletes ? delete(rows) + "; " : "")
            + "\(insertion) SELECT \(list) FROM \(selection(rows, inOrder: true)) AS staged "
            + "WHERE setval(\(Self.progress), \(quotedSequence)) > 0 "
            // Read last: an error that comes afterwards, such as a foreign key's, is of no certain row.
            + "UNION ALL SELECT \(nulls) WHERE setval(\(Self.progress), \(Self.noRow)) < 0\(conflict)"
    }

    /// The row at which ``insertByRow(_:)`` failed; nil if it failed before the first row or after the last one.
    static func failedRow(in session: inout PostgresSession) throws(PostgresError) -> Int? {
        let result = try session.execute("SELECT last_value FROM pg_temp.tfi_progress_row_seq")
        guard let text = result.rows.first?[0], let row = Int(text), row < noRow else { return nil }
        return row
    }

    // MARK: Single rows

    /// From how many rows on they are staged. Fewer are sent one by one: making a temporary table costs as much as
    /// that, and leaves dead rows in the catalog.
    static let leastRows = 17

    /// Deletes or inserts a single row, whose values in binary form are `$1` and so on.
    func single(isDeletion: Bool) -> String {
        func parameter(_ name: String) -> String { "$\((names.firstIndex(of: name) ?? 0) + 1)" }
        if isDeletion {
            let matches = keyNames.enumerated().map { "\($0.element) = $\($0.offset + 1)" }
            return "DELETE FROM \(only)\(target) WHERE \(matches.joined(separator: " AND "))"
        }
        return "\(insertion) VALUES (\(names.map(parameter).joined(separator: ", ")))\(conflict)"
    }

    /// The places of the key's columns among the target's.
    var keyPlaces: [Int] { keyNames.compactMap { names.firstIndex(of: $0) } }
}

extension ColumnType {
    /// The type's name with its modifier, as SQL takes it; nil for types whose name isn't known here.
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
    /// The name as it goes into a statement.
    fileprivate func quoted<Failure>(by quote: (String) throws(Failure) -> String) throws(Failure) -> String {
        let table = try quote(table)
        guard let schema else { return table }
        return "\(try quote(schema)).\(table)"
    }
}
