import IngestEngine
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
    /// Which of several plants of the schema this is; nil for the only one.
    let plant: PlantName?

    /// - Parameter quotedName: the schema's name as libpq's `PQescapeIdentifier` gives it.
    init(quotedName: String, plant: PlantName? = nil) {
        self.quotedName = quotedName
        self.plant = plant
    }

    /// The name that a table, view or index of the plant has in the database: each plant has its own.
    ///
    /// - Parameter name: a name of this program's own, which needs no quotes.
    func named(_ name: String) -> String { PlantName.name(name, of: plant) }

    /// A table or view of the plant as SQL names it.
    func qualified(_ name: String) -> String { own(named(name)) }

    /// A table of the program's own, which all plants share.
    func own(_ name: String) -> String { "\(quotedName).\(name)" }

    /// Creates the plant's tables and views, and fills an empty plan. Call after ``OwnTables/create(_:program:)``, in the
    /// same transaction: all or nothing is created.
    ///
    /// A second time it changes nothing: a table keeps its rows, and a view its grants. A view that somebody has changed
    /// stays as it is.
    ///
    /// - Parameter replacesViews: Whether views that somebody has changed are replaced as well.
    /// - Returns: The names of views that somebody has changed, and that stay.
    /// - Throws: `PostgresError`: SQLSTATE 55P03 if another session's lock is in the way for ten seconds, 42P16 if there
    ///   is a view of that name with other columns, 42809 if a table has a view's name.
    func create(_ session: inout PostgresSession, replacingViews replacesViews: Bool) throws(PostgresError) -> [String]
    {
        // The server shows a name with its schema where the search path doesn't lead to it.
        try session.execute("SET LOCAL search_path = pg_catalog")
        for statement in tableStatements { try session.execute(statement) }
        let canSettle = try canSettle(&session)
        if canSettle { try prepareSettling(&session) }
        var changed: [String] = []
        for view in canSettle ? Self.views : Self.firstViews {
            let isOurs = try create(view, replacesViews, &session)
            if !isOurs { changed.append(named(view.name)) }
        }
        return changed
    }

    /// Whether both tables of rows can have a child of this program's. Instead of one that it has made there may be a
    /// partitioned or foreign table, a view, or a table with other children. Its rows are all read, whatever day is asked
    /// for.
    private func canSettle(_ session: inout PostgresSession) throws(PostgresError) -> Bool {
        for table in RowTable.all {
            let isPlain: Bool = try session.query(
                """
                SELECT relkind = 'r' AND NOT relispartition AND NOT EXISTS (
                    SELECT FROM pg_inherits
                    WHERE inhparent = class.oid AND inhrelid IS DISTINCT FROM to_regclass($2)::oid)
                FROM pg_class AS class WHERE oid = to_regclass($1)
                """, parameters: [.text(qualified(table.name)), .text(qualified(table.settled))]
            ).onlyRow.decode(0)
            if !isPlain { return false }
        }
        return true
    }

    /// Creates what ``RowTable`` describes, beside the tables themselves.
    private func prepareSettling(_ session: inout PostgresSession) throws(PostgresError) {
        for statement in forgetStatements { try session.execute(statement) }
        for table in RowTable.all {
            for statement in settlingStatements(table) { try session.execute(statement) }
            for (name, statement) in triggers(table) {
                let exists: Bool = try session.query(
                    "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = $1 AND tgrelid = to_regclass($2))",
                    parameters: [.text(name.trigger), .text(qualified(name.table))]
                ).onlyRow.decode(0)
                if !exists { try session.execute(statement) }
            }
        }
    }

    /// - Returns: Whether the view is as this program makes it.
    private func create(
        _ view: WorkshopView, _ replacesIt: Bool, _ session: inout PostgresSession
    ) throws(PostgresError) -> Bool {
        let present = try definition(of: qualified(view.name), &session)
        let recorded = try session.query(
            "SELECT definition FROM \(own(OwnTables.views.name)) WHERE name = $1", parameters: [.text(named(view.name))]
        ).rows.first?[0]
        if let present, !replacesIt, present != recorded {
            // The first version of the program kept no record, and another version of the server shows the same view in
            // other words.
            let versions = [view] + Self.firstViews.filter { $0.name == view.name }
            var isOneOfThem = false
            for version in versions where !isOneOfThem {
                isOneOfThem = try present == definitionToBe(of: version, &session)
            }
            guard isOneOfThem else { return false }
        }
        try session.execute(createView(view))
        try session.query(
            """
            INSERT INTO \(own(OwnTables.views.name)) (name, definition) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET definition = excluded.definition
            """,
            parameters: [.text(named(view.name)), PostgresValue(try definition(of: qualified(view.name), &session))])
        return true
    }

    /// The definition of a view as the server shows it; nil if there is none.
    private func definition(
        of view: String, _ session: inout PostgresSession
    ) throws(PostgresError) -> String? {
        try session.query("SELECT pg_get_viewdef(to_regclass($1))", parameters: [.text(view)]).onlyRow[0]
    }

    /// How the server would show a view if this program made it now.
    private func definitionToBe(
        of view: WorkshopView, _ session: inout PostgresSession
    ) throws(PostgresError) -> String? {
        let name = "pg_temp.\(view.name)"
        try session.execute(
            "CREATE TEMPORARY VIEW \(view.name) (\(view.columns.joined(separator: ", "))) AS \(view.query(self))")
        let definition = try definition(of: name, &session)
        try session.execute("DROP VIEW \(name)")
        return definition
    }

    /// The names of those tables that are missing in the schema, sorted.
    ///
    /// - Throws: `PostgresError`: SQLSTATE 42501 if the schema exists and the user may not use it.
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

    /// Tables and the plan's rows, in this order. Sent again they change nothing.
    var tableStatements: [String] { Self.tables.map(createTable) + [fillPlan] }

    private func createTable(_ table: WorkshopTable) -> String {
        let lines = table.definition.map { "    \($0)" }.joined(separator: ",\n")
        return "CREATE TABLE IF NOT EXISTS \(qualified(table.name)) (\n\(lines)\n)"
    }

    /// The settled part of a table with its indexes. A table without rows is counted.
    func settlingStatements(_ table: RowTable) -> [String] {
        let parent = qualified(table.name)
        let child = qualified(table.settled)
        return [
            "CREATE TABLE IF NOT EXISTS \(child) () INHERITS (\(parent))",
            // With the rights of its owner, as the view that calls it.
            """
            CREATE OR REPLACE FUNCTION \(qualified(table.countFunction))() RETURNS TABLE (zone integer, units bigint)
            LANGUAGE plpgsql STABLE SECURITY DEFINER \(safePath)
            AS $count$
            BEGIN
                RETURN QUERY SELECT passed.zone_id, count(*)
                FROM (
                    SELECT \(table.zoneColumn) AS zone_id, qls_unit_id FROM \(named(table.name)) GROUP BY 1, 2
                ) AS passed
                GROUP BY 1;
            END
            $count$
            """,
            """
            INSERT INTO \(qualified(RowTable.stateTable)) (source, is_counted)
            SELECT '\(table.name)', NOT EXISTS (SELECT FROM \(child))
            WHERE NOT EXISTS (SELECT FROM \(qualified(RowTable.stateTable)) WHERE source = '\(table.name)')
            """,
        ]
            + table.indexes.map {
                "CREATE INDEX IF NOT EXISTS \(named(table.settled))_\($0.suffix) ON \(child) \($0.definition)"
            }
    }

    private static let forgetting = "forget_zone_units"

    /// The path of functions that have the rights of their owner. The server's own names come first, so that nobody who may
    /// create something in the schema can put it in their place; temporary tables, which anybody may create, come last.
    private var safePath: String { "SET search_path = pg_catalog, \(quotedName), pg_temp" }

    /// What the triggers call: it notes that the counts of units don't hold. It has the rights of its owner, since whoever
    /// may delete rows need not be allowed to write this note. A transaction that doesn't see the last count yet gets an
    /// error from the UPDATE and is to be repeated.
    private var forgetStatements: [String] {
        let name = qualified(Self.forgetting)
        return [
            """
            CREATE OR REPLACE FUNCTION \(name)() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER \(safePath) AS $forget$
            BEGIN
                UPDATE \(named(RowTable.stateTable)) SET is_counted = false WHERE source = TG_ARGV[0];
                RETURN NULL;
            END
            $forget$
            """,
            // A trigger needs no right to call it.
            "REVOKE EXECUTE ON FUNCTION \(name)() FROM PUBLIC",
        ]
    }

    /// The triggers that notice a change of settled rows by somebody else, each with its name and table. A statement that
    /// names the parent fires the parent's triggers alone. Rows that are added to the parent are recent ones, so that
    /// COPY fires none.
    private func triggers(_ table: RowTable) -> [(name: (trigger: String, table: String), statement: String)] {
        let settling = "WHEN (current_setting('\(RowTable.settlingSetting)', true) IS DISTINCT FROM 'on')"
        let changes = [
            (table.name, "UPDATE OR DELETE", settling), (table.name, "TRUNCATE", ""),
            (table.settled, "INSERT OR UPDATE OR DELETE", settling), (table.settled, "TRUNCATE", ""),
        ]
        return changes.map { name, events, condition in
            let trigger = events == "TRUNCATE" ? "forget_zone_units_on_truncate" : "forget_zone_units"
            return (
                (trigger, name),
                """
                CREATE TRIGGER \(trigger) AFTER \(events) ON \(qualified(name))
                FOR EACH STATEMENT \(condition) EXECUTE FUNCTION \(qualified(Self.forgetting))('\(table.name)')
                """
            )
        }
    }

    /// OR REPLACE and not DROP: grants on the view, and what else is built on it, stay.
    func createView(_ view: WorkshopView) -> String {
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
