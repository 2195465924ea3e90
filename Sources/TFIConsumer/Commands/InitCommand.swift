import CommandLineSupport
import IngestEngine
import PGWire

/// `tfi-consumer init`: makes the tables and views.
enum InitCommand {
    /// The commands that create the missing tables, for messages.
    static let forThePlant = "tfi-consumer init"
    static let forAnyMapping = "tfi-consumer init --offsets-only"

    private static let offsetsOnly = Option(
        flag: "offsets-only",
        help: "Creates only the tables kafka_offset and dead_letter, which every mapping needs.")

    static let command = Command(
        name: "init", abstract: "Makes the schema with its tables and views.",
        discussion: [
            "Running it again changes nothing: tables keep their rows, views their grants, and a plan that has rows "
                + "stays as it is."
        ],
        options: [ConsumerOptions.database, ConsumerOptions.schema, offsetsOnly]
    ) { options in
        let name = options[ConsumerOptions.schema]
        try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let quotedName = try await connection.quoted(name)
            if options[offsetsOnly] {
                let tables = OwnTables(schema: name, quotedSchema: quotedName)
                try await connection.transaction { session in try tables.create(&session) }
            } else {
                let schema = WorkshopSchema(quotedName: quotedName)
                try await connection.transaction { session in try schema.create(&session) }
            }
        }
        StatusLine.shared.message("the schema \(name) is ready")
    }
}
