import IngestEngine
import PGWire

/// The plant's tables and views in the database: the SQL of `tfi-consumer init`, and the tables that `run` expects.
///
/// Every statement names the schema, so that neither the statements nor the views depend on a `search_path`. String
/// constants in statements contain only text from this file: libpq quotes the user's names, and values are parameters.
/// Written for PostgreSQL 12 and later.
struct WorkshopSchema: Sendable {
    /// The schema's name as a quoted SQL identifier. It goes into the statements unchanged.
    let quotedName: String
    /// The plant, if the schema has several; nil if it has one.
    let plant: PlantName?

    /// - Parameter quotedName: the schema's name as libpq's `PQescapeIdentifier` gives it.
    init(quotedName: String, plant: PlantName? = nil) {
        self.quotedName = quotedName
        self.plant = plant
    }

    /// The database name of a plant's table, view or index. Each plant has its own.
    ///
    /// - Parameter name: One of this program's names, which need no quotes.
    func named(_ name: String) -> String { PlantName.name(name, of: plant) }

    /// The qualified name of a plant's table or view.
    func qualified(_ name: String) -> String { own(named(name)) }

    /// The qualified name of one of the program's own tables, which all plants share.
    func own(_ name: String) -> String { "\(quotedName).\(name)" }

    /// Creates the plant's tables and views, and fills an empty plan.
    ///
    /// Call it after ``OwnTables/create(_:program:)``, in the same transaction: all or nothing is created. A second
    /// call changes nothing: tables keep their rows, and views their grants. A view that was changed by hand stays as
    /// it is.
    ///
    /// - Parameter replacesViews: Whether to replace views that were changed by hand, too.
    /// - Returns: The names of the views that were changed by hand and not replaced.
    /// - Throws: `PostgresError`: SQLSTATE 55P03 if another session holds a lock for ten seconds, 42P16 if there is a
    ///   view of that name with other columns, 42809 if a table has a view's name.
    func create(_ session: inout PostgresSession, replacingViews replacesViews: Bool) throws(PostgresError) -> [String]
    {
        // The server shows a name with its schema only if the search path does not lead to it.
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

    /// Whether both tables of rows can have a settled child.
    ///
    /// Users may have replaced a table by a partitioned or foreign table, a view, or a table with other children. All
    /// its rows are read then, whatever day is requested.
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

    /// Creates the objects that ``RowTable`` describes, except the tables themselves.
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

    /// - Returns: Whether the view now has this program's definition.
    private func create(
        _ view: WorkshopView, _ replacesIt: Bool, _ session: inout PostgresSession
    ) throws(PostgresError) -> Bool {
        let present = try definition(of: qualified(view.name), &session)
        let recorded = try session.query(
            "SELECT definition FROM \(own(OwnTables.views.name)) WHERE name = $1", parameters: [.text(named(view.name))]
        ).rows.first?[0]
        if let present, !replacesIt, present != recorded {
            // Version 0.1.0 of the program did not record definitions, and another server version shows the same view
            // with different text.
            let versions = [view] + Self.firstViews.filter { $0.name == view.name }
            var isKnownDefinition = false
            for version in versions where !isKnownDefinition {
                isKnownDefinition = try present == definitionToBe(of: version, &session)
            }
            guard isKnownDefinition else { return false }
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

    /// A view's definition as the server shows it; nil if the view does not exist.
    private func definition(
        of view: String, _ session: inout PostgresSession
    ) throws(PostgresError) -> String? {
        try session.query("SELECT pg_get_viewdef(to_regclass($1))", parameters: [.text(view)]).onlyRow[0]
    }

    /// The definition that the server would show if this program created the view now.
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

    /// The names of the given tables that do not exist in the schema, sorted.
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

    /// Creates the tables in this order, and fills the plan. Running the statements again changes nothing.
    var tableStatements: [String] { Self.tables.map(createTable) + [fillPlan] }

    private func createTable(_ table: WorkshopTable) -> String {
        let lines = table.definition.map { "    \($0)" }.joined(separator: ",\n")
        return "CREATE TABLE IF NOT EXISTS \(qualified(table.name)) (\n\(lines)\n)"
    }

    /// Creates the settled part of a table with its indexes. An empty table starts as counted.
    func settlingStatements(_ table: RowTable) -> [String] {
        let parent = qualified(table.name)
        let child = qualified(table.settled)
        return [
            "CREATE TABLE IF NOT EXISTS \(child) () INHERITS (\(parent))",
            // It runs with the rights of its owner, like the view that calls it.
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

    /// The search path of functions that run with the rights of their owner. The server's own names come first, so that
    /// a user with the right to create objects in the schema cannot replace them. Temporary tables, which any user can
    /// create, come last.
    private var safePath: String { "SET search_path = pg_catalog, \(quotedName), pg_temp" }

    /// The trigger function, which records that the counts of units are invalid. It runs with the rights of its owner,
    /// since a user who may delete rows need not have the right to write this record. If the transaction does not see
    /// the last count yet, the UPDATE fails, and the user has to repeat the transaction.
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
            // A trigger can call it without this right.
            "REVOKE EXECUTE ON FUNCTION \(name)() FROM PUBLIC",
        ]
    }

    /// The triggers that detect changes of settled rows by other users, each with its name and table.
    ///
    /// A statement that names the parent fires only the parent's triggers. Rows inserted into the parent are recent, so
    /// COPY fires no trigger.
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

    /// OR REPLACE instead of DROP keeps the view's grants, and objects that depend on it.
    func createView(_ view: WorkshopView) -> String {
        let columns = view.columns.joined(separator: ", ")
        return "CREATE OR REPLACE VIEW \(qualified(view.name)) (\(columns)) AS\n\(view.query(self))"
    }

    /// The plan belongs to the user: a single row is enough to leave it alone.
    private var fillPlan: String {
        let rows = Self.referencePlan.map { "(\($0.hour), \($0.units))" }.joined(separator: ", ")
        return """
            INSERT INTO \(qualified("plan")) (hour, units)
            SELECT hour, units FROM (VALUES \(rows)) AS reference (hour, units)
            WHERE NOT EXISTS (SELECT FROM \(qualified("plan")))
            """
    }
}
