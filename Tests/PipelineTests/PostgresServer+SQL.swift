import PGWire
import TestSupport

extension PostgresServer {
    /// Runs SQL over a separate connection, with a schema as the search path.
    @discardableResult
    func sql(_ text: String, in schema: String) async throws -> PostgresResult {
        let connection = try await PostgresConnection.connect(to: uri)
        do {
            let name = try await connection.quoted(schema)
            try await connection.execute("SET search_path = \(name)")
            let result = try await connection.execute(text)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension PostgresResult {
    /// The rows as text; a null is `null`.
    var texts: [[String]] { rows.map { row in columns.indices.map { row[$0] ?? "null" } } }
}
