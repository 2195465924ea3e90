import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer init`: makes the tables and views.
enum InitCommand {
    /// The command that creates the tables which are missing for a mapping, for messages.
    static func line(for options: ParsedOptions) -> String {
        guard MappingOptions.isBuiltIn(options) else { return forAnyMapping }
        return forThePlant + (options[MappingOptions.plant].map { " --plant \($0.text)" } ?? "")
    }

    static let forThePlant = "tfi-consumer init"
    static let forAnyMapping = "tfi-consumer init --offsets-only"

    private static let offsetsOnly = Option(
        flag: "offsets-only",
        help: "Creates only the program's own tables, such as kafka_offset and dead_letter, which every mapping needs.")
    private static let replaceViews = Option(
        flag: "replace-views", help: "Replaces views that were changed since this command has made them.")

    static let command = Command(
        name: "init", abstract: "Makes the schema with its tables and views, or brings an older one up to date.",
        discussion: [
            "Running it again changes nothing: tables keep their rows, views their grants, and a plan that has rows "
                + "stays as it is. A view that somebody has changed stays too, and is named.",
            "It waits up to ten seconds for other sessions that have a table or view in use.",
        ],
        options: [
            ConsumerOptions.database, ConsumerOptions.schema, MappingOptions.plant, offsetsOnly, replaceViews,
        ]
    ) { options in
        try options.checkExclusive(offsetsOnly, replaceViews)
        try options.checkExclusive(offsetsOnly, MappingOptions.plant)
        let plant = options[MappingOptions.plant]
        let name = options[ConsumerOptions.schema]
        let (isForThePlant, replacesViews) = (!options[offsetsOnly], options[replaceViews])
        let (outcome, changed) = try await DatabaseAccess.open(options[ConsumerOptions.database]) { connection in
            let quotedName = try await connection.quoted(name)
            let tables = OwnTables(schema: name, quotedSchema: quotedName)
            let schema = WorkshopSchema(quotedName: quotedName, plant: plant)
            return try await connection.transaction { session in
                let outcome = try tables.create(&session, program: KafkaWireVersion.current)
                return (outcome, isForThePlant ? try schema.create(&session, replacingViews: replacesViews) : [])
            }
        }
        for view in changed {
            Log.ofCommand.warning(
                "the view \(view) was changed by somebody and stays as it is: --replace-views replaces it")
        }
        if let earlier = outcome.earlierVersion, earlier < OwnTables.version {
            StatusLine.shared.message(
                "the schema \(name) was of version \(earlier), and is of version \(OwnTables.version) now")
        } else {
            StatusLine.shared.message("the schema \(name) is ready")
        }
    }
}
