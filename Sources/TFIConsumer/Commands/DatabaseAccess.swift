import CommandLineSupport
import IngestEngine
import PGWire

/// Database access of a single command. Errors become failures that end the command with a sentence.
enum DatabaseAccess {
    /// The program's own tables in a schema.
    ///
    /// - Parameters:
    ///   - name: The schema's name.
    ///   - needed: The tables that have to exist.
    ///   - command: The command that creates them.
    /// - Throws: A failure that names the tables that are missing; `PostgresError`.
    static func ownTables(
        in name: String, needed: [String], createdBy command: String, over connection: PostgresConnection
    ) async throws -> OwnTables {
        let schema = WorkshopSchema(quotedName: try await connection.quoted(name))
        let tables = OwnTables(schema: name, quotedSchema: schema.quotedName)
        let missing = try await connection.transaction { session in
            try tables.checkVersion(&session, createdBy: command)
            return try schema.missing(needed, &session)
        }
        guard missing.isEmpty else {
            var failure = Failure(
                "the schema \(name) lacks \(missing.joined(separator: ", ")): run '\(command)' first",
                status: .configuration)
            failure.isOfAbsence = true
            throw failure
        }
        return tables
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
    /// Turns an error of the database into a message and an exit status.
    init(_ error: PostgresError) {
        var reason = "\(error)"
        // Messages of the server and libpq may end with a full stop.
        if reason.hasSuffix(".") { reason.removeLast() }
        switch error.kind {
        case .usage: self.init("--database: \(reason)", status: .usage)
        case .connect: self.init("\(reason); check --database, or PGHOST and so on", status: .unavailable)
        default: self.init("the database: \(reason)", status: .unavailable)
        }
    }
}
