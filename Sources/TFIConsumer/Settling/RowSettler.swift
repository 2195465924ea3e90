import PGWire

/// Moves recent rows of a table to the settled ones, and counts their units: what ``RowTable`` describes.
///
/// Each step is one transaction, so that every row is in exactly one part at any moment.
struct RowSettler: Sendable {
    let schema: WorkshopSchema
    let table: RowTable

    /// What a step came to.
    enum Step: Equatable {
        /// So many rows were moved, and the next step begins at this block of the table; nil at the table's end.
        case moved(Int, next: Int?)
        /// All settled rows were counted.
        case counted
        /// Another process is at it.
        case busy
        /// The rows can't be moved; a sentence says why.
        case impossible(String)
    }

    /// Locks are waited for shortly: the rows can be moved later. A crash of the server may take a move back.
    private static let prelude = """
        SET LOCAL lock_timeout = '2s'; SET LOCAL synchronous_commit = off; SET LOCAL \(RowTable.settlingSetting) = 'on';
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
            if let obstacle = try obstacle(&session) { return .impossible(obstacle) }
            // The lock makes a change of settled rows by somebody else wait, or this step for it.
            let isCounted: Bool? = try session.query(
                "SELECT is_counted FROM \(schema.qualified(RowTable.stateTable)) WHERE source = $1 FOR UPDATE",
                parameters: [.text(table.name)]
            ).rows.first.map { row throws(PostgresError) in try row.decode(0) }
            guard let isCounted else { return .impossible("init has not prepared it") }
            guard isCounted else {
                try count(&session)
                return .counted
            }
            let row = try session.query(
                move, parameters: [.text("(\(block),0)"), PostgresValue(limit)]
            ).onlyRow
            let (moved, last): (Int, String?) = (try row.decode(0), try row.decodeIfPresent(1))
            return .moved(moved, next: moved < limit ? nil : last.flatMap(Self.block))
        }
    }

    /// The block of a row's place, such as `(12,7)`.
    private static func block(of place: String) -> Int? {
        Int(place.dropFirst().prefix { $0 != "," })
    }

    /// Why the rows can't be moved; nil if they can.
    ///
    /// A unique index or a foreign key holds for the recent rows alone, and a trigger for rows that are deleted is
    /// somebody's who doesn't expect these deletions.
    private func obstacle(_ session: inout PostgresSession) throws(PostgresError) -> String? {
        try session.query(
            """
            SELECT CASE
                WHEN to_regclass($2) IS NULL THEN 'init has not prepared it'
                WHEN EXISTS (SELECT FROM pg_index WHERE indrelid = class.oid AND (indisunique OR indisexclusion))
                    THEN 'it has a unique index, which would not hold any more'
                WHEN EXISTS (SELECT FROM pg_constraint WHERE confrelid = class.oid)
                    THEN 'a foreign key refers to it'
                WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = class.oid AND NOT tgisinternal AND tgtype & 8 <> 0
                    AND tgname <> 'forget_zone_units')
                    THEN 'it has a trigger for rows that are deleted'
                WHEN class.relrowsecurity THEN 'it has row security'
                WHEN class.relhasrules THEN 'it has a rule'
            END
            FROM pg_class AS class WHERE oid = to_regclass($1)
            """, parameters: [.text(schema.qualified(table.name)), .text(schema.qualified(table.settled))]
        ).rows.first?[0]
    }

    /// Moves rows and counts those of their units that the sets don't have: $1 is the place to begin at, $2 the limit.
    private var move: String {
        let sets = schema.qualified(RowTable.unitTable)
        let recent = "ONLY \(schema.qualified(table.name))"
        return """
            WITH chosen AS (
                SELECT ctid AS place FROM \(recent) WHERE ctid >= $1::tid LIMIT $2::bigint
            ), moved AS (
                DELETE FROM \(recent) WHERE ctid = ANY (ARRAY(SELECT place FROM chosen)) RETURNING *
            ), stored AS (
                INSERT INTO \(schema.qualified(table.settled)) SELECT * FROM moved
            ), day AS (
                INSERT INTO \(schema.qualified(RowTable.dayTable)) (day)
                SELECT DISTINCT unit_collection_pt_timestamp::date FROM moved ON CONFLICT DO NOTHING
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

    /// Counts the units of all settled rows anew. Nobody can change them meanwhile.
    private func count(_ session: inout PostgresSession) throws(PostgresError) {
        let (sets, settled) = (schema.qualified(RowTable.unitTable), schema.qualified(table.settled))
        try session.execute("LOCK TABLE \(settled) IN SHARE MODE")
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

    /// Tells the server what the settled rows are like: which days each part of the table has, and how many rows there
    /// are. Without that it would not use the indexes well after many rows were moved.
    func describe(over connection: PostgresConnection) async throws {
        try await connection.transaction(prelude: "SET LOCAL lock_timeout = '2s'") { session in
            for index in table.indexes where index.definition.hasPrefix("USING brin") {
                try session.query(
                    "SELECT brin_summarize_new_values(to_regclass($1))",
                    parameters: [.text("\(schema.qualified(table.settled))_\(index.suffix)")])
            }
            try session.execute("ANALYZE \(schema.qualified(table.settled))")
        }
    }

    /// Gives the room of moved rows free. Until then each query reads where they were. A lock is not waited for.
    func vacuum(over connection: PostgresConnection) async throws {
        try await connection.execute("VACUUM (SKIP_LOCKED) \(schema.qualified(table.name))")
    }
}
