import PGWire

/// Notices that tables have changed since their shapes were read, before a row is written that was encoded for the
/// old shape.
///
/// Without it, `ALTER TABLE … ALTER COLUMN … TYPE real` on an `integer` column would store 1 as 1.4e-45: both have
/// four bytes, and a binary COPY doesn't name types.
///
/// Each transaction runs ``statements`` right after BEGIN, in the same round trip, and compares the value with
/// ``value``. If it differs, the transaction is rolled back and the tables are read and bound again. There is no race:
///
/// 1. The first statement takes ROW EXCLUSIVE locks, the mode of COPY and INSERT. The locks last until the transaction
///    ends, so COPY asks for nothing new. Whatever alters a table's columns (type, NOT NULL, default, name, identity)
///    needs ACCESS EXCLUSIVE, and so does DROP TABLE: they have committed before the lock is granted, or wait until
///    the transaction ends. A domain's constraint is validated under a SHARE lock on the tables that use it, which
///    waits too.
/// 2. The server analyses the query after it has run the statement before, and under READ COMMITTED gives it a snapshot
///    of its own: it sees all that committed before the lock was granted. The names resolve to the tables that are
///    locked.
///
/// Some changes take no lock on the table: ALTER TYPE … ADD VALUE and RENAME VALUE of an enum, a domain's constraint
/// that is dropped or NOT VALID, grants. If one commits after the query, the transaction behaves as one that came
/// before it, or the server refuses the row; it never stores another value than the message has, since the binary
/// form of an enum is its label, and the server evaluates domains and grants itself.
public struct TableFingerprint: Sendable, Equatable {
    /// SQL of two statements without parameters. The result is that of the second one: one row of one column.
    public let statements: String
    /// The value when the shapes were read.
    public let value: String

    /// Compares the tables with their shapes, in a transaction that hasn't written yet.
    ///
    /// - Returns: False if the tables have changed, and must be bound again.
    /// - Throws: `PostgresError` as the statements do: SQLSTATE 42P01 if a table is missing now.
    public func holds(_ session: inout PostgresSession) throws(PostgresError) -> Bool {
        try session.execute(statements).onlyRow[0] == value
    }

    /// - Parameter types: The types of the tables' columns.
    /// - Returns: Nil if a table was dropped in the meantime.
    static func taken(
        of shapes: [TableShape], types: CatalogTypes, _ session: inout PostgresSession
    ) throws(PostgresError) -> TableFingerprint? {
        guard !shapes.isEmpty else { return nil }
        var locks: [String] = []
        var explanations: [String] = []
        var identifiers: [String] = []
        var views: [String] = []
        for shape in shapes {
            let name = try shape.name.quoted(&session)
            let identifier = "\(try session.literal(name))::pg_catalog.regclass"
            identifiers.append(identifier)
            if shape.kind == .view { views.append(identifier) }
            if shape.kind != .view, shape.privileges.contains(.insert) {
                // ONLY: a partition's columns can't differ from the partitioned table's.
                locks.append("ONLY \(name)")
            } else if let column = shape.columns.first(where: { $0.privileges.contains(.insert) && !$0.isGenerated }) {
                // LOCK TABLE needs INSERT on the whole table, and locks what is behind a view. Planning takes the same
                // lock on the name itself.
                let column = try session.quoted(column.name)
                explanations.append("EXPLAIN (COSTS OFF) INSERT INTO \(name) (\(column)) SELECT NULL WHERE false;\n")
            }
        }
        let lock = locks.isEmpty ? "" : "LOCK TABLE \(locks.joined(separator: ", ")) IN ROW EXCLUSIVE MODE;\n"
        let query = query(identifiers, views: views, types)
        guard let value = try session.execute(query).onlyRow[0] else { return nil }
        return TableFingerprint(statements: lock + explanations.joined() + query, value: value)
    }

    /// A query of one row and one column.
    ///
    /// One scan of an index, since the query's cost is mostly planning; enums and domains are added only if a table
    /// has some. Hashes are added up, so that no order is needed. A NUL can't occur in the fields, and the name stands
    /// last, so that no two different rows have the same text.
    private static func query(_ tables: [String], views: [String], _ types: CatalogTypes) -> String {
        var parts = [
            """
            (SELECT sum(hashtextextended(concat_ws(' ', a.attrelid, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, \
            a.atthasdef, a.attidentity, a.attgenerated, a.attisdropped, \
            has_column_privilege(a.attrelid, a.attnum, 'INSERT'), a.attname), 0)) \
            FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (\(tables.joined(separator: ", "))) AND a.attnum > 0)
            """
        ]
        if !views.isEmpty {
            // The triggers INSTEAD OF INSERT (see CatalogRelation).
            parts.append(
                """
                (SELECT sum(g.tgrelid::int8) FROM pg_catalog.pg_trigger g \
                WHERE g.tgrelid IN (\(views.joined(separator: ", "))) AND (g.tgtype & 69) = 69 \
                AND g.tgenabled IN ('O', 'A'))
                """)
        }
        func list(_ oids: [UInt32]) -> String { oids.map(String.init).joined(separator: ", ") }
        if !types.enumerations.isEmpty {
            parts.append(
                """
                (SELECT sum(hashtextextended(concat_ws(' ', e.enumtypid, e.enumsortorder, e.enumlabel), 0)) \
                FROM pg_catalog.pg_enum e WHERE e.enumtypid IN (\(list(types.enumerations))))
                """)
        }
        if !types.domains.isEmpty {
            parts.append(
                """
                (SELECT sum(hashtextextended(concat_ws(' ', t.oid, t.typnotnull, t.typdefault IS NULL), 0)) \
                FROM pg_catalog.pg_type t WHERE t.oid IN (\(list(types.domains))))
                """)
            parts.append(
                """
                (SELECT sum(hashtextextended(concat_ws(' ', c.oid, c.contypid, c.contype), 0)) \
                FROM pg_catalog.pg_constraint c WHERE c.contypid IN (\(list(types.domains))))
                """)
        }
        if parts.count == 1 { return "SELECT \(parts[0])" }
        return "SELECT concat_ws(' ', \(parts.joined(separator: ",\n")))"
    }
}

extension TableName {
    /// The name in quotes, as it goes into a statement.
    func quoted(_ session: inout PostgresSession) throws(PostgresError) -> String {
        let table = try session.quoted(table)
        guard let schema else { return table }
        return try session.quoted(schema) + "." + table
    }
}
