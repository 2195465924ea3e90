import CommandLineSupport
import PGWire

/// The program's own tables: the offsets of each group, and the messages that can't be a row.
///
/// The schema's name is in every statement, so that nothing depends on a `search_path`.
package struct OwnTables: Sendable {
    package struct Definition: Sendable {
        package let name: String
        /// Columns, then constraints: one line each.
        package let lines: [String]
    }

    /// Messages that can't be a row. Key, value and timestamp may be missing in Kafka too.
    package static let deadLetter = Definition(
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
        ])

    /// The next offset of each group: written in the transaction of the rows themselves. The topic's id and the leader
    /// epoch distinguish a topic that was recreated, or a log that was truncated, from the one that was read.
    package static let offsets = Definition(
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

    private static let offsetColumns = ["group_name", "topic", "partition", "next_offset", "topic_id", "leader_epoch"]

    /// The schema's name as the catalog spells it.
    package let schema: String
    /// The schema's name as libpq's `PQescapeIdentifier` gives it.
    package let quotedSchema: String

    package init(schema: String, quotedSchema: String) {
        self.schema = schema
        self.quotedSchema = quotedSchema
    }

    /// The offsets table, quoted.
    package var offsetTable: String { "\(quotedSchema).\(OffsetStore.tableName)" }

    /// What a run does with the tables.
    package var privileges: Privileges {
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

    /// Creates the schema and both tables if they don't exist, in a transaction that has sent nothing before.
    ///
    /// - Throws: `PostgresError`: SQLSTATE 55P03 if another session's lock is in the way for ten seconds.
    package func create(_ session: inout PostgresSession) throws(PostgresError) {
        try session.execute("SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10s'")
        // One at a time: IF NOT EXISTS alone would let two try, and one fail on the catalog's unique index.
        try session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", parameters: [.text(offsetTable)])
        // CREATE SCHEMA IF NOT EXISTS asks for the right to create schemas even if there is nothing to create.
        let exists: Bool = try session.query(
            "SELECT to_regnamespace($1) IS NOT NULL", parameters: [.text(quotedSchema)]
        ).onlyRow.decode(0)
        if !exists { try session.execute("CREATE SCHEMA \(quotedSchema)") }
        for table in [Self.deadLetter, Self.offsets] {
            let lines = table.lines.map { "    \($0)" }.joined(separator: ",\n")
            try session.execute("CREATE TABLE IF NOT EXISTS \(quotedSchema).\(table.name) (\n\(lines)\n)")
        }
    }
}
