import Foundation
import PGWire
import Synchronization
import TestSupport
import Testing

/// Transactions whose COPYs and COMMIT are sent as one query string.
@Suite(needsPostgres) struct CopyTransactionTests {
    private struct Mine: Error {}
    private static let targets = ["t", "u"].map { CopyTarget(table: TableName(table: $0), columns: ["a"]) }

    private static func rows(_ values: Int32...) -> CopyBuffer { rows(values) }

    private static func rows(_ values: some Sequence<Int32>) -> CopyBuffer {
        var buffer = CopyBuffer()
        for value in values {
            buffer.beginRow(columns: 1)
            buffer.append(int4: value)
        }
        return buffer
    }

    private func contents(_ connection: PostgresConnection) async throws -> String? {
        let query =
            "SELECT concat_ws(';', (SELECT string_agg(a::text, ',') FROM t), (SELECT string_agg(a::text, ',') FROM u))"
        #expect(await connection.status == .idle)
        return try await connection.query(query).onlyRow[0]
    }

    private func connect(_ schema: String, _ tables: String) async throws -> PostgresConnection {
        let connection = try await connectToSchema(schema)
        try await connection.execute(tables)
        return connection
    }

    @Test("rows of all COPYs are committed with the prelude's changes, and counted")
    func commits() async throws {
        let connection = try await connect(
            "copies_commit",
            """
            CREATE TABLE t (a int); CREATE TABLE u (a int); INSERT INTO t VALUES (7);
            CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER skip BEFORE INSERT ON u FOR EACH ROW WHEN (NEW.a = 4) EXECUTE FUNCTION skip()
            """)
        let changed = Mutex<[Int?]>([])
        let counts = try await connection.transaction(
            prelude: "SET LOCAL synchronous_commit = off; UPDATE t SET a = 8", copying: Self.targets
        ) { index, prelude, writer in
            changed.withLock { $0.append(prelude.affectedRows) }
            try writer.write(index == 0 ? Self.rows(1, 2) : Self.rows(3, 4, 5))
        }
        #expect(counts == [2, 2], "one row was suppressed by a trigger")
        #expect(changed.withLock { $0 } == [1, 1])
        #expect(try await contents(connection) == "8,1,2;3,5")
        #expect(try await connection.query("SHOW synchronous_commit").onlyRow[0] == "on")
        await connection.close()
    }

    @Test("an error of the closure is rethrown, and everything is rolled back", arguments: [0, 1])
    func closureThrows(at failing: Int) async throws {
        let connection = try await connect("copies_throw_\(failing)", "CREATE TABLE t (a int); CREATE TABLE u (a int)")
        await #expect(throws: Mine.self) {
            try await connection.transaction(prelude: "INSERT INTO t VALUES (1)", copying: Self.targets) {
                index, _, writer in
                try writer.write(Self.rows(2))
                if index == failing { throw Mine() }
            }
        }
        #expect(try await contents(connection) == "")
        await connection.close()
    }

    @Test("the error names the refused row of a COPY, and everything is rolled back", arguments: [0, 1])
    func refusedRow(at failing: Int) async throws {
        let connection = try await connect(
            "copies_refused_\(failing)", "CREATE TABLE t (a int CHECK (a > 0)); CREATE TABLE u (a int CHECK (a > 0))")
        let error = try await postgresError {
            try await connection.transaction(copying: Self.targets) { index, _, writer in
                try writer.write(index == failing ? Self.rows(1, 2, -1) : Self.rows(1))
            }
        }
        #expect(error.sqlState == "23514" && !error.isOfCommit)
        #expect(error.copyLine(of: Self.targets[failing].table.table) == 3)
        #expect(try await contents(connection) == "")
        await connection.close()
    }

    @Test("a failure of the prelude or of COMMIT rolls everything back")
    func otherFailures() async throws {
        let connection = try await connect(
            "copies_commit_fails", "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); CREATE TABLE u (a int)"
        )
        let deferred = try await postgresError {
            try await connection.transaction(copying: Self.targets) { _, _, writer in try writer.write(Self.rows(1, 1))
            }
        }
        #expect(deferred.sqlState == "23505" && deferred.isOfCommit && !deferred.mayBeCommitted)
        #expect(try await contents(connection) == "")
        let prelude = try await postgresError {
            try await connection.transaction(
                prelude: "INSERT INTO t VALUES (1); SELECT nonsense", copying: Self.targets
            ) {
                _, _, _ in Issue.record("no COPY has begun")
            }
        }
        #expect(prelude.sqlState == "42703")
        #expect(try await contents(connection) == "")
        let misuse = try await postgresError {
            try await connection.transaction(prelude: "COPY t (a) FROM STDIN BINARY", copying: Self.targets) {
                _, _, writer in try writer.write(Self.rows(1))
            }
        }
        #expect(misuse.kind == .usage)
        #expect(try await contents(connection) == "")
        let none = try await postgresError { try await connection.transaction(copying: []) { _, _, _ in } }
        #expect(none.kind == .usage)
        try await connection.execute("BEGIN; INSERT INTO u VALUES (6)")
        let open = try await postgresError {
            try await connection.transaction(copying: Self.targets) { _, _, _ in }
        }
        #expect(open.kind == .usage)
        #expect(await connection.status == .inTransaction, "it isn't ours to end")
        try await connection.execute("COMMIT")
        #expect(try await contents(connection) == "6")
        await connection.close()
    }

    @Test("a transaction can be cancelled while it waits for a lock, and while rows are written")
    func cancelled() async throws {
        let connection = try await connect("copies_cancel", "CREATE TABLE t (a int); CREATE TABLE u (a int)")
        let other = try await PostgresConnection.connect(to: try await PostgresServer.shared().uri)
        try await other.execute("BEGIN; LOCK TABLE copies_cancel.u")
        let waiting = Task {
            try await connection.transaction(copying: Self.targets) { _, _, writer in try writer.write(Self.rows(1)) }
        }
        try await eventually("it waits") {
            try await other.query("SELECT count(*) FROM pg_locks WHERE NOT granted").onlyRow.decode(0) == 1
        }
        waiting.cancel()
        #expect(try await postgresError { _ = try await waiting.value }.kind == .cancelled)
        try await other.execute("ROLLBACK")
        #expect(try await contents(connection) == "")

        let writing = try await postgresError {
            try await connection.transaction(copying: Self.targets) { index, _, writer in
                if index == 1 { connection.cancel() }
                try writer.write(Self.rows(1))
                // The request is sent on another thread; each write checks for it as well.
                while index == 1 { try writer.write(Self.rows(2)) }
            }
        }
        #expect(writing.kind == .cancelled)
        #expect(try await contents(connection) == "")
        await other.close()
        await connection.close()
    }

    @Test("a server error before the end of the COPY shows that nothing is committed", arguments: [false, true])
    func terminated(inTrigger: Bool) async throws {
        let schema = "copies_terminated_\(inTrigger)"
        let connection = try await connect(
            schema,
            """
            CREATE TABLE t (a int); CREATE TABLE u (a int);
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
            CREATE TRIGGER wait BEFORE INSERT ON u FOR EACH ROW WHEN (NEW.a = 4) EXECUTE FUNCTION wait()
            """)
        let other = try await PostgresConnection.connect(to: try await PostgresServer.shared().uri)
        try await other.execute("SET search_path = \(schema)")
        let processID: Int32 = try #require(connection.serverProcessID)
        let pid = PostgresValue(processID)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let isOver = DispatchSemaphore(value: 0)
        let copying = Task {
            try await connection.transaction(copying: Self.targets) { index, _, writer in
                // Without the trigger, more than libpq buffers.
                try writer.write(inTrigger ? Self.rows(4) : Self.rows(repeatElement(1, count: 5_000)))
                guard index == 1 else { return }
                begin.finish()
                if !inTrigger { isOver.wait() }
            }
        }
        for await _ in begun {}
        try await eventually("the server is at the rows") {
            try await other.query(
                inTrigger
                    ? "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
                    : "SELECT bool_or(bytes_processed > 0) FROM pg_stat_progress_copy WHERE pid = $1 AND relid = 'u'::regclass",
                parameters: [pid]
            ).onlyRow[0] == "t"
        }
        try await other.query("SELECT pg_terminate_backend($1, 10000)", parameters: [pid])
        isOver.signal()
        let error = try await postgresError { _ = try await copying.value }
        #expect(error.isConnectionLoss && !error.mayBeCommitted && !error.isOfCommit, "\(error)")
        #expect(try await other.query("SELECT count(*) FROM \(schema).t").onlyRow[0] == "0")
        await other.close()
        await connection.close()
    }

    @Test("a connection that is lost after the rows may have committed", arguments: [true, false])
    func lost(atOnce: Bool) async throws {
        let server = try await PostgresServer.shared()
        let relay = try LoopbackRelay()
        let copyDone: [UInt8] = [UInt8(ascii: "c"), 0, 0, 0, 4]
        let ends = Mutex(0)
        relay.start(
            to: server.port,
            fromClient: { link in
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while let count = LoopbackRelay.read(link.client, &chunk) {
                    if chunk[..<count].suffix(5).elementsEqual(copyDone) {
                        let number = ends.withLock { ends in
                            ends += 1
                            return ends
                        }
                        // The server doesn't receive the end of the rows, or it does and its answer is lost.
                        if number == 2, atOnce { break }
                        if number == 2 { shutdown(link.client, Int32(SHUT_RDWR)) }
                    }
                    guard LoopbackRelay.write(link.server, chunk[..<count]) else { break }
                }
                link.cut()
            },
            fromServer: { link in
                LoopbackRelay.pass(from: link.server, to: link.client)
            })
        let schema = "copies_lost_\(atOnce)"
        let direct = try await connect(schema, "CREATE TABLE t (a int); CREATE TABLE u (a int)")
        let connection = try await PostgresConnection.connect(
            to: "postgresql://postgres@127.0.0.1:\(relay.port)/workshop?sslmode=disable&gssencmode=disable")
        let error = try await postgresError {
            try await connection.transaction(prelude: "SET LOCAL search_path = \(schema)", copying: Self.targets) {
                _, _, writer in try writer.write(Self.rows(1))
            }
        }
        #expect(error.isConnectionLoss && error.mayBeCommitted && !error.isOfCommit, "\(error)")
        if !atOnce {
            try await eventually("it is committed") {
                try await direct.query("SELECT count(*) FROM u").onlyRow[0] == "1"
            }
        }
        await connection.close()
        await direct.close()
        relay.close()
    }

    @Test("the client sends one query, and waits once before each COPY's rows and once at the end")
    func roundTrips() async throws {
        let server = try await PostgresServer.shared()
        let sent = Mutex(0)
        let relay = try LoopbackRelay()
        relay.start(
            to: server.port,
            fromClient: { link in
                LoopbackRelay.pass(from: link.client, to: link.server) { _ in sent.withLock { $0 += 1 } }
                link.cut()
            },
            fromServer: { link in
                LoopbackRelay.pass(from: link.server, to: link.client)
                link.cut()
            })
        let connection = try await PostgresConnection.connect(
            to: "postgresql://postgres@127.0.0.1:\(relay.port)/workshop?sslmode=disable&gssencmode=disable")
        try await connection.execute("CREATE TEMPORARY TABLE t (a int); CREATE TEMPORARY TABLE u (a int)")
        let before = sent.withLock { $0 }
        try await connection.transaction(prelude: "SELECT 1", copying: Self.targets) { _, _, writer in
            try writer.write(Self.rows(1, 2))
        }
        #expect(sent.withLock { $0 } - before == 3)
        await connection.close()
        relay.close()
    }
}
