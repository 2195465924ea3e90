import PGWire

/// Notices that tables have changed since their shapes were read, before a row is written that was encoded for the
/// old shape.
///
/// Without it, `ALTER TABLE … ALTER COLUMN … TYPE real` on an `integer` column would store 1 as 1.4e-45: both have
/// four bytes, and a binary COPY doesn't name types.
///
/// Each transaction runs ``statements`` right after BEGIN, in the same round trip, and gives their result to
/// ``matches(_:)``. If it doesn't match, the transaction is rolled back and the tables are read and bound again. There
/// is no race:
///
/// 1. The first statement takes ROW EXCLUSIVE locks, the mode of COPY and INSERT. The locks last until the transaction
///    ends, so COPY asks for nothing new. Whatever alters a table's columns (type, NOT NULL, default, name, identity)
///    needs ACCESS EXCLUSIVE, and so does DROP TABLE: they have committed before the lock is granted, or wait until
///    the transaction ends. A domain's constraint is validated under a SHARE lock on the tables that use it, which
///    waits too.
/// 2. The server analyses the query after it has run the statement before, and under READ COMMITTED gives it a snapshot
///    of its own: it sees all that committed before the lock was granted. The names resolve to the tables that are
///    locked; a table that was replaced by another one of its name has another number.
///
/// Some changes take no lock on the table: ALTER TYPE … ADD VALUE and RENAME VALUE of an enum, a domain's constraint
/// that is dropped or NOT VALID. If one commits after the query, the transaction behaves as one that came before it, or
/// the server refuses the row. It never stores another value than the message has, since the binary form of an enum is
/// its label, and the server evaluates domains itself. Grants aren't part of the fingerprint: COPY checks them.
public struct TableFingerprint: Sendable, Equatable {
    /// Statements that lock the tables.
    private let locks: String
    /// A query of one column of numbers.
    private let query: String
    /// The rows when the shapes were read, sorted.
    private let rows: [String]

    /// SQL of several statements without parameters, for ``matches(_:)``. Only the last one gives rows.
    public var statements: String { locks + query }

    /// The statements with one that changes rows of another table, in the same query: it runs once the tables are locked,
    /// and needs no round trip of its own.
    func statements(with change: String) -> String { locks + query(with: change) }

    /// The same as a statement that is prepared once in a session, which saves most of its cost. The server analyses it
    /// anew by itself after a table of it was altered, renamed or dropped.
    ///
    /// - Parameters:
    ///   - name: A name for the statement, which the server's views show while it runs.
    ///   - types: Those of the parameters of `change`.
    func preparation(of change: String, as name: String, types: String) -> String {
        "PREPARE \(name) (\(types)) AS \(query(with: change))"
    }

    /// The statements with one that was prepared by ``preparation(of:as:types:)``.
    func statements(executing name: String, _ parameters: String) -> String {
        "\(locks)EXECUTE \(name) (\(parameters))"
    }

    private func query(with change: String) -> String {
        "WITH changed AS (\(change) RETURNING 1)\n\(query)\nUNION ALL\nSELECT count(*) FROM changed"
    }

    /// Whether the tables are as they were, and the statement has changed so many rows.
    ///
    /// - Parameter result: That of ``statements(with:)`` or ``statements(executing:_:)``.
    func matches(_ result: PostgresResult, changing count: Int) -> Bool {
        Self.sorted(result) == (rows + ["\(count)"]).sorted()
    }

    /// Whether the tables are as they were when their shapes were read.
    ///
    /// - Parameter result: That of ``statements``, or of several statements that end with them.
    public func matches(_ result: PostgresResult) -> Bool {
        Self.sorted(result) == rows
    }

    /// The rows come in no order that stays.
    private static func sorted(_ result: PostgresResult) -> [String] {
        result.rows.map { $0[0] ?? "" }.sorted()
    }

    /// Compares the tables with their shapes, in a transaction that hasn't written yet.
    ///
    /// - Returns: False if the tables have changed, and must be bound again.
    /// - Throws: `PostgresError` as the statements do: SQLSTATE 42P01 if a table is missing now.
    public func holds(_ session: inout PostgresSession) throws(PostgresError) -> Bool {
        matches(try session.execute(statements))
    }

    /// - Parameters:
    ///   - shapes: The tables and their numbers in the catalog.
    ///   - types: The types of the tables' columns.
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
        let query = query(
            names, shapes.map(\.oid), views: shapes.filter { $0.shape.kind == .view }.map(\.oid), types)
        return TableFingerprint(
            locks: lock + explanations.joined(), query: query, rows: sorted(try session.execute(query)))
    }

    /// A query with one row for each column, enum label, domain and so on: a hash of all that matters.
    ///
    /// Planning is most of the cost (with a cached plan a fifth of it remains), and behind a pooler that is paid in each
    /// transaction. Hence no joins and no
    /// aggregates, an array of numbers instead of names, and enums, domains and views only if there are some. Names
    /// stand last in a text and NUL can't occur in them, so that no two different rows have the same text.
    private static func query(
        _ names: [String], _ tables: [UInt32], views: [UInt32], _ types: CatalogTypes
    ) -> String {
        func array(_ oids: [UInt32]) -> String { "'{\(oids.map(String.init).joined(separator: ","))}'::oid[]" }
        // Looked up when the query runs, not when it is analysed: a plan that is kept has to notice another table of the
        // same name.
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
    /// The name in quotes, as it goes into a statement.
    func quoted(_ session: inout PostgresSession) throws(PostgresError) -> String {
        let table = try session.quoted(table)
        guard let schema else { return table }
        return try session.quoted(schema) + "." + table
    }
}
