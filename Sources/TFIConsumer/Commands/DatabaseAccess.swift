import CommandLineSupport
import PGWire

/// One-off work with the database, whose errors end the command with a sentence.
enum DatabaseAccess {
    /// The schema, with every table that `run` and `status` need.
    ///
    /// - Throws: A failure that names the tables that are missing; `PostgresError`.
    static func schema(_ name: String, over connection: PostgresConnection) async throws -> WorkshopSchema {
        let schema = WorkshopSchema(quotedName: try await connection.quoted(name))
        let missing = try await connection.transaction { session in try schema.missingTables(&session) }
        guard missing.isEmpty else {
            throw Failure(
                "the schema \(name) lacks \(missing.joined(separator: ", ")): run 'tfi-consumer init' first",
                status: .configuration)
        }
        return schema
    }

    /// Connects, does the work and closes the connection. Reports if that takes several seconds.
    static func open<Value: Sendable>(
        _ uri: String?, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let waiting = Task {
            try await Task.sleep(for: .seconds(3))
            StatusLine.shared.message("tfi-consumer: still waiting for the database to answer")
        }
        defer { waiting.cancel() }
        do {
            let connection = try await PostgresConnection.connect(to: uri, applicationName: "tfi-consumer")
            do {
                let value = try await body(connection)
                await connection.close()
                return value
            } catch {
                await connection.close()
                throw error
            }
        } catch let error as PostgresError {
            throw Failure(error)
        }
    }
}

extension Failure {
    /// What to tell of an error of the database, and with which status.
    init(_ error: PostgresError) {
        var reason = "\(error)"
        // The server's and libpq's sentences may have their full stop.
        if reason.hasSuffix(".") { reason.removeLast() }
        switch error.kind {
        case .usage: self.init("--database: \(reason)", status: .usage)
        case .connect: self.init("\(reason); is --database right, or PGHOST and so on?", status: .unavailable)
        default: self.init("the database: \(reason)", status: .unavailable)
        }
    }
}
