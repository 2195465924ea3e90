import PGWire
import TestSupport
import Testing

/// The ends of transactions: committed, rolled back, or lost with their connection.
@Suite(needsPostgres) struct TransactionTests {
    private struct Mine: Error {}

    private func count(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("SELECT count(*) FROM t").onlyRow.decode(0)
    }

    @Test func commitsAndReturnsTheValue() async throws {
        let connection = try await connectToSchema("transaction_commit")
        try await connection.execute("CREATE TABLE t (a int)")
        let value = try await connection.transaction { session in
            try session.execute("INSERT INTO t VALUES (1)")
            return try session.query("INSERT INTO t SELECT generate_series(1, $1::int)", parameters: [4]).affectedRows
        }
        #expect(value == 4)
        #expect(try await count(connection) == 5)
        await connection.close()
    }

    @Test func rollsBackAndRethrowsTheClosuresError() async throws {
        let connection = try await connectToSchema("transaction_rollback")
        try await connection.execute("CREATE TABLE t (a int)")
        await #expect(throws: Mine.self) {
            try await connection.transaction { session in
                try session.execute("INSERT INTO t VALUES (1)")
                throw Mine()
            }
        }
        // The same applies if a statement has failed before.
        await #expect(throws: Mine.self) {
            try await connection.transaction { session in
                _ = try? session.execute("SELECT nonsense")
                throw Mine()
            }
        }
        #expect(await connection.status == .idle)
        #expect(try await count(connection) == 0)
        await connection.close()
    }

    @Test func statementsAfterBeginShareItsRoundTrip() async throws {
        let connection = try await connectToSchema("transaction_prelude")
        try await connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
        let rows = try await connection.transaction(
            prelude: "SET LOCAL synchronous_commit = off; UPDATE t SET a = a + 10"
        ) { session in
            let setting = try session.query("SHOW synchronous_commit").onlyRow[0]
            #expect(setting == "off")
            return session.preludeResult.affectedRows
        }
        #expect(rows == 2)
        #expect(try await connection.query("SHOW synchronous_commit").onlyRow[0] == "on")
        let error = try await postgresError {
            try await connection.transaction(prelude: "DELETE FROM t; SELECT nonsense") { _ in }
        }
        #expect(error.sqlState == "42703")
        #expect(await connection.status == .idle)
        #expect(try await count(connection) == 2)
        await connection.close()
    }

    /// Rows after a savepoint: those of a failed COPY are skipped, and the transaction continues.
    @Test func someRowsOfABufferAreCopied() async throws {
        let connection = try await connectToSchema("transaction_parts")
        try await connection.execute("CREATE TABLE t (a int CHECK (a <> 3))")
        try await connection.transaction { session in
            var buffer = CopyBuffer()
            for value: Int32 in 0..<6 {
                buffer.beginRow(columns: 1)
                buffer.append(int4: value)
            }
            let index = CopyRowIndex(buffer)
            let table = TableName(table: "t")
            var line: Int?
            do throws(PostgresError) {
                try session.copy(
                    into: table, columns: ["a"], from: buffer, rows: 0..<6, of: index, prelude: "SAVEPOINT part")
            } catch {
                line = error.copyLine(of: "t")
            }
            #expect(line == 4)
            let before = try session.copy(
                into: table, columns: ["a"], from: buffer, rows: 0..<3, of: index, prelude: "ROLLBACK TO part")
            let behind = try session.copy(into: table, columns: ["a"], from: buffer, rows: 4..<6, of: index)
            #expect(before == 3 && behind == 2)
        }
        #expect(try await connection.query("SELECT string_agg(a::text, ',') FROM t").onlyRow[0] == "0,1,2,4,5")
        await connection.close()
    }

    @Test func aTextIsQuotedAsAStringLiteral() async throws {
        let connection = try await connectToSchema("transaction_literal")
        for text in ["", "a", "it's", "a\\'; --", "größe", "a'\u{301}"] {
            let literal = try await connection.literal(text)
            #expect(try await connection.execute("SELECT \(literal)::text").onlyRow[0] == text)
        }
        let nul = try await postgresError { _ = try await connection.literal("a\0b") }
        #expect(nul.kind == .usage)
        await connection.close()
    }

    /// The server would answer COMMIT with ROLLBACK and report success.
    @Test func ignoredErrorIsThrown() async throws {
        let connection = try await connectToSchema("transaction_swallowed")
        try await connection.execute("CREATE TABLE t (a int)")
        let error = try await postgresError {
            try await connection.transaction { session in
                try session.execute("INSERT INTO t VALUES (1)")
                _ = try? session.execute("SELECT nonsense")
            }
        }
        #expect(error.sqlState == "42703")
        #expect(await connection.status == .idle)
        #expect(try await count(connection) == 0)
        await connection.close()
    }

    @Test func deferredConstraintFailsTheCommit() async throws {
        let connection = try await connectToSchema("transaction_deferred")
        try await connection.execute("CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        let error = try await postgresError {
            try await connection.transaction { session in _ = try session.execute("INSERT INTO t VALUES (1), (1)") }
        }
        #expect(error.sqlState == "23505" && error.isDataError)
        #expect(await connection.status == .idle)
        await connection.close()
    }

    @Test func transactionsDoNotNest() async throws {
        let connection = try await connectToSchema("transaction_nested")
        try await connection.execute("BEGIN")
        #expect(await connection.status == .inTransaction)
        let error = try await postgresError { try await connection.transaction { _ in } }
        #expect(error.kind == .usage)
        #expect(await connection.status == .inTransaction)
        try await connection.execute("ROLLBACK")
        let ended = try await postgresError {
            try await connection.transaction { session in _ = try session.execute("COMMIT") }
        }
        #expect(ended.kind == .usage)
        #expect(await connection.status == .idle)
        await connection.close()
    }

    /// A buffer is filled here, sent there, and reused.
    @Test func bufferIsReused() async throws {
        let connection = try await connectToSchema("transaction_buffer")
        try await connection.execute("CREATE TABLE t (a int)")
        var buffer = CopyBuffer()
        for round in 0..<3 {
            buffer.removeAll()
            for value in 0..<10 {
                buffer.beginRow(columns: 1)
                buffer.append(int4: Int32(round * 10 + value))
            }
            buffer = try await send(buffer, connection)
        }
        #expect(try await count(connection) == 30)
        await connection.close()
    }

    private func send(
        _ buffer: consuming CopyBuffer, _ connection: PostgresConnection
    ) async throws -> CopyBuffer {
        let sent = buffer
        try await connection.transaction { session in
            _ = try session.copy(into: TableName(table: "t"), columns: ["a"], from: sent)
        }
        return sent
    }
}
