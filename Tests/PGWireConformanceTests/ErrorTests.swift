import PGWire
import TestSupport
import Testing

/// The errors of failed operations, and what still works afterwards.
@Suite(needsPostgres) struct ErrorTests {
    /// Expects that the connection accepts another statement.
    private func expectUsable(_ connection: PostgresConnection) async throws {
        #expect(!connection.isBroken)
        #expect(await connection.status == .idle)
        #expect(try await connection.query("SELECT 1").onlyRow.decode(0, as: Int.self) == 1)
    }

    @Test func badSQL() async throws {
        let connection = try await connectToSchema("errors_sql")
        let error = try await postgresError { try await connection.execute("SELECT * FROM nowhere") }
        #expect(error.kind == .server)
        #expect(error.sqlState == "42P01")
        #expect(error.severity == "ERROR")
        #expect(!error.isDataError && !error.isTransient && !error.isConnectionLoss)
        #expect(
            error.description
                == "Postgres refused the statement: relation \"nowhere\" does not exist (SQLSTATE 42P01).")
        try await expectUsable(connection)
        let mismatch = try await postgresError { try await connection.query("SELECT $1::int", parameters: ["x"]) }
        #expect(mismatch.sqlState == "22P02" && mismatch.isDataError)
        let nul = try await postgresError { try await connection.query("SELECT $1::text", parameters: ["a\0b"]) }
        #expect(nul.kind == .usage)
        try await expectUsable(connection)
        await connection.close()
    }

    @Test func constraintViolationInCopy() async throws {
        let connection = try await connectToSchema("errors_copy")
        try await connection.execute("CREATE TABLE t (id int CONSTRAINT positive CHECK (id > 0))")
        let error = try await postgresError {
            try await connection.transaction { session in
                try session.execute("INSERT INTO t VALUES (1)")
                var buffer = CopyBuffer()
                for value: Int32 in [5, 6, -7] {
                    buffer.beginRow(columns: 1)
                    buffer.append(int4: value)
                }
                try session.copy(into: TableName(table: "t"), columns: ["id"], from: buffer)
            }
        }
        #expect(error.sqlState == "23514" && error.isDataError)
        #expect(error.constraint == "positive" && error.table == "t" && error.schema == "errors_copy")
        #expect(error.context?.hasPrefix("COPY t, line 3") == true)
        #expect(error.description.contains("COPY t, line 3"))
        try await expectUsable(connection)
        #expect(try await connection.query("SELECT count(*) FROM t").onlyRow.decode(0, as: Int.self) == 0)
        await connection.close()
    }

    @Test func wrongColumnTypeInCopy() async throws {
        let connection = try await connectToSchema("errors_copy_type")
        try await connection.execute("CREATE TABLE t (id int)")
        let error = try await postgresError {
            try await connection.transaction { session in
                var buffer = CopyBuffer()
                buffer.beginRow(columns: 1)
                buffer.append(int8: 1)
                try session.copy(into: TableName(table: "t"), columns: ["id"], from: buffer)
            }
        }
        #expect(error.sqlState == "22P03" && error.context == "COPY t, line 1, column id")
        try await expectUsable(connection)
        await connection.close()
    }

    @Test func halfARowIsNotSent() async throws {
        let connection = try await connectToSchema("errors_half_row")
        try await connection.execute("CREATE TABLE t (a int, b int)")
        let error = try await postgresError {
            try await connection.transaction { session in
                var buffer = CopyBuffer()
                buffer.beginRow(columns: 2)
                buffer.append(int4: 1)
                try session.copy(into: TableName(table: "t"), columns: ["a", "b"], from: buffer)
            }
        }
        #expect(error.kind == .usage)
        try await expectUsable(connection)
        await connection.close()
    }

    @Test func closureThatThrowsDuringCopy() async throws {
        struct Mine: Error {}
        let connection = try await connectToSchema("errors_closure")
        try await connection.execute("CREATE TABLE t (a int)")
        await #expect(throws: Mine.self) {
            try await connection.transaction { session in
                try session.copy(into: TableName(table: "t"), columns: ["a"]) { writer in
                    var buffer = CopyBuffer()
                    buffer.beginRow(columns: 1)
                    buffer.append(int4: 1)
                    try writer.write(buffer)
                    throw Mine()
                }
            }
        }
        try await expectUsable(connection)
        #expect(try await connection.query("SELECT count(*) FROM t").onlyRow.decode(0, as: Int.self) == 0)
        await connection.close()
    }

    /// A plain statement that opens a COPY must neither hang nor leave it open.
    @Test func copyAsAPlainStatement() async throws {
        let connection = try await connectToSchema("errors_plain_copy")
        try await connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
        let copyIn = try await postgresError { try await connection.execute("COPY t FROM STDIN; SELECT 1") }
        #expect(copyIn.kind == .usage)
        try await expectUsable(connection)
        let copyOut = try await postgresError { try await connection.execute("COPY t TO STDOUT; SELECT 2") }
        #expect(copyOut.kind == .usage)
        try await expectUsable(connection)
        await connection.close()
    }

    @Test func strangeIdentifiers() async throws {
        let names = ["we\"ird", "with space", "Grüße 🏭", "select", "semi;colon--", "UPPER", "a\\b'c", "$1"]
        let connection = try await connectToSchema("sche\"ma x")
        for name in names {
            let quoted = try await connection.quoted(name)
            try await connection.execute("CREATE TABLE \(quoted) (\(quoted) text)")
            try await connection.transaction { session in
                var buffer = CopyBuffer()
                buffer.beginRow(columns: 1)
                buffer.append(text: name)
                let table = TableName(schema: "sche\"ma x", table: name)
                try session.copy(into: table, columns: [name], from: buffer)
            }
            let row = try await connection.query("SELECT * FROM \(quoted)")
            #expect(row.columns == [name])
            #expect(try row.onlyRow[0] == name)
        }
        let nul = try await postgresError { _ = try await connection.quoted("a\0b") }
        #expect(nul.kind == .usage)
        await connection.close()
    }

    @Test func noticesReachTheHandler() async throws {
        let (notices, continuation) = AsyncStream.makeStream(of: PostgresNotice.self)
        let connection = try await connectToSchema("notices") { continuation.yield($0) }
        try await connection.execute("DO $$ BEGIN RAISE WARNING 'mind the gap' USING HINT = 'jump'; END $$")
        await connection.close()
        continuation.finish()
        let all = await notices.reduce(into: []) { $0.append($1) }
        #expect(all.map(\.message) == ["mind the gap"])
        #expect(all.map(\.severity) == ["WARNING"])
        #expect(all.map(\.hint) == ["jump"])
    }
}
