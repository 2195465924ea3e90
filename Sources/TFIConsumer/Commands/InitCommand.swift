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
            try await connection.transaction { session in try schema.create(&session) }
        }
        StatusLine.shared.message("the schema \(name) is ready")
    }
}
