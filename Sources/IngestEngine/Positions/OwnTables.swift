import CommandLineSupport
import PGWire

/// The program's own tables: the offsets of each group, the dead letters, and what was done with them.
///
/// Every statement names the schema, so that nothing depends on `search_path`.
///
/// The tables have a version, stored in `schema_version`; the first version, of tfi-consumer 0.1.0, had no such table.
/// A new version adds a step to ``migrations``. The definitions here are those of a new schema; migrating an old one
/// must give the same tables.
public struct OwnTables: Sendable {
    public struct Definition: Sendable {
        public let name: String
        /// One line per column and constraint, columns first.
        public let lines: [String]
    }

    /// Messages that can't become rows. Kafka allows null keys and values, and records without a timestamp.
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

    /// The group that has read the message, and what was done with the dead letter.
    private static let deadLetterLinesOfVersion2 = [
        "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
        "group_name text",
        "retries integer NOT NULL DEFAULT 0",
        "resolved_at timestamp with time zone",
        "resolution text CHECK (resolution IN ('retried', 'discarded'))",
        "resolved_by text",
    ]

    /// The next offset of each group, written in the transaction of the rows. The topic id and the leader epoch
    /// identify a recreated topic or a truncated log.
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

    /// The versions that the schema has had.
    static let versions = Definition(
        name: "schema_version",
        lines: [
            "version integer PRIMARY KEY",
            "program text NOT NULL",
            "applied_at timestamp with time zone NOT NULL DEFAULT now()",
        ])

    /// The changes of offsets by hand.
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

    /// Each view's definition as written by `init`, to detect later changes by users.
    public static let views = Definition(
        name: "own_view", lines: ["name text PRIMARY KEY", "definition text NOT NULL"])

    /// All tables.
    public static let all = [deadLetter, offsets, versions, offsetChanges, views]

    /// The version of these definitions.
    public static let version = 2

    /// The statements that migrate from each version to the next.
    private var migrations: [Int: [String]] {
        [
            1: Self.deadLetterLinesOfVersion2.map {
                "ALTER TABLE IF EXISTS \(quotedSchema).\(Self.deadLetter.name) ADD COLUMN IF NOT EXISTS \($0)"
            }
        ]
    }

    private static let offsetColumns = ["group_name", "topic", "partition", "next_offset", "topic_id", "leader_epoch"]

    /// The unquoted name of the schema.
    public let schema: String
    /// The name of the schema as quoted by libpq's `PQescapeIdentifier`.
    public let quotedSchema: String

    public init(schema: String, quotedSchema: String) {
        self.schema = schema
        self.quotedSchema = quotedSchema
    }

    /// The offsets table with its schema, quoted.
    public var offsetTable: String { "\(quotedSchema).\(OffsetStore.tableName)" }

    /// A table with its schema, quoted.
    public func quoted(_ table: Definition) -> String { "\(quotedSchema).\(table.name)" }

    /// The privileges that a run needs on the tables.
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

    /// The outcome of ``create(_:program:)``.
    public struct Outcome: Sendable, Equatable {
        /// The previous version of the tables; nil if there were none.
        public var earlierVersion: Int?
    }

    /// Creates the schema and the tables, or migrates older tables to the current version. Keeps all rows. The
    /// transaction must not have run other statements.
    ///
    /// - Parameter program: The program's version, stored with the schema version.
    /// - Throws: `PostgresError`, with SQLSTATE 55P03 if another session's lock blocks it for ten seconds; `Failure`
    ///   if the tables have a later version.
    public func create(_ session: inout PostgresSession, program: String) throws -> Outcome {
        // With a stricter isolation level the snapshot would be older than the lock.
        try session.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        // Suppress the notices "already exists, skipping".
        try session.execute("SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10s'")
        // Serialize concurrent runs: with IF NOT EXISTS alone, two could try at once, and one would violate the
        // catalog's unique index.
        try session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", parameters: [.text(offsetTable)])
        // CREATE SCHEMA IF NOT EXISTS requires the privilege to create schemas even if the schema exists. In a schema
        // created by an administrator, the privilege to create tables is enough.
        let schemaExists: Bool = try session.query(
            "SELECT to_regnamespace($1) IS NOT NULL", parameters: [.text(quotedSchema)]
        ).onlyRow.decode(0)
        if !schemaExists { try session.execute("CREATE SCHEMA \(quotedSchema)") }
        let earlier = try currentVersion(&session)
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
        // An existing view may be the user's own.
        if try !exists(Self.deadLetterView, &session) { try session.execute(deadLetterViewStatement) }
        return Outcome(earlierVersion: earlier)
    }

    private static let deadLetterView = "dead_letter_count"

    /// The number of open letters by reason, without numbers and quoted text.
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

    /// Checks the tables' version.
    ///
    /// - Throws: `Failure` that says what to do if the version differs; `PostgresError`.
    public func checkVersion(_ session: inout PostgresSession, createdBy command: String) throws {
        guard let version = try currentVersion(&session) else { return }
        if version > Self.version { throw tooNew(version) }
        if version < Self.version {
            var failure = Failure(
                "the tables in schema \(schema) have version \(version), and this program needs version "
                    + "\(Self.version): run '\(command)', which keeps their rows", status: .configuration)
            failure.isOfAbsence = true
            throw failure
        }
    }

    private func tooNew(_ version: Int) -> Failure {
        Failure(
            "the tables in schema \(schema) have version \(version), and this program knows version \(Self.version): "
                + "they were made by a later program, so use that one", status: .configuration)
    }

    /// The version of the existing tables; nil if there are none.
    ///
    /// - Throws: `Failure` if the user may not read the version; `PostgresError`.
    private func currentVersion(_ session: inout PostgresSession) throws -> Int? {
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
