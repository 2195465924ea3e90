import PGWire
import Testing

@Suite(needsPostgres)
struct SessionSetupTests {
    @Test func statementsRunOncePerConnection() async throws {
        let connection = try await connectToSchema("session_setup")
        try await connection.execute("CREATE TABLE runs (n int)")
        let first = "INSERT INTO runs VALUES (1); SET statement_timeout = 5000"
        for _ in 0..<3 { #expect(try await connection.setUp(first)) }
        #expect(try await connection.query("SELECT count(*) FROM runs").onlyRow[0] == "1")
        #expect(try await connection.query("SHOW statement_timeout").onlyRow[0] == "5s")
        // Other statements, and then the earlier ones again.
        #expect(try await connection.setUp("INSERT INTO runs VALUES (2)"))
        #expect(try await connection.setUp(first))
        #expect(try await connection.query("SELECT array_agg(n) FROM runs").onlyRow[0] == "{1,2,1}")
        await connection.close()
    }

    @Test func statementsThatFailRunAgain() async throws {
        let connection = try await connectToSchema("session_setup_failure")
        let statements = "INSERT INTO runs VALUES (1)"
        let error = try await postgresError { _ = try await connection.setUp(statements) }
        #expect(error.sqlState == "42P01")
        try await connection.execute("CREATE TABLE runs (n int)")
        #expect(try await connection.setUp(statements))
        #expect(try await connection.query("SELECT count(*) FROM runs").onlyRow[0] == "1")
        await connection.close()
    }

    @Test func anAbandonedSessionIsNotSetUpAgain() async throws {
        let connection = try await connectToSchema("session_setup_end")
        try await connection.execute("CREATE TABLE runs (n int)")
        let statements = "INSERT INTO runs VALUES (1)"
        #expect(try await connection.setUp(statements))
        connection.disableSetUp()
        #expect(try await !connection.setUp(statements))
        #expect(try await connection.query("SELECT count(*) FROM runs").onlyRow[0] == "1")
        await connection.close()
    }
}
