import PGWire

/// Moves recent rows of a table to the settled ones, and counts their units, as ``RowTable`` describes.
///
/// Each step is one transaction, so that every row is in exactly one part at any moment.
struct RowSettler: Sendable {
    let schema: WorkshopSchema
    let table: RowTable

    /// The result of a step.
    enum Step: Equatable {
        /// The number of rows moved, and the block of the table at which the next step begins; nil at the table's end.
        case moved(Int, next: Int?)
        /// All settled rows were counted.
        case counted
        /// Another process is settling rows of the table.
        case busy
        /// The rows cannot be moved, with the reason as a sentence.
        case impossible(String)
    }

    /// Locks time out soon, since the rows can be moved later. A crash of the server may undo a move. Under a stricter
    /// isolation level the snapshot would be older than the lock.
    private static let prelude = """
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0;
        SET LOCAL synchronous_commit = off; SET LOCAL \(RowTable.settlingSetting) = 'on';
        SET LOCAL search_path = pg_catalog
        """

    /// Does one step.
    ///
    /// - Parameters:
    ///   - block: The block of the table to begin at.
    ///   - limit: The most rows to move.
    func step(from block: Int, limit: Int, over connection: PostgresConnection) async throws -> Step {
        try await connection.transaction(prelude: Self.prelude) { session in
            let isAlone: Bool = try session.query(
                "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))",
                parameters: [.text("settling \(schema.qualified(table.name))")]
            ).onlyRow.decode(0)
            guard isAlone else { return .busy }
            let (obstacle, columns) = try inspect(&session)
            if let obstacle { return .impossible(obstacle) }
            // Another session's UPDATE or DELETE waits for this lock before it takes its snapshot, so it finds the rows
            // where this step puts them. Readers and COPY do not wait for the lock.
            try session.execute("LOCK TABLE ONLY \(schema.qualified(table.settled)) IN SHARE ROW EXCLUSIVE MODE")
            let isCounted: Bool? = try session.query(
                "SELECT is_counted FROM \(schema.qualified(RowTable.stateTable)) WHERE source = $1 FOR UPDATE",
                parameters: [.text(table.name)]
            ).rows.first.map { row throws(PostgresError) in try row.decode(0) }
            guard let isCounted else { return .impossible(Self.unprepared) }
            guard isCounted else {
                try count(&session)
                return .counted
            }
            let row = try session.query(
                move(columns), parameters: [.text("(\(block),0)"), PostgresValue(limit)]
            ).onlyRow
            let (moved, last): (Int, String?) = (try row.decode(0), try row.decodeIfPresent(1))
            return .moved(moved, next: moved < limit ? nil : last.flatMap(Self.block))
        }
    }

    /// The block number of a row's ctid, such as 12 for `(12,7)`.
    private static func block(of place: String) -> Int? {
        Int(place.dropFirst().prefix { $0 != "," })
    }

    private static let unprepared = "it is not prepared for that; run 'tfi-consumer init'"

    /// Why the rows cannot be moved (nil if they can), and the quoted names of the table's columns.
    ///
    /// After a move, a unique index or a foreign key would cover only the recent rows. A trigger for deleted rows, or a
    /// subscriber of a publication, does not expect these deletions.
    private func inspect(
        _ session: inout PostgresSession
    ) throws(PostgresError) -> (obstacle: String?, columns: String) {
        let row = try session.query(
            """
            SELECT CASE
                WHEN to_regclass($2) IS NULL THEN $3
                WHEN EXISTS (SELECT FROM pg_index WHERE indrelid = class.oid AND (indisunique OR indisexclusion))
                    THEN 'it has a unique index, which would not hold any more'
                WHEN EXISTS (SELECT FROM pg_constraint WHERE confrelid = class.oid OR conrelid = class.oid AND contype = 'f')
                    THEN 'it has a foreign key, or one refers to it'
                WHEN EXISTS (SELECT FROM pg_inherits
                    WHERE inhparent = class.oid AND inhrelid <> to_regclass($2)::oid)
                    THEN 'it has other children'
                WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = class.oid AND attgenerated <> '')
                    THEN 'it has a generated column'
                WHEN EXISTS (SELECT FROM pg_publication_tables AS published
                    WHERE published.schemaname = (SELECT nspname FROM pg_namespace WHERE oid = class.relnamespace)
                        AND published.tablename = class.relname)
                    THEN 'a publication has it'
                WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = class.oid AND NOT tgisinternal AND tgtype & 8 <> 0
                    AND tgname <> 'forget_zone_units')
                    THEN 'it has a trigger for rows that are deleted'
                WHEN class.relrowsecurity THEN 'it has row security'
                WHEN class.relhasrules THEN 'it has a rule'
            END, (
                SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
            )
            FROM pg_class AS class WHERE oid = to_regclass($1)
            """,
            parameters: [
                .text(schema.qualified(table.name)), .text(schema.qualified(table.settled)), .text(Self.unprepared),
            ]
        ).rows.first
        return (row == nil ? Self.unprepared : row?[0], row?[1] ?? "")
    }

    /// Moves rows, and counts those of their units that the sets do not contain. $1 is the block to begin at, $2 the
    /// limit.
    private func move(_ columns: String) -> String {
        let sets = schema.qualified(RowTable.unitTable)
        let recent = "ONLY \(schema.qualified(table.name))"
        return """
            WITH chosen AS (
                SELECT ctid AS place FROM \(recent) WHERE ctid >= $1::tid LIMIT $2::bigint
            ), moved AS (
                DELETE FROM \(recent) WHERE ctid = ANY (ARRAY(SELECT place FROM chosen)) RETURNING \(columns)
            ), stored AS (
                INSERT INTO \(schema.qualified(table.settled)) (\(columns)) SELECT \(columns) FROM moved
            ), day AS (
                INSERT INTO \(schema.qualified(RowTable.dayTable)) (source, day)
                SELECT DISTINCT '\(table.name)', unit_collection_pt_timestamp::date FROM moved ON CONFLICT DO NOTHING
            ), unit (zone_id, block, place) AS (
                SELECT DISTINCT \(table.zoneColumn), \(RowTable.block(of: "qls_unit_id")),
                    \(RowTable.place(of: "qls_unit_id"))
                FROM moved
            ), added AS (
                INSERT INTO \(sets) AS present (source, zone_id, block, members, units)
                SELECT '\(table.name)', zone_id, block, \(Self.set), count(*)
                FROM unit
                WHERE NOT EXISTS (
                    SELECT FROM \(sets) AS counted
                    WHERE counted.source = '\(table.name)' AND counted.zone_id = unit.zone_id
                        AND counted.block = unit.block AND get_bit(counted.members, unit.place) = 1
                )
                GROUP BY zone_id, block
                ON CONFLICT (source, zone_id, block) DO UPDATE
                SET members = present.members | excluded.members, units = present.units + excluded.units
            )
            SELECT (SELECT count(*) FROM moved), (SELECT max(place) FROM chosen)
            """
    }

    /// The set of the units of a group, as bits.
    private static let set = "bit_or(set_bit(B'0'::bit(\(RowTable.blockSize)), place, 1))"

    /// Counts the units of all settled rows again, and finds their days. The lock prevents changes meanwhile.
    private func count(_ session: inout PostgresSession) throws(PostgresError) {
        let (sets, settled) = (schema.qualified(RowTable.unitTable), schema.qualified(table.settled))
        let days = schema.qualified(RowTable.dayTable)
        try session.query("DELETE FROM \(days) WHERE source = $1", parameters: [.text(table.name)])
        try session.query(
            """
            INSERT INTO \(days) (source, day)
            SELECT DISTINCT $1, unit_collection_pt_timestamp::date FROM \(settled)
            """, parameters: [.text(table.name)])
        try session.query("DELETE FROM \(sets) WHERE source = $1", parameters: [.text(table.name)])
        try session.query(
            """
            INSERT INTO \(sets) (source, zone_id, block, members, units)
            SELECT $1, zone_id, block, \(Self.set), count(*)
            FROM (
                SELECT DISTINCT \(table.zoneColumn) AS zone_id, \(RowTable.block(of: "qls_unit_id")) AS block,
                    \(RowTable.place(of: "qls_unit_id")) AS place
                FROM \(settled)
            ) AS unit
            GROUP BY zone_id, block
            """, parameters: [.text(table.name)])
        try session.query(
            "UPDATE \(schema.qualified(RowTable.stateTable)) SET is_counted = true WHERE source = $1",
            parameters: [.text(table.name)])
    }

    /// Updates the server's statistics of the settled rows: the days in each part of the table, and the number of rows.
    /// Without them the planner would not use the indexes well after many rows were moved.
    func describe(over connection: PostgresConnection) async throws {
        try await connection.transaction(prelude: "SET LOCAL lock_timeout = '2s'") { session in
            for index in table.indexes where index.definition.hasPrefix("USING brin") {
                try session.query(
                    "SELECT brin_summarize_new_values(to_regclass($1))",
                    parameters: [.text(schema.qualified("\(table.settled)_\(index.suffix)"))])
            }
            try session.execute("ANALYZE \(schema.qualified(table.settled))")
        }
    }

    /// Frees the space of moved rows, which queries would otherwise still read. It does not wait for locks.
    func vacuum(over connection: PostgresConnection) async throws {
        let version = try await connection.query("SHOW server_version_num").onlyRow[0].flatMap { Int($0) } ?? 0
        // From version 18 on, VACUUM includes the children unless ONLY is given.
        let only = version >= 180_000 ? "ONLY " : ""
        try await connection.execute("VACUUM (SKIP_LOCKED) \(only)\(schema.qualified(table.name))")
    }
}
