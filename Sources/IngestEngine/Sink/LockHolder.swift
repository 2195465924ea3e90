import CommandLineSupport
import PGWire

/// A session that holds a lock which another session waits for.
struct LockHolder: Sendable, CustomStringConvertible {
    let pid: Int32
    let application: String
    let host: String
    /// When its transaction began, as the server writes it.
    let since: String
    let state: String

    var description: String {
        let name = application.isEmpty ? "a session without a name" : application
        return "\(name) from \(host), pid \(pid), in a transaction since \(since) (\(state))"
    }

    /// How long the lookup may take.
    private static let limit = Duration.seconds(5)

    /// The sessions that block a session, over a connection of its own.
    ///
    /// - Parameter pid: The waiting session's server process. Behind a connection pooler it is a number that the pooler
    ///   has made up, so it has to be a session of the same user that waits for a lock.
    /// - Throws: `PostgresError`; `Failure` if it takes too long.
    static func holders(blocking pid: Int32, uri: String?, applicationName: String) async throws -> [LockHolder] {
        let silence = Failure("the database does not answer", status: .unavailable)
        return try await withDeadline(limit, failure: silence) {
            let connection = try await PostgresConnection.connect(to: uri, applicationName: applicationName)
            do {
                let result = try await connection.query(
                    """
                    SELECT pid, coalesce(application_name, ''), coalesce(host(client_addr), 'a local socket'),
                        coalesce(xact_start::timestamptz(0)::text, 'an unknown time'), coalesce(state, 'unknown state')
                    FROM pg_stat_activity
                    WHERE pid IN (
                        SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity
                        WHERE pid = $1 AND wait_event_type = 'Lock' AND usename = current_user)
                    ORDER BY xact_start LIMIT 3
                    """, parameters: [PostgresValue(pid)])
                await connection.close()
                return try result.rows.map { row throws(PostgresError) in
                    LockHolder(
                        pid: try row.decode(0), application: try row.decode(1), host: try row.decode(2),
                        since: try row.decode(3), state: try row.decode(4))
                }
            } catch {
                await connection.close()
                throw error
            }
        }
    }
}
