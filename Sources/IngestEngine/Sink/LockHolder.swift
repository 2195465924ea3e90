import CommandLineSupport
import PGWire

/// A session that holds a lock for which another session waits.
struct LockHolder: Sendable, Equatable, CustomStringConvertible {
    let pid: Int32
    let application: String
    let host: String
    /// When its transaction began, in the server's text format.
    let since: String
    let state: String
    /// The progress of the session's COPY if it belongs to a consumer and the server is waiting for rows; nil
    /// otherwise. If two values are equal, the server has received nothing in between.
    let copyProgress: String?

    var description: String {
        let name = application.isEmpty ? "a session without a name" : application
        return "\(name) from \(host), pid \(pid), in a transaction since \(since) (\(state))"
    }
}

/// Looks up sessions that block another one, over a separate connection.
struct LockLookup: Sendable {
    let uri: String?
    let applicationName: String

    /// The most time for a lookup.
    private static let limit = Duration.seconds(5)

    /// The sessions that block a session.
    ///
    /// - Parameter pid: The waiting session's server process. Behind a connection pooler this is a number made up by
    ///   the pooler. So all sessions of the same application, user and database that wait for a lock count, too.
    /// - Throws: `PostgresError`; `Failure` if it takes too long.
    func holders(blocking pid: Int32) async throws -> [LockHolder] {
        try await withConnection { connection in
            let result = try await connection.query(
                """
                SELECT pid, application, host, since, state, copy_progress FROM (\(try await sessions(connection))) AS session
                WHERE pid IN (
                    SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND usename = session_user AND (pid = $1
                        OR pg_backend_pid() <> $2 AND datname = current_database()
                            AND application_name = current_setting('application_name')))
                ORDER BY copy_progress IS NULL, since LIMIT 3
                """,
                parameters: [PostgresValue(pid), PostgresValue(connection.serverProcessID ?? 0)])
            return try result.rows.map { row throws(PostgresError) in
                LockHolder(
                    pid: try row.decode(0), application: try row.decode(1), host: try row.decode(2),
                    since: try row.decode(3), state: try row.decode(4), copyProgress: try row.decodeIfPresent(5))
            }
        }
    }

    /// Terminates a session, unless its COPY has received something since the lookup.
    ///
    /// - Returns: Whether the session was signalled.
    /// - Throws: `PostgresError`, such as SQLSTATE 42501 if the user lacks the privilege; `Failure` if it takes too
    ///   long.
    func end(_ holder: LockHolder) async throws -> Bool {
        guard let progress = holder.copyProgress else { return false }
        return try await withConnection { connection in
            let result = try await connection.query(
                """
                SELECT pg_terminate_backend(pid) FROM (\(try await sessions(connection))) AS session
                WHERE pid = $1 AND copy_progress = $2
                """, parameters: [PostgresValue(holder.pid), .text(progress)])
            return try result.rows.first?.decode(0, as: Bool.self) ?? false
        }
    }

    /// A query of all sessions.
    ///
    /// A session has a `copy_progress` if it has this application's name, user and database, holds a lock on an
    /// offsets table, and waits for its client to send rows of a COPY. Postgres 13 and earlier don't report a COPY's
    /// progress, so it is always null there.
    private func sessions(_ connection: PostgresConnection) async throws(PostgresError) -> String {
        let reportsProgress = try await connection.query(
            "SELECT to_regclass('pg_catalog.pg_stat_progress_copy') IS NOT NULL")
        let progress =
            try reportsProgress.onlyRow.decode(0)
            ? """
            (SELECT concat_ws(' ', backend_start, xact_start, query_start, copy.relid, copy.bytes_processed)
            FROM pg_stat_progress_copy AS copy
            WHERE copy.pid = activity.pid AND copy.command = 'COPY FROM' AND copy.type = 'PIPE'
                AND activity.state = 'active' AND activity.wait_event = 'ClientRead'
                AND activity.usename = session_user AND activity.datname = current_database()
                AND activity.application_name = current_setting('application_name')
                AND EXISTS (
                    SELECT FROM pg_locks AS lock JOIN pg_class AS class ON class.oid = lock.relation
                    WHERE lock.pid = activity.pid AND lock.granted AND lock.locktype = 'relation'
                        AND lock.database = activity.datid AND class.relname = '\(OffsetStore.tableName)'))
            """ : "NULL::text"
        return """
            SELECT pid, coalesce(application_name, '') AS application, coalesce(host(client_addr), 'a local socket') AS host,
                coalesce(xact_start::timestamptz(0)::text, 'an unknown time') AS since,
                coalesce(state, 'unknown state') AS state, \(progress) AS copy_progress
            FROM pg_stat_activity AS activity
            """
    }

    private func withConnection<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let silence = Failure("the database did not answer in time", status: .unavailable)
        return try await withDeadline(Self.limit, failure: silence) {
            let connection = try await Database.connect(to: uri, applicationName: applicationName)
            do {
                let value = try await body(connection)
                await connection.close()
                return value
            } catch {
                await connection.close()
                throw error
            }
        }
    }
}
