import PGWire
import Synchronization
import TestSupport
import Testing

/// A server that sends invalid data or stops answering. Needs no Postgres.
@Suite(.timeLimit(.minutes(1))) struct ScriptedServerTests {
    @Test func aNoticeBeforeTheEndOfTheLoginGoesToTheHandler() async throws {
        let server = try ScriptedPostgres(reply: ScriptedPostgres.loginWithNotice("\u{1b}[2Jowned"))
        server.start()
        defer { server.close() }
        let notices = Mutex<[String]>([])
        let connection = try await PostgresConnection.connect(to: server.uri) { notice in
            notices.withLock { $0.append(notice.message) }
        }
        #expect(notices.withLock { $0 } == ["\u{1b}[2Jowned"])
        await connection.close()
    }

    /// libpq's default receiver writes notices to standard error, including all control characters.
    @Test func aNoticeBeforeTheEndOfTheLoginDoesNotReachTheTerminal() async throws {
        let server = try ScriptedPostgres(reply: ScriptedPostgres.loginWithNotice("\u{1b}[2Jowned"))
        server.start()
        defer { server.close() }
        let initialising = try await RunningProgram.start(
            try Repository.program("tfi-consumer"), ["init", "--database", server.uri])
        try await eventually("the login is over") { server.receivedCount > 0 }
        initialising.signal(15)
        let result = try await initialising.result()
        #expect(!result.err.contains("owned"), "\(result.err)")
    }

    @Test func anAbortEndsACallThatTheServerDoesNotAnswer() async throws {
        let server = try ScriptedPostgres(reply: ScriptedPostgres.login)
        server.start()
        defer { server.close() }
        let connection = try await PostgresConnection.connect(to: server.uri)
        #expect(connection.busySince == nil)
        let call = Task { try await connection.transaction { session in _ = try session.execute("SELECT 1") } }
        try await eventually("the statement is sent") { server.receivedCount > 0 }
        #expect(connection.busySince != nil)
        // The server doesn't answer the cancel request either.
        connection.cancel()
        connection.abort()
        let error = try await postgresError { try await call.value }
        #expect(error.isConnectionLoss, "\(error)")
        #expect(connection.isBroken)
        #expect(connection.busySince == nil)
        let later = try await postgresError { try await connection.execute("SELECT 1") }
        #expect(later.isConnectionLoss)
        await connection.close()
        connection.abort()
    }
}
