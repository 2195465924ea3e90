import PGWire
import TestSupport
import Testing

@testable import IngestEngine

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"), .timeLimit(.minutes(2)))
struct BindingTests {
    private static let table = """
        CREATE TYPE mood AS ENUM ('sad', 'happy');
        CREATE DOMAIN price AS numeric(6,2) CHECK (value > 0);
        CREATE TABLE t (
            id int PRIMARY KEY, name varchar(3), kind mood, cost price, tags int[], raw jsonb, at timestamptz,
            seen timestamptz NOT NULL DEFAULT now());
        """

    private func route(_ columns: String) -> String {
        "routes:\n- topic: x\n  table: t\n  columns:\n    id: id\n    \(columns)"
    }

    @Test("a route without columns reads those that have no default")
    func byName() async throws {
        let database = try await CatalogDatabase.make("binding_name", Self.table)
        let bound = try await database.bind("routes: [{ topic: x, table: t }]")[0]
        #expect(bound.plan.columns.map(\.name) == ["id", "name", "kind", "cost", "tags", "raw", "at"])
        #expect(bound.leftToDefault == ["seen"])
        #expect(bound.table.name == TableName(schema: "binding_name", table: "t"))
    }

    @Test(
        "a default must be valid to the server",
        arguments: [
            ("name: { path: n, default: abcd }", "value too long for type character varying(3)"),
            ("kind: { path: n, default: angry }", "invalid input value for enum mood: \"angry\""),
            ("cost: { path: n, default: -1 }", "violates check constraint"),
            ("cost: { path: n, default: 12345 }", "numeric field overflow"),
            ("tags: { path: n, default: '{1,x}' }", "invalid input syntax for type integer: \"x\""),
            ("raw: { path: n, default: '{' }", "invalid input syntax for type json"),
            ("at: { path: n, default: 2024-13-01 }", "date/time field value out of range"),
        ])
    func wrongDefault(_ column: String, _ reason: String) async throws {
        let database = try await CatalogDatabase.make(
            "binding_default_\(column.utf8.reduce(0) { ($0 * 31 + Int($1)) % 999_983 })", Self.table)
        let mistake = try await database.mistake(route(column))
        let name = column.prefix { $0 != ":" }
        #expect(mistake.hasPrefix("m.yaml:6: route to t: the column \"\(name)\" is "), "\(mistake)")
        #expect(mistake.contains(reason), "\(mistake)")
    }

    @Test("defaults of every type are accepted")
    func goodDefaults() async throws {
        let database = try await CatalogDatabase.make("binding_good", Self.table)
        let bound = try await database.bind(
            """
            routes:
            - topic: x
              table: t
              columns:
                id: { path: i, default: -7 }
                name: { path: n, default: "a\\"b" }
                kind: { path: k, default: sad }
                cost: { path: c, default: 1.5 }
                tags: { path: g, default: "{1,2}" }
                raw: { path: r, default: '{"a": 1}' }
                at: { path: a, default: "2024-03-12 06:15+01" }
            """)[0]
        #expect(
            bound.plan.columns.map(\.defaultText) == [
                "-7", "a\"b", "sad", "1.5", "{1,2}", "{\"a\": 1}",
                "2024-03-12 06:15+01",
            ])
    }

    @Test("a missing privilege is reported with the GRANT that gives it")
    func privileges() async throws {
        let database = try await CatalogDatabase.make("binding_grants", "CREATE TABLE t (a int PRIMARY KEY, b int)")
        let user = "binding_grants_user"
        func mistake(_ grants: String, _ route: String) async throws -> String {
            try await database.withRole(user, grants: grants) { try await database.mistake(route) }
        }
        let append = "routes: [{ topic: x, table: t }]"
        let upsert = "routes: [{ topic: x, table: t, mode: upsert, tombstone: delete }]"
        #expect(try await mistake("", append).contains("GRANT INSERT ON binding_grants.t TO \(user)"))
        #expect(
            try await mistake("GRANT INSERT (a) ON t TO \(user)", append).contains(
                "GRANT INSERT (\"b\") ON binding_grants.t"))
        #expect(try await mistake("GRANT INSERT ON t TO \(user)", append) == "no mistake")
        #expect(
            try await mistake("GRANT INSERT ON t TO \(user)", upsert).contains("GRANT SELECT ON binding_grants.t TO"))
        #expect(
            try await mistake("GRANT INSERT, SELECT ON t TO \(user)", upsert).contains(
                "GRANT UPDATE ON binding_grants.t TO"))
        #expect(
            try await mistake("GRANT INSERT, SELECT, UPDATE (b) ON t TO \(user)", upsert).contains(
                "GRANT DELETE ON binding_grants.t"))
        #expect(
            try await mistake("GRANT INSERT, SELECT, UPDATE (b), DELETE ON t TO \(user)", upsert) == "no mistake")
    }

    /// The privileges that the check requires are those that the server requires.
    @Test("the privileges that binding requires suffice for ON CONFLICT and DELETE")
    func sufficient() async throws {
        let database = try await CatalogDatabase.make("binding_enough", "CREATE TABLE t (a int PRIMARY KEY, b int)")
        let user = "binding_enough_user"
        let upsert = "INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b"
        try await database.withRole(
            user, grants: "GRANT INSERT, SELECT, UPDATE (b), DELETE ON t TO \(user)"
        ) {
            try await database.execute(upsert)
            try await database.execute("INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO NOTHING")
            try await database.execute("DELETE FROM t WHERE a = 1")
        }
        try await database.withRole(user, grants: "GRANT INSERT, SELECT (a) ON t TO \(user)") {
            try await database.execute("INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO NOTHING")
        }
        try await database.withRole(user, grants: "GRANT INSERT, UPDATE (b), SELECT (a) ON t TO \(user)") {
            _ = await #expect(throws: PostgresError.self) { try await database.execute(upsert) }
        }
    }

    @Test("row-level security rules out COPY, so the route is refused")
    func rowSecurity() async throws {
        let database = try await CatalogDatabase.make(
            "binding_rls",
            "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true)")
        let mistake = try await database.withRole(
            "binding_rls_user", grants: "GRANT ALL ON t TO binding_rls_user"
        ) { try await database.mistake("routes: [{ topic: x, table: t }]") }
        #expect(mistake.contains("row-level security applies to the user binding_rls_user"), "\(mistake)")
        #expect(try await database.mistake("routes: [{ topic: x, table: t }]") == "no mistake")
    }

    @Test("routes that need temporary tables need the privilege to create them")
    func temporaryTables() async throws {
        let server = try await PostgresServer.shared()
        let name = "binding_temporary"
        _ = try await server.psql("DROP DATABASE IF EXISTS \(name)")
        let connection = try await PostgresConnection.connect(to: try await server.makeDatabase(name))
        let database = CatalogDatabase(connection: connection, schema: "public")
        try await database.execute(
            "CREATE TABLE t (a int PRIMARY KEY, b int); REVOKE TEMPORARY ON DATABASE \(name) FROM PUBLIC")
        let user = "binding_temporary_user"
        try await database.withRole(user, grants: "GRANT ALL ON t TO \(user)") {
            for settings in ["mode: upsert", "mode: ignore", "each: '$.x[*]'"] {
                let mistake = try await database.mistake("routes: [{ topic: x, table: t, \(settings) }]")
                #expect(mistake.contains("GRANT TEMPORARY ON DATABASE \"\(name)\" TO \"\(user)\""), "\(mistake)")
            }
            #expect(try await database.mistake("routes: [{ topic: x, table: t }]") == "no mistake")
        }
        await connection.close()
        _ = try await server.psql("DROP DATABASE \(name)")
    }

    /// The user lacks UPDATE and SELECT on the columns: the temporary table must not require more than the mode does.
    @Test("creating the temporary table needs no privilege on the target's columns")
    func stagingPrivileges() async throws {
        let database = try await CatalogDatabase.make(
            "binding_staging", "CREATE TABLE t (a int PRIMARY KEY, b int, c int)")
        let user = "binding_staging_user"
        try await database.withRole(user, grants: "GRANT INSERT, SELECT (a) ON t TO \(user)") {
            let bound = try await database.bind("routes: [{ topic: x, table: t, mode: ignore }]")
            let plan = try IngestPlan(bound) { name throws(PostgresError) in "\"\(name)\"" }
            let staging = try #require(plan.targets[0].staging)
            try await database.connection.transaction { session in
                try session.execute("\(staging.creation); \(Staging.progressCreation); \(staging.indexCreation)")
                try session.execute(staging.insert())
                try session.execute(staging.insertByRow(1...1, deletes: false))
                #expect(try Staging.failedRow(in: &session) == nil)
            }
        }
    }
}
