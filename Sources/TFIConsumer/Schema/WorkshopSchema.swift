import PGWire

/// The tables and views that the program keeps in the database: the SQL of `tfi-consumer init`, and what `run`
/// expects to find.
///
/// The schema's name is in every statement, so that neither these nor the views that they make depend on anybody's
/// `search_path`. No statement has a string constant made of anything but this file's text: names of the user's are
/// quoted by libpq, and values are parameters. Written for PostgreSQL 12 and later.
struct WorkshopSchema: Sendable {
    /// The schema's name as an SQL identifier, quotes included. It goes into the statements as it is.
    let quotedName: String

    /// - Parameter quotedName: the schema's name as libpq's `PQescapeIdentifier` gives it.
    init(quotedName: String) {
        self.quotedName = quotedName
    }

    /// A table or view of this schema as SQL names it.
    ///
    /// - Parameter name: a name of this program's own, which needs no quotes.
    func qualified(_ name: String) -> String {
        "\(quotedName).\(name)"
    }

    /// Creates the schema, its tables and its views, and fills an empty plan.
    ///
    /// In a transaction that has sent nothing before: all or nothing is created. A second time it changes nothing: a
    /// table keeps its rows, and a view its grants.
    ///
    /// - Throws: `PostgresError`: SQLSTATE 55P03 if another session's lock is in the way for ten seconds, 42P16 if there
    ///   is a view of that name with other columns, 42809 if a table has a view's name.
    func create(_ session: inout PostgresSession) throws(PostgresError) {
        for statement in preparation { try session.execute(statement) }
        // CREATE SCHEMA IF NOT EXISTS asks for the right to create schemas even if there is nothing to create. In a
        // schema that an administrator has created, the right to create tables is enough.
        let exists: Bool = try session.query(
            "SELECT to_regnamespace($1) IS NOT NULL", parameters: [.text(quotedName)]
        ).onlyRow.decode(0)
        if !exists { try session.execute("CREATE SCHEMA \(quotedName)") }
        for statement in contents { try session.execute(statement) }
    }

    /// The names of those `requiredTables` that are missing, sorted.
    ///
    /// - Throws: `PostgresError`: SQLSTATE 42501 if the schema exists and the user may not use it.
    func missingTables(_ session: inout PostgresSession) throws(PostgresError) -> [String] {
        try missing(Self.requiredTables, &session)
    }

    /// The names of those tables that are missing in the schema, sorted.
    func missing(_ tables: [String], _ session: inout PostgresSession) throws(PostgresError) -> [String] {
        let names = tables.indices.map { "($\($0 + 2)::text)" }.joined(separator: ", ")
        let result = try session.query(
            """
            SELECT wanted.name FROM (VALUES \(names)) AS wanted (name)
            WHERE to_regclass($1::text || '.' || wanted.name) IS NULL
            ORDER BY wanted.name
            """, parameters: [.text(quotedName)] + tables.map { .text($0) })
        return result.rows.compactMap { $0[0] }
    }

    // MARK: Statements

    /// What comes before anything is created, for one `init` at a time.
    var preparation: [String] {
        [
            // Under a stricter isolation level the snapshot would be older than the lock, and the plan that another
            // `init` has just filled would look empty.
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            // "already exists, skipping" is no news.
            "SET LOCAL client_min_messages = warning",
            "SET LOCAL lock_timeout = '10s'",
            // Two at the same time: IF NOT EXISTS alone would let both try, and one fail on the catalog's unique
            // index. The key is "workshop" in ASCII.
            "SELECT pg_advisory_xact_lock(x'776f726b73686f70'::bigint)",
        ]
    }

    /// Tables, the plan's rows and views, in this order. Sent again they change nothing.
    var contents: [String] { Self.tables.map(createTable) + [fillPlan] + Self.views.map(createView) }

    private func createTable(_ table: WorkshopTable) -> String {
        let lines = table.definition.map { "    \($0)" }.joined(separator: ",\n")
        return "CREATE TABLE IF NOT EXISTS \(qualified(table.name)) (\n\(lines)\n)"
    }

    /// OR REPLACE and not DROP: grants on the view, and what else is built on it, stay.
    private func createView(_ view: WorkshopView) -> String {
        let columns = view.columns.joined(separator: ", ")
        return "CREATE OR REPLACE VIEW \(qualified(view.name)) (\(columns)) AS\n\(view.query(self))"
    }

    /// Any row at all, and the plan is the user's.
    private var fillPlan: String {
        let rows = Self.referencePlan.map { "(\($0.hour), \($0.units))" }.joined(separator: ", ")
        return """
            INSERT INTO \(qualified("plan")) (hour, units)
            SELECT hour, units FROM (VALUES \(rows)) AS reference (hour, units)
            WHERE NOT EXISTS (SELECT FROM \(qualified("plan")))
            """
    }
}
