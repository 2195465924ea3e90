import PGWire

/// Detects changes of tables since their definitions were read, before a row is written that was encoded for an old
/// definition.
///
/// Without it, `ALTER TABLE … ALTER COLUMN … TYPE real` on an `integer` column would store 1 as 1.4e-45: both types
/// have four bytes, and a binary COPY doesn't name types.
///
/// Each transaction runs ``statements`` right after BEGIN, in the same round trip, and passes their result to
/// ``matches(_:)``. If it doesn't match, the transaction is rolled back, and the tables are read and bound again.
/// There is no race:
///
/// 1. The first statement takes ROW EXCLUSIVE locks, the mode of COPY and INSERT. The locks last until the transaction
///    ends, so COPY needs no new ones. Any change of a table's columns (type, NOT NULL, default, name, identity) needs
///    ACCESS EXCLUSIVE, as does DROP TABLE. So such a change has either committed before the lock is granted, or waits
///    until the transaction ends. A domain's constraint is validated under a SHARE lock on the tables that use it,
///    which also waits.
/// 2. The server analyses the query after running the previous statement, and under READ COMMITTED gives it a new
///    snapshot, which includes everything that committed before the lock was granted. The names resolve to the locked
///    tables; a table that was replaced by another one of the same name has another oid.
///
/// Some changes take no lock on the table: ADD VALUE and RENAME VALUE of an enum, and dropping a domain's constraint
/// or adding it as NOT VALID. If one commits after the query, the transaction behaves as if it came before the change,
/// or the server refuses the row. It never stores a value that differs from the message, since the binary form of an
/// enum is its label, and the server checks domains itself. Grants aren't part of the fingerprint: COPY checks them.
public struct TableFingerprint: Sendable, Equatable {
    /// The statements that lock the tables.
    private let locks: String
    /// A query with one column of numbers.
    private let query: String
    /// The query's sorted rows when the definitions were read.
    private let rows: [String]

    /// Several SQL statements without parameters, for ``matches(_:)``. Only the last one returns rows.
    public var statements: String { locks + query }

    /// The statements combined with one that changes rows of another table, in the same query. The change runs once
    /// the tables are locked, and needs no round trip of its own.
    func statements(with change: String) -> String { locks + query(with: change) }

    /// Prepares the combined query once per session, which saves most of its cost. The server analyses it again by
    /// itself after one of its tables was altered, renamed or dropped.
    ///
    /// - Parameters:
    ///   - name: The name of the statement, which the server's views show while it runs.
    ///   - types: The types of the parameters of `change`.
    func preparation(of change: String, as name: String, types: String) -> String {
        "PREPARE \(name) (\(types)) AS \(query(with: change))"
    }

    /// The statements that execute a query prepared by ``preparation(of:as:types:)``.
    func statements(executing name: String, _ parameters: String) -> String {
        "\(locks)EXECUTE \(name) (\(parameters))"
    }

    private func query(with change: String) -> String {
        "WITH changed AS (\(change) RETURNING 1)\n\(query)\nUNION ALL\nSELECT count(*) FROM changed"
    }

    /// Whether the tables are unchanged and the statement changed this many rows.
    ///
    /// - Parameter result: The result of ``statements(with:)`` or ``statements(executing:_:)``.
    func matches(_ result: PostgresResult, changing count: Int) -> Bool {
        Self.sorted(result) == (rows + ["\(count)"]).sorted()
    }

    /// Whether the tables are unchanged since their definitions were read.
    ///
    /// - Parameter result: The result of ``statements``, or of several statements that end with them.
    public func matches(_ result: PostgresResult) -> Bool {
        Self.sorted(result) == rows
    }

    /// Sorted, since the order of the rows isn't stable.
    private static func sorted(_ result: PostgresResult) -> [String] {
        result.rows.map { $0[0] ?? "" }.sorted()
    }

    /// Compares the tables with their definitions, in a transaction that hasn't written yet.
    ///
    /// - Returns: false if the tables have changed and must be bound again.
    /// - Throws: `PostgresError` of the statements, such as SQLSTATE 42P01 if a table is missing.
    public func holds(_ session: inout PostgresSession) throws(PostgresError) -> Bool {
        matches(try session.execute(statements))
    }

    /// Takes the fingerprint of tables.
    ///
    /// - Parameters:
    ///   - shapes: The tables and their oids.
    ///   - types: The types of the tables' columns.
    /// - Returns: The fingerprint; nil if there are no tables.
    static func taken(
        of shapes: [(shape: TableShape, oid: UInt32)], types: CatalogTypes, _ session: inout PostgresSession
    ) throws(PostgresError) -> TableFingerprint? {
        guard !shapes.isEmpty else { return nil }
        var locks: [String] = []
        var explanations: [String] = []
        var names: [String] = []
        for (shape, _) in shapes {
            let name = try shape.name.quoted(&session)
            names.append(try session.literal(name))
            if shape.kind != .view, shape.privileges.contains(.insert) {
                // ONLY suffices: a partition's columns can't differ from the partitioned table's.
                locks.append("ONLY \(name)")
            } else if let column = shape.columns.first(where: { $0.privileges.contains(.insert) && !$0.isGenerated }) {
                // LOCK TABLE needs INSERT on the whole table, and locks the tables behind a view. Planning takes the
                // same lock on the named table alone.
                let column = try session.quoted(column.name)
                explanations.append("EXPLAIN (COSTS OFF) INSERT INTO \(name) (\(column)) SELECT NULL WHERE false;\n")
            }
        }
        let lock = locks.isEmpty ? "" : "LOCK TABLE \(locks.joined(separator: ", ")) IN ROW EXCLUSIVE MODE;\n"
        let query = query(
            names, shapes.map(\.oid), views: shapes.filter { $0.shape.kind == .view }.map(\.oid), types)
        return TableFingerprint(
            locks: lock + explanations.joined(), query: query, rows: sorted(try session.execute(query)))
    }

    /// A query with one row per column, enum label, domain and so on, each a hash of its relevant properties.
    ///
    /// Planning is most of the cost (with a cached plan a fifth of it remains), and behind a pooler each transaction
    /// pays it. So it uses no joins and no aggregates, an array of oids instead of names, and parts for enums, domains
    /// and views only if there are any. Names are last in each text and can't contain NUL, so different rows have
    /// different texts.
    private static func query(
        _ names: [String], _ tables: [UInt32], views: [UInt32], _ types: CatalogTypes
    ) -> String {
        func array(_ oids: [UInt32]) -> String { "'{\(oids.map(String.init).joined(separator: ","))}'::oid[]" }
        // Resolved at run time instead of during analysis, so that a cached plan detects another table of the same
        // name.
        let found = names.map { "(SELECT pg_catalog.to_regclass(\($0))::oid)" }.joined(separator: ", ")
        var parts = [
            """
            SELECT hashtextextended(concat_ws(' ', \(found), a.attrelid, a.attnum, a.atttypid, a.atttypmod, \
            a.attnotnull, a.atthasdef, a.attidentity, a.attgenerated, a.attisdropped, a.attname), 0) \
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY (\(array(tables))) AND a.attnum > 0
            """
        ]
        if !views.isEmpty {
            // The triggers INSTEAD OF INSERT (see CatalogRelation).
            parts.append(
                """
                SELECT g.tgrelid::int8 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = ANY (\(array(views))) \
                AND (g.tgtype & 69) = 69 AND g.tgenabled IN ('O', 'A')
                """)
        }
        if !types.enumerations.isEmpty {
            parts.append(
                """
                SELECT hashtextextended(concat_ws(' ', e.enumtypid, e.enumsortorder, e.enumlabel), 0) \
                FROM pg_catalog.pg_enum e WHERE e.enumtypid = ANY (\(array(types.enumerations)))
                """)
        }
        if !types.domains.isEmpty {
            parts.append(
                """
                SELECT hashtextextended(concat_ws(' ', t.oid, t.typnotnull, t.typdefault IS NULL), 0) \
                FROM pg_catalog.pg_type t WHERE t.oid = ANY (\(array(types.domains)))
                """)
            parts.append(
                """
                SELECT hashtextextended(concat_ws(' ', c.oid, c.contypid, c.contype), 0) \
                FROM pg_catalog.pg_constraint c WHERE c.contypid = ANY (\(array(types.domains)))
                """)
        }
        return parts.joined(separator: "\nUNION ALL\n")
    }
}

extension TableName {
    /// The name quoted for use in a statement.
    func quoted(_ session: inout PostgresSession) throws(PostgresError) -> String {
        let table = try session.quoted(table)
        guard let schema else { return table }
        return try session.quoted(schema) + "." + table
    }
}
