import CommandLineSupport
import IngestEngine
import KafkaWire
import PGWire

/// `tfi-consumer init`: creates the tables and views.
enum InitCommand {
    /// The command that creates the tables that a run with these options needs, for messages.
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
        flag: "replace-views", help: "Replaces views that were changed since this command created them.")

    static let command = Command(
        name: "init", abstract: "Creates the schema with its tables and views, or upgrades an older one.",
        discussion: [
            "Running it again changes nothing: tables keep their rows, views their grants, and a plan that has rows "
                + "stays as it is. The command reports views that have been changed by hand, and does not replace "
                + "them.",
            "It waits up to ten seconds for other sessions that use a table or view.",
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
                "the view \(view) has been changed by hand and stays as it is; --replace-views replaces it")
        }
        if let earlier = outcome.earlierVersion, earlier < OwnTables.version {
            StatusLine.shared.message(
                "the schema \(name) was upgraded from version \(earlier) to \(OwnTables.version)")
        } else {
            StatusLine.shared.message("the schema \(name) is ready")
        }
    }
}
