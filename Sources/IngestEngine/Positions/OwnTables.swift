import CommandLineSupport
import PGWire

/// The program's own tables: the offsets of each group, the messages that can't be a row, and what was done to them.
///
/// The schema's name is in every statement, so that nothing depends on a `search_path`.
///
/// The tables have a version, which stands in `schema_version`. The first version, of tfi-consumer 0.1.0, had no such
/// table. A new version adds a step to ``migrations``, and the definitions here are those of a schema that is made anew;
/// both must lead to the same tables.
public struct OwnTables: Sendable {
    public struct Definition: Sendable {
        public let name: String
        /// Columns, then constraints: one line each.
        public let lines: [String]
    }

    /// Messages that can't be a row. Key, value and timestamp may be missing in Kafka too.
    public static let deadLetter = Definition(
        name: DeadLetter.table,
        lines: [
            "\"topic\" text NOT NULL",
            "\"partition\" integer NOT NULL",
            "\"offset\" bigint NOT NULL",
            "\"timestamp\" timestamp with time zone",
            "key bytea",
            "value bytea",
            "headers jsonb",
            "reason text NOT NULL",
            "received_at timestamp with time zone NOT NULL DEFAULT now()",
        ] + deadLetterLinesOfVersion2)

    /// The group that has read the message, and what became of the letter.
    private static let deadLetterLinesOfVersion2 = [
        "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
        "group_name text",
        "retries integer NOT NULL DEFAULT 0",
        "resolved_at timestamp with time zone",
        "resolution text CHECK (resolution IN ('retried', 'discarded'))",
        "resolved_by text",
    ]

    /// The next offset of each group: written in the transaction of the rows themselves. The topic's id and the leader
    /// epoch distinguish a topic that was recreated, or a log that was truncated, from the one that was read.
    public static let offsets = Definition(
        name: OffsetStore.tableName,
        lines: [
            "group_name text NOT NULL",
            "topic text NOT NULL",
            "partition integer NOT NULL",
            "next_offset bigint NOT NULL",
            "topic_id text",
            "leader_epoch integer",
            "updated_at timestamp with time zone NOT NULL DEFAULT now()",
            "PRIMARY KEY (group_name, topic, partition)",
        ])

    /// Each version that the schema has had.
    static let versions = Definition(
        name: "schema_version",
        lines: [
            "version integer PRIMARY KEY",
            "program text NOT NULL",
            "applied_at timestamp with time zone NOT NULL DEFAULT now()",
        ])

    /// Each change of an offset by hand.
    public static let offsetChanges = Definition(
        name: "kafka_offset_change",
        lines: [
            "changed_at timestamp with time zone NOT NULL DEFAULT now()",
            "changed_by text NOT NULL",
            "group_name text NOT NULL",
            "topic text NOT NULL",
            "partition integer NOT NULL",
            "from_offset bigint",
            "to_offset bigint NOT NULL",
        ])

    /// What `init` has made of each view, to find out later whether somebody has changed it.
    public static let views = Definition(
        name: "own_view", lines: ["name text PRIMARY KEY", "definition text NOT NULL"])

    /// All of them.
    public static let all = [deadLetter, offsets, versions, offsetChanges, views]

    /// The version of these definitions.
    public static let version = 2

    /// What brings the tables from a version to the next one, by the version from which.
    private var migrations: [Int: [String]] {
        [
            1: Self.deadLetterLinesOfVersion2.map {
                "ALTER TABLE IF EXISTS \(quotedSchema).\(Self.deadLetter.name) ADD COLUMN IF NOT EXISTS \($0)"
            }
        ]
    }

    private static let offsetColumns = ["group_name", "topic", "partition", "next_offset", "topic_id", "leader_epoch"]

    /// The schema's name as the catalog spells it.
    public let schema: String
    /// The schema's name as libpq's `PQescapeIdentifier` gives it.
    public let quotedSchema: String

    public init(schema: String, quotedSchema: String) {
        self.schema = schema
        self.quotedSchema = quotedSchema
    }

    /// The offsets table, quoted.
    public var offsetTable: String { "\(quotedSchema).\(OffsetStore.tableName)" }

    /// A table's name, quoted.
    public func quoted(_ table: Definition) -> String { "\(quotedSchema).\(table.name)" }

    /// What a run does with the tables.
    public var privileges: Privileges {
        Privileges(
            schema: schema,
            needs: [
                .init(privilege: "INSERT", table: DeadLetter.table, columns: DeadLetter.columns),
                .init(privilege: "SELECT", table: OffsetStore.tableName, columns: Self.offsetColumns),
                .init(privilege: "INSERT", table: OffsetStore.tableName, columns: Self.offsetColumns),
                .init(
                    privilege: "UPDATE", table: OffsetStore.tableName,
                    columns: ["next_offset", "leader_epoch", "updated_at"]),
            ])
    }

    /// What ``create(_:program:)`` has found and done.
    public struct Outcome: Sendable, Equatable {
        /// The version of the tables before; nil if there were none.
        public var earlierVersion: Int?
    }

    /// Creates the schema and the tables if they don't exist, and brings older ones to the present version, in a
    /// transaction that has sent nothing before. A table keeps its rows.
    ///
    /// - Parameter program: The version of the program, for the record.
    /// - Throws: `PostgresError`: SQLSTATE 55P03 if another session's lock is in the way for ten seconds; `Failure` if the
    ///   tables are of a later version.
    public func create(_ session: inout PostgresSession, program: String) throws -> Outcome {
        // Under a stricter isolation level the snapshot would be older than the lock.
        try session.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        // "already exists, skipping" is no news.
        try session.execute("SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10s'")
        // One at a time: IF NOT EXISTS alone would let two try, and one fail on the catalog's unique index.
        try session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", parameters: [.text(offsetTable)])
        // CREATE SCHEMA IF NOT EXISTS asks for the right to create schemas even if there is nothing to create. In a
        // schema that an administrator has created, the right to create tables is enough.
        let schemaExists: Bool = try session.query(
            "SELECT to_regnamespace($1) IS NOT NULL", parameters: [.text(quotedSchema)]
        ).onlyRow.decode(0)
        if !schemaExists { try session.execute("CREATE SCHEMA \(quotedSchema)") }
        let earlier = try presentVersion(&session)
        if let earlier, earlier > Self.version { throw tooNew(earlier) }
        if let earlier {
            for version in earlier..<Self.version {
                for statement in migrations[version] ?? [] { try session.execute(statement) }
            }
        }
        for table in Self.all {
            let lines = table.lines.map { "    \($0)" }.joined(separator: ",\n")
            try session.execute("CREATE TABLE IF NOT EXISTS \(quotedSchema).\(table.name) (\n\(lines)\n)")
        }
        try session.query(
            """
            INSERT INTO \(quotedSchema).\(Self.versions.name) (version, program) VALUES ($1, $2)
            ON CONFLICT DO NOTHING
            """, parameters: [PostgresValue(Int32(Self.version)), .text(program)])
        // One that is there may be somebody's own.
        if try !exists(Self.deadLetterView, &session) { try session.execute(deadLetterViewStatement) }
        return Outcome(earlierVersion: earlier)
    }

    private static let deadLetterView = "dead_letter_count"

    /// Open letters by their reason without numbers and without what is quoted from the message.
    private var deadLetterViewStatement: String {
        """
        CREATE VIEW \(quotedSchema).\(Self.deadLetterView) (day, topic, reason, letters) AS
        SELECT received_at::date, "topic",
            regexp_replace(regexp_replace(reason, '''[^'']*''', '''…''', 'g'), '[0-9]+', '#', 'g'), count(*)
        FROM \(quotedSchema).\(Self.deadLetter.name)
        WHERE resolved_at IS NULL
        GROUP BY 1, 2, 3
        """
    }

    // MARK: The version

    /// - Throws: `Failure` that says what to do if the tables are of another version; `PostgresError`.
    public func checkVersion(_ session: inout PostgresSession, createdBy command: String) throws {
        guard let version = try presentVersion(&session) else { return }
        if version > Self.version { throw tooNew(version) }
        if version < Self.version {
            var failure = Failure(
                "the tables in schema \(schema) are of version \(version), and this program needs version "
                    + "\(Self.version): run '\(command)', which keeps their rows", status: .configuration)
            failure.isOfAbsence = true
            throw failure
        }
    }

    private func tooNew(_ version: Int) -> Failure {
        Failure(
            "the tables in schema \(schema) are of version \(version), and this program knows version \(Self.version): a "
                + "later one has made them, so use that one", status: .configuration)
    }

    /// The version of the tables that are there; nil without any.
    ///
    /// - Throws: `Failure` if the user may not look; `PostgresError`.
    private func presentVersion(_ session: inout PostgresSession) throws -> Int? {
        if try exists(Self.versions.name, &session) {
            try Privileges(
                schema: schema,
                needs: [.init(privilege: "SELECT", table: Self.versions.name, columns: ["version"])]
            ).check(&session)
            let version: Int32? = try session.query(
                "SELECT max(version) FROM \(quotedSchema).\(Self.versions.name)"
            ).onlyRow.decodeIfPresent(0)
            return version.map { Int($0) }
        }
        for table in [Self.deadLetter, Self.offsets] where try exists(table.name, &session) { return 1 }
        return nil
    }

    private func exists(_ name: String, _ session: inout PostgresSession) throws(PostgresError) -> Bool {
        try session.query(
            "SELECT to_regclass($1) IS NOT NULL", parameters: [.text("\(quotedSchema).\(name)")]
        ).onlyRow.decode(0)
    }
}
