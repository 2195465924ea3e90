import IngestEngine
import PGWire

/// A database connection for secondary work such as counting. It is opened on first use, and reopened if it breaks. The
/// rows never wait for it.
actor SideConnection {
    private let uri: String?
    private var connection: PostgresConnection?

    init(_ uri: String?) { self.uri = uri }

    /// Runs work on the connection. Concurrent work takes turns.
    ///
    /// - Throws: `PostgresError`, and what the work throws.
    func use<Value: Sendable>(
        _ work: @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        if let connection, !connection.isBroken { return try await work(connection) }
        let new = try await Database.connect(to: uri, applicationName: "tfi-consumer")
        connection = new
        return try await work(new)
    }

    func close() async {
        await connection?.close()
        connection = nil
    }
}
