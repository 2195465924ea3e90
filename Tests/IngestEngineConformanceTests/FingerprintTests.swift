import PGWire
import TestSupport
import Testing

@testable import IngestEngine

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"), .timeLimit(.minutes(2)))
struct FingerprintTests {
    private static let tables = """
        CREATE DOMAIN price AS numeric CHECK (value > 0);
        CREATE TYPE mood AS ENUM ('sad', 'happy');
        CREATE TABLE t (a int, b varchar(5), c text DEFAULT 'x', d price, e mood[], f int);
        CREATE TABLE "it's \\ another" (a int);
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE behind (a int);
        CREATE VIEW v AS SELECT a FROM behind;
        CREATE TRIGGER g INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TABLE marks (n int);
        INSERT INTO marks VALUES (1), (2);
        """

    private func fingerprint(_ database: CatalogDatabase) async throws -> TableFingerprint {
        try #require(try await database.catalog("t", "\"it's \\ another\"", "v").fingerprint)
    }

    private func holds(_ fingerprint: TableFingerprint, _ database: CatalogDatabase) async throws -> Bool {
        try await database.connection.transaction { session in try fingerprint.holds(&session) }
    }

    /// Whether the tables are unchanged, checked by a statement that the session may have prepared before.
    private func holdsPrepared(_ fingerprint: TableFingerprint, _ database: CatalogDatabase) async throws -> Bool {
        let statement = fingerprint.preparation(of: "UPDATE marks SET n = $1", as: "mark", types: "int")
        #expect(try await database.connection.setUp(statement))
        let statements = fingerprint.statements(executing: "mark", "7")
        return try await database.connection.transaction(prelude: statements) { session in
            fingerprint.matches(session.preludeResult, changing: 2)
        }
    }

    @Test(
        "every change that affects the encoding is detected",
        arguments: [
            "ALTER TABLE t ALTER a TYPE real USING a::real", "ALTER TABLE t ALTER b TYPE varchar(6)",
            "ALTER TABLE t ALTER a SET NOT NULL", "ALTER TABLE t ALTER c DROP DEFAULT",
            "ALTER TABLE t ALTER a SET DEFAULT 1", "ALTER TABLE t RENAME f TO g", "ALTER TABLE t DROP f",
            "ALTER TABLE t ADD g int", "ALTER TABLE t ADD g int GENERATED ALWAYS AS (a) STORED",
            "ALTER TYPE mood ADD VALUE 'calm'", "ALTER TYPE mood RENAME VALUE 'sad' TO 'sorry'",
            "ALTER DOMAIN price DROP CONSTRAINT price_check", "ALTER DOMAIN price ADD CHECK (value < 10)",
            "ALTER DOMAIN price SET NOT NULL", "ALTER DOMAIN price SET DEFAULT 1",
            "DROP TRIGGER g ON v", "ALTER TABLE \"it's \\ another\" ALTER a TYPE bigint",
            "ALTER TABLE t RENAME TO u; CREATE TABLE t (LIKE u INCLUDING ALL)",
            "DROP TABLE t CASCADE; CREATE TABLE t (a int, b varchar(5), c text DEFAULT 'x', d price, e mood[], f int)",
        ])
    func changes(_ change: String) async throws {
        let name = "fingerprint_\(change.utf8.reduce(0) { ($0 * 31 + Int($1)) % 999_983 })"
        let database = try await CatalogDatabase.make(name, Self.tables)
        let before = try await fingerprint(database)
        #expect(try await holds(before, database))
        // After six executions the server reuses a plan.
        let other = try await database.another()
        for _ in 0..<8 { #expect(try await holdsPrepared(before, other)) }
        try await database.execute(change)
        #expect(try await !holds(before, database))
        #expect(try await !holdsPrepared(before, other))
        await other.connection.close()
        if !change.contains("TRIGGER") {
            #expect(try await holds(try await fingerprint(database), database))
        }
        try await database.execute("DROP SCHEMA \(name) CASCADE")
    }

    @Test("a table of the same name in a recreated schema is a different table")
    func replacedSchema() async throws {
        let database = try await CatalogDatabase.make("fingerprint_schema", Self.tables)
        let before = try await fingerprint(database)
        let other = try await database.another()
        for _ in 0..<8 { #expect(try await holdsPrepared(before, other)) }
        try await database.execute(
            """
            DROP SCHEMA IF EXISTS fingerprint_old CASCADE; ALTER SCHEMA fingerprint_schema RENAME TO fingerprint_old;
            CREATE SCHEMA fingerprint_schema; CREATE TABLE t (LIKE fingerprint_old.t INCLUDING ALL);
            CREATE TABLE "it's \\ another" (a int); CREATE VIEW v AS SELECT a FROM fingerprint_old.behind;
            CREATE TABLE marks AS SELECT * FROM fingerprint_old.marks
            """)
        #expect(try await !holdsPrepared(before, other))
        #expect(try await !holds(before, database))
        try await database.execute("DROP SCHEMA fingerprint_old CASCADE")
        await other.connection.close()
    }

    @Test("rows, statistics and other users' privileges don't change it")
    func unrelated() async throws {
        let database = try await CatalogDatabase.make("fingerprint_unrelated", Self.tables)
        let before = try await fingerprint(database)
        try await database.execute(
            "INSERT INTO t VALUES (1); ANALYZE t; CREATE INDEX ON t (a); TRUNCATE t; GRANT SELECT ON t TO public")
        try await database.execute("ALTER TABLE t ALTER a SET STATISTICS 7; COMMENT ON TABLE t IS 'x'")
        #expect(try await holds(before, database))
    }

    @Test("the check fails for a dropped table")
    func dropped() async throws {
        let database = try await CatalogDatabase.make("fingerprint_dropped", Self.tables)
        let before = try await fingerprint(database)
        for _ in 0..<8 { #expect(try await holdsPrepared(before, database)) }
        try await database.execute("DROP TABLE t CASCADE")
        let prepared = await #expect(throws: PostgresError.self) { try await holdsPrepared(before, database) }
        #expect(prepared?.sqlState == "42P01")
        let error = await #expect(throws: PostgresError.self) { try await holds(before, database) }
        #expect(error?.sqlState == "42P01")
    }

    @Test("a column's type cannot change between the check and COPY")
    func race() async throws {
        let database = try await CatalogDatabase.make("fingerprint_race", "CREATE TABLE t (a int)")
        let other = try await database.another()
        let before = try #require(try await database.catalog("t").fingerprint)
        let altering = try await database.connection.transaction { session in
            #expect(try before.holds(&session))
            // Waits for the transaction's lock.
            let altering = Task {
                try await other.execute("ALTER TABLE t ALTER a TYPE real USING a::real")
            }
            var isWaiting = false
            while !isWaiting {
                isWaiting = try session.query(
                    "SELECT count(*) = 1 FROM pg_locks WHERE relation = 't'::regclass AND NOT granted"
                ).onlyRow.decode(0)
            }
            var buffer = CopyBuffer()
            buffer.beginRow(columns: 1)
            buffer.append(int4: 1)
            #expect(try session.copy(into: TableName(table: "t"), columns: ["a"], from: buffer) == 1)
            return altering
        }
        try await altering.value
        #expect(try await database.connection.query("SELECT a FROM t").onlyRow[0] == "1")
        #expect(try await !holds(before, database))
        // Without the check, the next integer 1 would be 1.4e-45.
        await other.connection.close()
    }

    @Test("a user with privileges on single columns, or on a view, can run the check")
    func limited() async throws {
        let database = try await CatalogDatabase.make("fingerprint_limited", Self.tables)
        let user = "fingerprint_limited_user"
        try await database.withRole(user, grants: "GRANT INSERT (a) ON t TO \(user); GRANT INSERT ON v TO \(user)") {
            let before = try #require(try await database.catalog("t", "v").fingerprint)
            #expect(try await holds(before, database))
            let locks = try await database.connection.transaction { session in
                try session.execute(before.statements)
                return try session.query(
                    """
                    SELECT relation::regclass::text FROM pg_locks
                    WHERE pid = pg_backend_pid() AND mode = 'RowExclusiveLock' ORDER BY 1
                    """
                ).rows.compactMap { $0[0] }
            }
            #expect(locks == ["t", "v"])
        }
    }
}
