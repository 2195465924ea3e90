import IngestEngine
import PGWire

/// A connection for work beside the rows, such as counting: it is made when it is needed, and anew after it broke. Rows
/// never wait for it.
actor SideConnection {
    private let uri: String?
    private var connection: PostgresConnection?

    init(_ uri: String?) { self.uri = uri }

    /// Does something with the connection. Work that comes meanwhile has its own turn on it.
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
