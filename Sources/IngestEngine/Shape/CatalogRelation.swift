import CommandLineSupport
import PGWire

/// The catalog's entry for a table name.
///
/// Source: PostgreSQL manual, "System Catalogs": pg_class, pg_namespace, pg_trigger.
struct CatalogRelation {
    /// nil if nothing has this name.
    let oid: UInt32?
    let schema: String?
    let table: String?
    /// The qualified name, quoted if SQL requires it.
    let quotedName: String?
    let kind: String
    /// Whether a view has an INSTEAD OF INSERT trigger for each row.
    let hasInsteadOfInsert: Bool
    let hasSchema: Bool
    let maySeeSchema: Bool
    let hasRowSecurity: Bool
    let privileges: TableShape.Privileges
    /// The current user, quoted if SQL requires it.
    let user: String
    let hasBeforeInsertTrigger: Bool
    let hasBeforeUpdateTrigger: Bool

    /// - Returns: One entry per name, in the same order.
    static func read(
        _ names: [TableName], _ session: inout PostgresSession
    ) throws(PostgresError) -> [CatalogRelation] {
        guard !names.isEmpty else { return [] }
        let wanted = names.indices.map { "(\($0), $\($0 * 2 + 1)::text, $\($0 * 2 + 2)::text)" }
        let rows = try session.query(
            """
            SELECT c.oid, n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind,
                EXISTS (
                    SELECT FROM pg_catalog.pg_trigger t
                    -- FOR EACH ROW is 1, INSERT 4 and INSTEAD OF 64.
                    WHERE t.tgrelid = c.oid AND (t.tgtype & 69) = 69 AND t.tgenabled IN ('O', 'A')
                ),
                n.oid IS NOT NULL, coalesce(has_schema_privilege(n.oid, 'USAGE'), true), row_security_active(c.oid),
                has_table_privilege(c.oid, 'INSERT'), has_table_privilege(c.oid, 'UPDATE'),
                has_table_privilege(c.oid, 'DELETE'), has_table_privilege(c.oid, 'SELECT'), quote_ident(current_user),
                EXISTS (
                    SELECT FROM pg_catalog.pg_trigger t
                    -- BEFORE is 2.
                    WHERE t.tgrelid = c.oid AND (t.tgtype & 71) = 7 AND t.tgenabled IN ('O', 'A')
                ),
                EXISTS (
                    SELECT FROM pg_catalog.pg_trigger t
                    -- UPDATE is 16.
                    WHERE t.tgrelid = c.oid AND (t.tgtype & 83) = 19 AND t.tgenabled IN ('O', 'A')
                )
            FROM (VALUES \(wanted.joined(separator: ", "))) AS wanted (position, schema, name)
            LEFT JOIN pg_catalog.pg_namespace w ON w.nspname = wanted.schema
            LEFT JOIN pg_catalog.pg_class c ON c.oid = CASE
                WHEN wanted.schema IS NULL THEN to_regclass(quote_ident(wanted.name))::oid
                ELSE (SELECT f.oid FROM pg_catalog.pg_class f WHERE f.relnamespace = w.oid AND f.relname = wanted.name)
            END
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(c.relnamespace, w.oid)
            ORDER BY wanted.position
            """, parameters: names.flatMap { [PostgresValue($0.schema), .text($0.table)] }
        ).rows
        var relations: [CatalogRelation] = []
        for row in rows { relations.append(try CatalogRelation(row)) }
        return relations
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        oid = try row.decodeIfPresent(0, as: Int64.self).map { UInt32(truncatingIfNeeded: $0) }
        schema = row[1]
        table = row[2]
        quotedName = row[3]
        kind = row[4] ?? ""
        hasInsteadOfInsert = try row.decode(5)
        hasSchema = try row.decode(6)
        maySeeSchema = try row.decode(7)
        hasRowSecurity = row[8] == "t"
        privileges = .init(insert: row[9], update: row[10], delete: row[11], select: row[12])
        user = row[13] ?? ""
        hasBeforeInsertTrigger = try row.decode(14)
        hasBeforeUpdateTrigger = try row.decode(15)
    }

    /// The kind of the relation if it accepts rows; nil otherwise.
    var writableKind: TableShape.Kind? {
        guard maySeeSchema else { return nil }
        return switch kind {
        case "r": .table
        case "p": .partitionedTable
        case "f": .foreignTable
        case "v" where hasInsteadOfInsert: .view
        default: nil
        }
    }

    func shape(
        _ kind: TableShape.Kind, columns: [CatalogColumn], types: CatalogTypes, keys: [CatalogKey]
    ) -> TableShape {
        TableShape(
            name: TableName(schema: schema, table: table ?? ""), kind: kind, columns: columns.map { $0.shape(types) },
            primaryKey: keys.first { $0.isPrimary }?.columns ?? [],
            uniqueKeys: keys.filter(\.isUsable).map(\.columns), privileges: privileges,
            hasRowSecurity: hasRowSecurity, hasBeforeInsertTrigger: hasBeforeInsertTrigger,
            hasBeforeUpdateTrigger: hasBeforeUpdateTrigger)
    }

    // MARK: Failures

    /// The reason why no rows can be written to this name.
    func failure(_ name: TableName, _ session: inout PostgresSession) throws(PostgresError) -> CatalogError {
        if hasSchema, !maySeeSchema, let schema {
            return CatalogError(
                "the user \(user) may not use the schema \"\(schema)\"; an administrator can allow it: GRANT USAGE ON "
                    + "SCHEMA \(try session.quoted(schema)) TO \(user)")
        }
        guard oid != nil, let quotedName else { return try missing(name, &session) }
        if kind == "v" {
            return CatalogError(
                "the view \(quotedName) takes no rows, since it has no trigger INSTEAD OF INSERT … FOR EACH ROW; "
                    + "name the table behind it, or create such a trigger")
        }
        let what =
            switch kind {
            case "m": "a materialized view"
            case "S": "a sequence"
            case "i", "I": "an index"
            case "c": "a composite type"
            default: "not a table"
            }
        return CatalogError("\(quotedName) is \(what); rows go to tables, foreign tables and views with a trigger")
    }

    private func missing(
        _ name: TableName, _ session: inout PostgresSession
    ) throws(PostgresError) -> CatalogError {
        if let wanted = name.schema, !hasSchema {
            let schemas = try session.query("SELECT nspname FROM pg_catalog.pg_namespace ORDER BY nspname").rows
            return CatalogError(
                "there is no schema \"\(wanted)\" for the table \"\(name.table)\""
                    + Self.hint(wanted, schemas.compactMap { $0[0] }), isOfAbsence: true)
        }
        let rows = try session.query(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'f', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                AND (n.nspname = $1 OR ($1 IS NULL AND n.nspname !~ '^pg_'))
            ORDER BY pg_table_is_visible(c.oid) DESC, n.nspname, c.relname
            LIMIT 10000
            """, parameters: [PostgresValue(name.schema)]
        ).rows
        let names = rows.compactMap { $0[1] }
        guard name.schema == nil else {
            return CatalogError(
                "there is no table \"\(name.table)\" in the schema \"\(name.schema ?? "")\""
                    + Self.hint(name.table, names), isOfAbsence: true)
        }
        // A table outside the search path needs its schema.
        if let row = rows.first(where: { $0[1] == name.table }), let schema = row[0] {
            return CatalogError(
                "there is no table \"\(name.table)\" in the search path; did you mean \"\(schema).\(name.table)\"?",
                isOfAbsence: true)
        }
        return CatalogError(
            "there is no table \"\(name.table)\" in the search path" + Self.hint(name.table, names),
            isOfAbsence: true)
    }

    /// The hint `; did you mean "ucp"?`, or an empty text. Prefers a name that differs only in case.
    static func hint(_ wanted: String, _ known: [String]) -> String {
        let folded = wanted.lowercased()
        guard let nearest = known.first(where: { $0.lowercased() == folded }) ?? nearestName(to: wanted, among: known)
        else { return "" }
        return "; did you mean \"\(nearest)\"?" + (nearest.lowercased() == folded ? " (names differ by case)" : "")
    }
}

extension TableShape.Privileges {
    /// Parses the server's text format of Booleans.
    init(insert: String?, update: String?, delete: String? = nil, select: String?) {
        self = []
        if insert == "t" { formUnion(.insert) }
        if update == "t" { formUnion(.update) }
        if delete == "t" { formUnion(.delete) }
        if select == "t" { formUnion(.select) }
    }
}
