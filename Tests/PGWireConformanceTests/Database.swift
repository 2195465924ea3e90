import PGWire
import TestSupport
import Testing

/// Whether tests that need a server can run, and why not.
let needsPostgres: ConditionTrait = .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)")

/// A connection to the test process's own server, with a schema of the test's own as the search path.
func connectToSchema(
    _ schema: String, onNotice: (@Sendable (PostgresNotice) -> Void)? = nil
) async throws -> PostgresConnection {
    let server = try await PostgresServer.shared()
    let connection = try await PostgresConnection.connect(to: server.uri, onNotice: onNotice)
    let name = try await connection.quoted(schema)
    try await connection.execute(
        "SET client_min_messages = error; DROP SCHEMA IF EXISTS \(name) CASCADE; CREATE SCHEMA \(name);"
            + " SET search_path = \(name); SET client_min_messages = notice")
    return connection
}

/// The error that a call throws, for a closer look.
func postgresError(_ body: () async throws -> Void) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    throw NoErrorWasThrown()
}

struct NoErrorWasThrown: Error {}
