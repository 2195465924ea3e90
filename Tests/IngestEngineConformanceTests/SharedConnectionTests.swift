import CommandLineSupport
import PGWire
import Synchronization
import TestSupport
import Testing

@testable import IngestEngine

/// A worker's connection, which is shared by its mapper, its sink and its watch.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"))
struct SharedConnectionTests {
    @Test("work continues on a new connection if other work closed the shared one", .timeLimit(.minutes(1)))
    func replacedConnection() async throws {
        let server = try await PostgresServer.shared()
        let database = Database(
            uri: server.uri, applicationName: "shared", stop: StopSignal(), observer: IngestObserver())
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (closed, close) = AsyncStream.makeStream(of: Void.self)
        let attempts = Mutex(0)
        let work = Task {
            try await database.retrying { connection in
                let attempt = attempts.withLock { count in
                    count += 1
                    return count
                }
                if attempt == 1 {
                    begin.finish()
                    for await _ in closed {}
                }
                return try await connection.query("SELECT 7").onlyRow[0]
            }
        }
        for await _ in begun {}
        await #expect(throws: PostgresError.self) {
            try await database.attempt(isProbe: true) { connection in
                try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
            }
        }
        close.finish()
        #expect(try await work.value == "7")
        #expect(attempts.withLock { $0 } == 2)
        await database.close()
    }
}
