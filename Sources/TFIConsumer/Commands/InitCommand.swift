import CommandLineSupport
import PGWire

/// `tfi-consumer init`: makes the tables and views.
enum InitCommand {
    static let command = Command(
        name: "init", abstract: "Makes the schema with its tables and views.",
        discussion: [
            "Running it again changes nothing: tables keep their rows, views their grants, and a plan that has rows "
                + "stays as it is."
        ],
        options: [ConsumerOptions.database, ConsumerOptions.schema]
    ) { options in
        let name = options[ConsumerOptions.schema]
        try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let schema = WorkshopSchema(quotedName: try await connection.quoted(name))
            let statements = schema.initStatements
            try await connection.transaction { session in
                for statement in statements { try session.execute(statement) }
            }
        }
        StatusLine.shared.message("the schema \(name) is ready")
    }
}

/// One-off work with the database, whose errors end the command with a sentence.
enum DatabaseAccess {
    static func open<Value: Sendable>(
        _ uri: String?, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
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
