/// The tables and views that the program keeps in the database: the SQL of `tfi-consumer init`, and what `run`
/// expects to find.
///
/// The schema's name is in every statement, so that neither these nor the views that they make depend on anybody's
/// `search_path`. Written for PostgreSQL 12 and later.
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

    /// Makes the schema, its tables and its views, and fills an empty plan.
    ///
    /// To be sent one by one, in this order, in one transaction that has sent nothing before: all or nothing is made.
    /// Sent again they change nothing: a table stays as it is, with its rows, and a view keeps its grants. One of
    /// them, `SELECT pg_advisory_xact_lock(…)`, answers with a row; there is nothing in it to read.
    ///
    /// Fails with SQLSTATE 55P03 where somebody else's lock is in the way for ten seconds, with 42P16 where there is
    /// a view of that name with other columns, with 42809 where a table has a view's name.
    var initStatements: [String] {
        preparation + [createSchema] + Self.tables.map(createTable) + [fillPlan] + Self.views.map(createView)
    }

    /// Names those of `requiredTables` that are missing, a row each, in one column. No row: all are there.
    ///
    /// Fails with SQLSTATE 42501 where the schema is there and the user may not use it.
    var missingTablesQuery: String {
        let names = Self.requiredTables.map { "(\(literal($0)))" }.joined(separator: ", ")
        return """
            SELECT wanted.name FROM (VALUES \(names)) AS wanted (name)
            WHERE to_regclass(\(literal(quotedName)) || '.' || wanted.name) IS NULL
            ORDER BY wanted.name
            """
    }

    // MARK: Statements

    private var preparation: [String] {
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

    /// CREATE SCHEMA IF NOT EXISTS asks for the right to create schemas even where there is nothing to create. Where
    /// an administrator has made the schema, the right to create in it is enough.
    private var createSchema: String {
        let body = """
            BEGIN
                IF to_regnamespace(\(literal(quotedName))) IS NULL THEN
                    CREATE SCHEMA \(quotedName);
                END IF;
            END
            """
        return "DO \(literal(body))"
    }

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

    /// A string constant, as PostgreSQL reads it with `standard_conforming_strings`, its default.
    private func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
