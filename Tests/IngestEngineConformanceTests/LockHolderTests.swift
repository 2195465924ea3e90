import CommandLineSupport
import Foundation
import PGWire
import Synchronization
import TestSupport
import Testing

@testable import IngestEngine

/// Handling of sessions that hold a lock for which a consumer waits. Serialized, since the lookups use many of the
/// connections that the server has for all tests.
@Suite(
    .serialized, .timeLimit(.minutes(1)),
    .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"))
struct LockHolderTests {
    /// A session in the middle of a COPY.
    private final class Holder: Sendable {
        private let isReleased = Mutex(false)

        /// Starts a COPY, and returns when the server waits for its rows.
        ///
        /// - Parameters:
        ///   - statement: Run at the start of the transaction.
        ///   - sends: Whether to send rows until `release`.
        /// - Returns: The task of the transaction, which returns the number of rows sent.
        func copy(
            _ uri: String, application: String, after statement: String, sends: Bool = false
        ) async throws -> Task<Int, any Error> {
            let connection = try await PostgresConnection.connect(to: uri, applicationName: application)
            let (begun, begin) = AsyncStream.makeStream(of: Void.self)
            let copying = Task {
                defer { begin.finish() }
                return try await connection.transaction(prelude: statement) { session in
                    try session.copy(into: TableName(table: "t"), columns: ["a"]) { writer in
                        begin.finish()
                        return try self.write(&writer, sends: sends)
                    }.value
                }
            }
            for await _ in begun {}
            return copying
        }

        private func write(_ writer: inout CopyWriter, sends: Bool) throws -> Int {
            var buffer = CopyBuffer()
            buffer.beginRow(columns: 1)
            // More than libpq buffers.
            buffer.append(text: String(repeating: "a", count: 20_000))
            while !isReleased.withLock({ $0 }) {
                if sends { try writer.write(buffer) }
                Thread.sleep(forTimeInterval: 0.02)
            }
            return writer.rowCount
        }

        func release() { isReleased.withLock { $0 = true } }
    }

    /// A database of the test's own, so that rows of other tests' transactions don't matter.
    private static func makeDatabase(_ name: String) async throws -> (uri: String, connection: PostgresConnection) {
        let uri = try await PostgresServer.shared().makeDatabase(name)
        let connection = try await PostgresConnection.connect(to: uri)
        try await connection.execute(
            "CREATE TABLE kafka_offset (next_offset int); INSERT INTO kafka_offset VALUES (1); CREATE TABLE t (a text)")
        return (uri, connection)
    }

    private static let move = "UPDATE kafka_offset SET next_offset = next_offset + 1"

    /// Waits for the holder's lock, like a consumer.
    private static func waiter(
        _ uri: String, _ application: String, stallLimit: Duration, _ lines: LineList
    ) -> Database {
        let wait = Database.LockWait(patience: .milliseconds(100), interval: .milliseconds(250), stallLimit: stallLimit)
        return Database(
            uri: uri, applicationName: application, lockWait: wait, stop: StopSignal(),
            observer: IngestObserver(log: Log(write: { lines.add($0) })))
    }

    private final class LineList: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func lines(with text: String) -> [String] { lines.withLock { $0.filter { $0.contains(text) } } }
    }

    @Test func aSessionStuckInACopyIsTerminated() async throws {
        let (uri, connection) = try await Self.makeDatabase("stuck copy")
        let holder = Holder()
        let copying = try await holder.copy(uri, application: "consumer", after: Self.move)
        let lines = LineList()
        let database = Self.waiter(uri, "consumer", stallLimit: .seconds(1), lines)
        _ = try await database.retrying { try await $0.execute(Self.move) }
        holder.release()
        let error = await #expect(throws: PostgresError.self) { try await copying.value }
        #expect(error?.isConnectionLoss == true)
        try await eventually("the log reports it") { !lines.lines(with: "ended the session of").isEmpty }
        let ended = lines.lines(with: "ended the session of consumer from 127.0.0.1, pid ")
        #expect(ended.count == 1)
        #expect(ended.first?.contains("it has sent no rows of its COPY for 1 s") == true)
        #expect(
            try await connection.query("SELECT next_offset, (SELECT count(*) FROM t) FROM kafka_offset").rows.map(
                \.values)
                == [["2", "0"]])
        await database.close()
        await connection.close()
    }

    /// A holder that sends rows, one of another application, and one that has moved no offsets.
    @Test(arguments: ["slow", "other", "without offsets"])
    func otherSessionsAreNotTerminated(kind: String) async throws {
        let (uri, connection) = try await Self.makeDatabase("holder \(kind)")
        let holder = Holder()
        let copying = try await holder.copy(
            uri, application: kind == "other" ? "psql" : "consumer",
            after: kind == "without offsets" ? "CREATE TABLE other (a int); LOCK TABLE t IN EXCLUSIVE MODE" : Self.move,
            sends: kind == "slow")
        let lines = LineList()
        let database = Self.waiter(uri, "consumer", stallLimit: .seconds(1), lines)
        let waiting = Task {
            try await database.retrying { connection in
                try await connection.execute(
                    kind == "without offsets" ? "INSERT INTO t VALUES ('b')" : Self.move)
            }
        }
        try await eventually("the holder is reported") { !lines.lines(with: "a lock is held by").isEmpty }
        // Several times as long as it takes to terminate a stuck session.
        try await Task.sleep(for: .seconds(3))
        holder.release()
        let rows = try await copying.value
        #expect(kind == "slow" ? rows > 10 : rows == 0)
        _ = try await waiting.value
        #expect(lines.lines(with: "ended").isEmpty)
        let stored = try await connection.query("SELECT count(*) FROM t").onlyRow.decode(0, as: Int.self)
        #expect(stored == (kind == "without offsets" ? 1 : rows))
        await database.close()
        await connection.close()
    }

    @Test func aMissingPrivilegeToTerminateIsReported() async throws {
        let (uri, connection) = try await Self.makeDatabase("stuck for ever")
        try await connection.execute(
            """
            CREATE ROLE lesser LOGIN; GRANT ALL ON t, kafka_offset TO lesser;
            REVOKE EXECUTE ON FUNCTION pg_terminate_backend FROM PUBLIC
            """)
        let lesser = uri.replacing("postgres@", with: "lesser@")
        let holder = Holder()
        let copying = try await holder.copy(lesser, application: "consumer", after: Self.move)
        let lines = LineList()
        let database = Self.waiter(lesser, "consumer", stallLimit: .milliseconds(500), lines)
        let waiting = Task { try await database.retrying { try await $0.execute(Self.move) } }
        try await eventually("the log names who must end it") {
            let report = lines.lines(with: "has to run SELECT pg_terminate_backend(").first
            return report?.contains("a superuser or a member of pg_signal_backend") == true
        }
        holder.release()
        #expect(try await copying.value == 0)
        _ = try await waiting.value
        await database.close()
        await connection.close()
    }
}
